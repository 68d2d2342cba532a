#include "api/agent_view.hpp"

#include "api/builtin_agent.hpp"
#include "store/metadata/metadata.hpp"

#include <array>

namespace nw::api {
namespace {

constexpr std::array<std::string_view, 5> kStatusNames{"pending", "online", "stale", "offline", "disabled"};

void write_health(JsonWriter& json, const std::optional<AgentHealth>& health)
{
    if (!health) {
        json.null();
        return;
    }
    json.object()
        .field("at_us", health->at_us)
        .field("lateness_p99_us", health->lateness_p99_us)
        .field("socket_drops", health->socket_drops)
        .field("cpu_permille", health->cpu_permille)
        .field("steal_permille", health->steal_permille)
        .field("spool_rows", health->spool_rows)
        .field("spool_bytes", health->spool_bytes)
        .field("rss_bytes", health->rss_bytes)
        .field("probes", health->probes)
        .field("packets_per_second", health->packets_per_second)
        .field("spool_refused", health->spool_refused)
        .end_object();
}

void write_twin(JsonWriter& json, const std::optional<AgentTwin>& twin)
{
    if (!twin) {
        json.null();
        return;
    }
    json.object()
        .key("addresses")
        .array()
        .text(twin->one)
        .text(twin->other)
        .end_array()
        .field("at_us", twin->at_us)
        .end_object();
}

template <class T>
std::optional<std::int64_t> signed_of(const std::optional<T>& value)
{
    if (!value) return std::nullopt;
    return std::int64_t(*value);
}

}  // namespace

std::string_view name_of(AgentStatus status) { return kStatusNames[std::size_t(status)]; }

AgentStatus status_of(const store::AgentBrief& agent, const AgentState& state)
{
    if (!agent.enrolled) return AgentStatus::Pending;
    if (!agent.enabled) return AgentStatus::Disabled;
    if (!state.connected) return AgentStatus::Offline;
    return state.silent ? AgentStatus::Stale : AgentStatus::Online;
}

AgentStatus status_of(const store::Agent& agent, const AgentState& state)
{
    return status_of(store::AgentBrief{agent.id, !agent.credential_hash.empty(), agent.enabled}, state);
}

void write_agent(JsonWriter& json, const Services& services, const store::Agent& agent)
{
    const auto state = services.agents.state(agent.id);
    json.object().field("id", to_text(agent.id)).field("name", agent.name).field("site", agent.site).key("labels").array();
    for (const auto& label : agent.labels) json.text(label);
    json.end_array()
        .field("status", name_of(status_of(agent, state)))
        .field("enabled", agent.enabled)
        .field("hostname", agent.facts.hostname)
        .field("os", agent.facts.os)
        .field("arch", agent.facts.arch)
        .field("version", agent.facts.version)
        .field("last_seen_us", state.last_seen_us ? state.last_seen_us : agent.last_seen_us)
        .field("address", agent.facts.address)
        .field("gateway", agent.facts.gateway)
        .field("resolver", agent.facts.resolver)
        .field("builtin", services.builtin_agent.id() == agent.id)
        .field("clock_offset_us", state.clock_offset_us ? state.clock_offset_us : agent.clock_offset_us)
        .field("clock_uncertainty_us",
               state.clock_uncertainty_us ? signed_of(state.clock_uncertainty_us) : agent.clock_uncertainty_us)
        .key("health");
    write_health(json, state.health);
    json.key("twin");
    write_twin(json, state.twin);
    json.field("probe_count", agent.probe_count)
        .field("state_number", agent.state_number)
        .field("applied_state_number", state.applied_state_number)
        .key("problems")
        .array();
    for (const auto& [probe, what] : state.problems)
        json.object().field("probe", to_text(probe)).field("what", what).end_object();
    json.end_array().field("created_us", agent.created_us).end_object();
}

Task<Status> write_agent_counts(JsonWriter& json, const Services& services, WorkspaceId workspace)
{
    NW_CO_TRY(const auto agents,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.agents(workspace).briefs(); }));
    std::array<std::int64_t, kStatusNames.size()> counts{};
    for (const auto& agent : agents) ++counts[std::size_t(status_of(agent, services.agents.state(agent.id)))];
    json.object();
    for (std::size_t i = 0; i < counts.size(); ++i) json.field(kStatusNames[i], counts[i]);
    json.end_object();
    co_return Status{};
}

}  // namespace nw::api
