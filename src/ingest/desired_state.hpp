// The step from one desired state to the next, as the message that goes to the agent. Pure.
#pragma once

#include "ingest/directory.hpp"
#include "wire/messages.hpp"

namespace nw::ingest {

// What takes an agent from `base` to `target`; without a base (null): the whole.
wire::State step_to(const DesiredState& target, const DesiredState* base);

}  // namespace nw::ingest
