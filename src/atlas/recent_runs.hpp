// The newest runs of one probe, small: what its part of the map is made of. Bounded by time, number and hops; the newest
// one is always kept.
#pragma once

#include "topology/path_set.hpp"
#include "topology/run.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

namespace nw::atlas {

inline constexpr std::chrono::seconds kWindow{600};
inline constexpr std::size_t kRunsKept = 10;
inline constexpr std::size_t kHopsKept = 1'000;

class RecentRuns {
public:
    explicit RecentRuns(std::chrono::seconds window = kWindow) : window_(window) {}

    // In any order; a run of a moment that is there already is left out. False when nothing changed.
    bool add(const topology::Run& run);
    bool empty() const { return runs_.empty(); }
    std::size_t size() const { return runs_.size(); }
    std::int64_t newest_us() const { return runs_.empty() ? INT64_MIN : runs_.back().head.at_us; }
    topology::PathSet merged() const;

private:
    struct Kept {
        topology::Run head{};  // without hops
        std::string hops{};    // encode_hops()
        std::size_t hop_count = 0;
    };

    void trim();

    std::chrono::seconds window_;
    std::deque<Kept> runs_{};  // ascending by time
};

}  // namespace nw::atlas
