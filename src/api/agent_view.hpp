// Agents as the API shows them.
#pragma once

#include "api/services.hpp"
#include "base/json_writer.hpp"
#include "store/metadata/records.hpp"

#include <span>
#include <string>

namespace nw::api {

enum class AgentStatus : std::uint8_t { Pending, Online, Stale, Offline, Disabled };
std::string_view name_of(AgentStatus status);
AgentStatus status_of(const store::Agent& agent, const AgentState& state);

void write_agent(JsonWriter& json, const Services& services, const store::Agent& agent);
void write_agent_counts(JsonWriter& json, const Services& services, std::span<const store::Agent> agents);

}  // namespace nw::api
