// Runs of path probes as the store has them.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"
#include "store/telemetry/telemetry.hpp"
#include "topology/run.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace nw::atlas {

struct StoredRuns {
    std::vector<topology::Run> runs{};  // ascending by time; those without hops are there too
    bool truncated = false;             // there are older ones in the range
    std::uint64_t corrupt = 0;          // left out: their hops cannot be read
};

// Of the hops of all runs that are read at once, so that nobody's question takes all memory.
inline constexpr std::size_t kHopsReadMax = 100'000;

// The newest `max` runs of the range, as far as their hops are no more than kHopsReadMax. They are decoded on `pool`.
Task<Result<StoredRuns>> read_runs(store::Telemetry& telemetry, Pool& pool, ProbeId probe, const Kind& kind,
                                   store::TimeRange range, std::size_t max);
// Every run of the range, one after the other; `use` is called on `pool`. Says how many could not be read.
Task<Result<std::uint64_t>> each_run(store::Telemetry& telemetry, Pool& pool, ProbeId probe, const Kind& kind,
                                     store::TimeRange range, std::function<void(const topology::Run&)> use);
// The newest run with hops that began before `until_us`, as far back as a day.
Task<Result<std::vector<topology::Run>>> read_run_before(store::Telemetry& telemetry, Pool& pool, ProbeId probe,
                                                         const Kind& kind, std::int64_t until_us);

}  // namespace nw::atlas
