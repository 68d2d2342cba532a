#include "atlas/past_map.hpp"

#include "atlas/recent_runs.hpp"
#include "atlas/stored_runs.hpp"
#include "base/time.hpp"
#include "base/together.hpp"

#include <algorithm>

namespace nw::atlas {
namespace {

// Of so many probes the runs are read at the same time, and held until they are on the map.
constexpr std::size_t kProbesAtOnce = 8;

}  // namespace

Task<Result<topology::Graph>> read_map(store::Telemetry& telemetry, Pool& pool, std::span<const PathProbe> probes,
                                       std::int64_t at_us, std::chrono::seconds window)
{
    const auto from_us = std::max<std::int64_t>(0, at_us - Micros(window).count());
    topology::Graph graph;
    while (!probes.empty()) {
        const auto some = probes.first(std::min(probes.size(), kProbesAtOnce));
        probes = probes.subspan(some.size());
        std::vector<Task<Result<StoredRuns>>> readings;
        for (const auto& probe : some)
            readings.push_back(read_runs(telemetry, pool, probe.id, *probe.kind, {from_us + 1, at_us + 1}, kRunsKept));
        const auto found = co_await together(std::move(readings));
        for (const auto& one : found)
            if (!one) co_return std::unexpected(one.error());
        co_await run_on(pool, [&] {
            for (std::size_t i = 0; i < some.size(); ++i) {
                RecentRuns recent{window};
                for (const auto& run : found[i]->runs) recent.add(run);
                if (!found[i]->runs.empty()) graph.replace(some[i].id, some[i].ends, recent.merged());
            }
            return true;
        });
    }
    co_return graph;
}

}  // namespace nw::atlas
