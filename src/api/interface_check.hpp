// Whether an agent has the interface that a probe is to be bound to, by its last report.
#pragma once

#include "base/result.hpp"
#include "model/probe_spec.hpp"
#include "store/metadata/metadata.hpp"

#include <string>

namespace nw::api {

// The interface in the settings of a probe; empty for "as routed", and for kinds that have no such setting.
std::string bound_interface(const Kind& kind, const Settings& settings);

// Invalid, with the names that are there, when the agent has no such interface. An agent that never reported may have any.
Status check_interface(store::MetadataTx& tx, WorkspaceId workspace, AgentId agent, const Kind& kind,
                       const Settings& settings);

}  // namespace nw::api
