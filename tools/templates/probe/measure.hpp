// One @name@ measurement on the network.
#pragma once

#include "probe/engine.hpp"

#include <functional>

namespace nw::probe::@name@ {

// Fills in the outcome, its reason, the address and the columns of `sample`; ends within the spec's timeout. All
// arguments outlive the call.
using Measure = std::function<Task<void>(const EngineContext&, const ProbeSpec&, Sample&)>;

Task<void> measure(const EngineContext& context, const ProbeSpec& spec, Sample& sample);

}  // namespace nw::probe::@name@
