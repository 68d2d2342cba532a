// Agents as the API shows them.
#pragma once

#include "api/services.hpp"
#include "base/async.hpp"
#include "base/json_writer.hpp"
#include "base/result.hpp"
#include "store/metadata/records.hpp"

#include <string_view>

namespace nw::api {

enum class AgentStatus : std::uint8_t { Pending, Online, Stale, Offline, Disabled };
std::string_view name_of(AgentStatus status);
AgentStatus status_of(const store::AgentBrief& agent, const AgentState& state);
AgentStatus status_of(const store::Agent& agent, const AgentState& state);

void write_agent(JsonWriter& json, const Services& services, const store::Agent& agent);
// Of the whole workspace, by status.
Task<Status> write_agent_counts(JsonWriter& json, const Services& services, WorkspaceId workspace);

}  // namespace nw::api
