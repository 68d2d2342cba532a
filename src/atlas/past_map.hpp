// The map of a moment that has passed, drawn from stored runs.
#pragma once

#include "atlas/path_probe.hpp"
#include "base/async.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"
#include "store/telemetry/telemetry.hpp"

#include <chrono>
#include <cstdint>
#include <span>

namespace nw::atlas {

// As the runs in (at - window, at] saw it: of each probe the newest kRunsKept.
Task<Result<topology::Graph>> read_map(store::Telemetry& telemetry, Pool& pool, std::span<const PathProbe> probes,
                                       std::int64_t at_us, std::chrono::seconds window);

}  // namespace nw::atlas
