// How a probe begins, and how long it goes on; the same for all engines.
#pragma once

#include "model/ids.hpp"
#include "probe/moment.hpp"

#include <cstdint>

namespace nw::probe {

enum class FirstRun : std::uint8_t {
    AtOnce,   // packed closely, so that a first result is there soon; the second one is on the probe's beat
    OnPhase,  // waits for the probe's place in the interval
    OffBeat,  // at once with its usual spacing, and all other runs right after it: for people who wait
};

struct StartOptions {
    FirstRun first = FirstRun::AtOnce;
    std::uint64_t runs_max = ~0ULL;  // then the probe ends by itself
};

struct Start {
    Moment first{};         // of run 0
    Moment next{};          // of run 1; all others follow by the interval
    Nanos first_spacing{};  // within run 0
};

}  // namespace nw::probe
