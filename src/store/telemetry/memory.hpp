// The reference implementation of Telemetry: plain vectors and obvious loops. The contract suite and the
// differential test hold the real engines against it; `--ephemeral` runs on it. Nothing survives the process.
#pragma once

#include "base/time.hpp"
#include "store/telemetry/telemetry.hpp"

#include <memory>

namespace nw::store {

// `clock` dates declared losses and decides retention; it outlives the store.
std::unique_ptr<Telemetry> make_memory_telemetry(const Clock& clock, Retention retention = {});

}  // namespace nw::store
