// Whether the store takes samples. It refuses under back-pressure (a full disk, say); agents then keep what they have,
// and an operator must know why nothing new arrives.
//
// While it refuses, reading from agents stops: they are told OVERLOADED at their greeting. One of them a second is let
// in as a trial, so that its first stored batch ends the trouble without anybody's help.
#pragma once

#include "base/log.hpp"
#include "base/time.hpp"

#include <optional>
#include <string>

namespace nw::ingest {

struct StoreTrouble {
    std::string why{};
    WallTime since{};
};

class StoreWatch {
public:
    StoreWatch(const Clock& clock, Log log) : clock_(clock), log_(std::move(log)) {}

    void refused(const std::string& why);
    void took();
    // Whether a session may begin now.
    bool admits();
    const std::optional<StoreTrouble>& trouble() const { return trouble_; }

private:
    const Clock& clock_;
    Log log_;
    std::optional<StoreTrouble> trouble_{};
    Instant last_trial_{};
};

}  // namespace nw::ingest
