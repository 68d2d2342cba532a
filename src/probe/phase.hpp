// When runs start: at k x interval + phase(probe), counted from the epoch, so that a probe keeps its beat over
// restarts and two agents agree on it; phases are spread by hash, so that probes do not fire together.
#pragma once

#include "base/time.hpp"
#include "model/ids.hpp"

namespace nw::probe {

// Phases lie on a grid, so that an engine can serve what is due around the same time with one wake-up.
inline constexpr Nanos kPhaseGrid = Millis(10);

// In [0, interval), on the grid.
Nanos phase_of(ProbeId probe, Nanos interval);

// The first start at or after `from`; both count from the epoch.
Nanos next_start(ProbeId probe, Nanos interval, Nanos from);

}  // namespace nw::probe
