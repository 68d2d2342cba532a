#include "atlas/past_map.hpp"

#include "atlas/recent_runs.hpp"
#include "atlas/stored_runs.hpp"
#include "base/time.hpp"

#include <algorithm>

namespace nw::atlas {

Task<Result<topology::Graph>> read_map(store::Telemetry& telemetry, Pool& pool, std::span<const PathProbe> probes,
                                       std::int64_t at_us, std::chrono::seconds window)
{
    const auto from_us = std::max<std::int64_t>(0, at_us - Micros(window).count());
    topology::Graph graph;
    for (const auto& probe : probes) {
        NW_CO_TRY(const auto found,
                  co_await read_runs(telemetry, pool, probe.id, *probe.kind, {from_us + 1, at_us + 1}, kRunsKept));
        if (found.runs.empty()) continue;
        co_await run_on(pool, [&] {
            RecentRuns recent{window};
            for (const auto& run : found.runs) recent.add(run);
            graph.replace(probe.id, probe.ends, recent.merged());
            return true;
        });
    }
    co_return graph;
}

}  // namespace nw::atlas
