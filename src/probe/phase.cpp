#include "probe/phase.hpp"

#include <algorithm>

namespace nw::probe {

Nanos phase_of(ProbeId probe, Nanos interval)
{
    // The finaliser of splitmix64: ids differ in few bits, phases must not.
    auto hash = std::uint64_t(probe) + 0x9e3779b97f4a7c15;
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
    hash ^= hash >> 31;
    const auto places = std::uint64_t(std::max<std::int64_t>(1, interval / kPhaseGrid));
    return kPhaseGrid * std::int64_t(hash % places);
}

Nanos next_start(ProbeId probe, Nanos interval, Nanos from)
{
    const auto phase = phase_of(probe, interval);
    const auto runs = (from - phase + interval - Nanos(1)) / interval;
    return interval * runs + phase;
}

}  // namespace nw::probe
