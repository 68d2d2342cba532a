// Keeps house on disk: seals hot rows into open chunk files, compacts closed days into one run of chunks per probe with
// their roll-ups, and removes what retention no longer wants. Used by one thread at a time.
//
// The order in which things become durable is in docs/storage.md, section "Crashes"; each step here says where it is.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "quality/accumulator.hpp"
#include "store/telemetry/catalogue.hpp"
#include "store/telemetry/hot_window.hpp"
#include "store/telemetry/rules.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <unordered_set>
#include <vector>

namespace nw::store {

class Keeper {
public:
    using Removed = std::unordered_set<ProbeId>;

    Keeper(Catalogue& catalogue, const HotWindow& hot, std::filesystem::path dir, Log log)
        : catalogue_(catalogue), hot_(hot), dir_(std::move(dir)), log_(std::move(log))
    {}

    // Writes every row of `epoch` and older to disk, each once whatever happened before. Durable when it returns.
    Status seal(std::uint64_t epoch, const Limits& limits, const Removed& removed, std::int64_t now_us);
    // Whatever days are due at `now_us`.
    Status compact_due(const Removed& removed, std::int64_t now_us);
    Status retain(const Limits& limits, const Removed& removed);
    std::uint64_t compactions() const { return compactions_; }

private:
    struct Sealing;
    struct Compaction;

    Status seal_probe(Sealing& sealing, ProbeKey probe);
    Result<SealWriter*> writer(Sealing& sealing, std::int64_t day);
    Status finish(Sealing& sealing);
    // Raw rows of `expired` are left out, and their roll-ups made.
    Status compact(const Day& day, const Removed& removed, const Removed& expired);
    Status expire(const Limits& limits, const Removed& removed);
    Status expire_rollups(const Limits& limits);
    Status compact_probe(Compaction& compaction, ProbeId probe);
    Status replace(Compaction& compaction);
    bool is_due(const Day& day, std::int64_t now_us) const;
    bool has_rollups(const Day& day) const;

    Catalogue& catalogue_;
    const HotWindow& hot_;
    std::filesystem::path dir_;
    Log log_;
    Codec quick_{Codec::Effort::Quick};
    Codec codec_{};
    std::uint64_t sealed_epoch_ = 0;              // all rows up to it are on disk, as far as this keeper saw to it
    std::map<DayKey, std::int64_t> sealed_us_{};  // when rows last came to a day
    // What expire() last did its work for.
    std::shared_ptr<const RetentionRules> expired_rules_{};
    std::int64_t expired_day_ = 0;
    std::uint64_t compactions_ = 0;
};

}  // namespace nw::store
