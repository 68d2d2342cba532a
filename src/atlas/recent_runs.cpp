#include "atlas/recent_runs.hpp"

#include "base/time.hpp"

#include <algorithm>
#include <vector>

namespace nw::atlas {

bool RecentRuns::add(const topology::Run& run)
{
    if (run.hops.empty()) return false;
    if (!runs_.empty() && run.at_us <= newest_us() - Micros(window_).count()) return false;
    const auto at = [](const Kept& kept) { return kept.head.at_us; };
    const auto place = std::ranges::lower_bound(runs_, run.at_us, {}, at);
    if (place != runs_.end() && place->head.at_us == run.at_us) return false;
    Kept kept{.head = {.at_us = run.at_us,
                       .outcome = run.outcome,
                       .address = run.address,
                       .mtu = run.mtu,
                       .black_hole_ttl = run.black_hole_ttl},
              .hops = encode_hops(run.hops),
              .hop_count = run.hops.size()};
    runs_.insert(place, std::move(kept));
    trim();
    return true;
}

void RecentRuns::trim()
{
    const auto oldest_us = newest_us() - Micros(window_).count();
    while (runs_.size() > 1 && runs_.front().head.at_us <= oldest_us) runs_.pop_front();
    std::size_t hops = 0;
    for (const auto& kept : runs_) hops += kept.hop_count;
    while (runs_.size() > 1 && (runs_.size() > kRunsKept || hops > kHopsKept)) {
        hops -= runs_.front().hop_count;
        runs_.pop_front();
    }
}

topology::PathSet RecentRuns::merged() const
{
    std::vector<topology::Run> runs;
    runs.reserve(runs_.size());
    for (const auto& kept : runs_) {
        auto hops = decode_hops(kept.hops);
        if (!hops) continue;  // what came in could be read, what was made of it cannot: nothing to draw
        runs.push_back(kept.head);
        runs.back().hops = *std::move(hops);
    }
    return topology::merge(runs);
}

}  // namespace nw::atlas
