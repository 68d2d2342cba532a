// The engines' own time, and the kernel's.
#pragma once

#include "base/time.hpp"

namespace nw::probe {

// Nanoseconds since the epoch by a clock that never jumps. It starts out equal to the wall clock and keeps its pace
// when that one is set.
struct Timeline {};
using Moment = std::chrono::time_point<Timeline, Nanos>;

// Nanoseconds since the epoch as the kernel stamps packets.
using KernelTime = std::chrono::sys_time<Nanos>;

}  // namespace nw::probe
