// The report of an agent's network between value and protobuf message. Private to wire/.
#pragma once

#include "wire/interfaces.hpp"

#include "agent.pb.h"

namespace nw::wire {

void to_pb(const Interfaces& from, pb::Interfaces& to);
// What it returns keeps the limits of model/host_network.hpp; anything beyond them is refused as a whole.
Result<Interfaces> from_pb(const pb::Interfaces& in);

}  // namespace nw::wire
