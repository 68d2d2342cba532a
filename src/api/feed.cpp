#include "api/feed.hpp"

#include "api/agent_view.hpp"
#include "api/path_view.hpp"
#include "api/probe_view.hpp"
#include "api/sample_rows.hpp"
#include "api/traces.hpp"
#include "api/workspace_settings.hpp"

#include "base/assert.hpp"
#include "live/hub.hpp"

#include <utility>

namespace nw::api {
namespace {

constexpr auto kFlushEvery = std::chrono::seconds(1);
constexpr auto kFlushTracesEvery = std::chrono::milliseconds(250);

live::Topic probe_topic(WorkspaceId workspace, ProbeId probe)
{
    return {.workspace = workspace, .kind = live::TopicKind::Probe, .probe = probe};
}
live::Topic probes_topic(WorkspaceId workspace) { return {.workspace = workspace, .kind = live::TopicKind::Probes}; }
live::Topic trace_topic(const store::Action& action)
{
    return {.workspace = action.workspace, .kind = live::TopicKind::Trace, .action = action.id};
}
live::Topic agents_topic(WorkspaceId workspace) { return {.workspace = workspace, .kind = live::TopicKind::Agents}; }

std::string samples_event(ProbeId probe, const Rows& rows)
{
    JsonWriter json;
    json.object().field("type", "samples").field("probe", to_text(probe)).field("kind", rows.kind->name).key("rows");
    write_rows(json, rows);
    json.end_object();
    return std::move(json).str();
}

template <class Id>
std::string gone_event(std::string_view type, std::string_view member, Id id)
{
    JsonWriter json;
    json.object().field("type", type).field(member, to_text(id)).end_object();
    return std::move(json).str();
}

}  // namespace

Feed::Feed(Executor loop, Log log) : loop_(loop), log_(std::move(log)) {}

void Feed::start(Services& services, TaskGroup& tasks)
{
    NW_ASSERT(!services_);
    services_ = &services;
    tasks.spawn("live feed", flush_loop());
    tasks.spawn("live traces", trace_loop());
}

void Feed::rows(AgentId agent, std::span<const Rows> batches)
{
    const auto workspace = services_->agents.workspace_of(agent);
    if (!workspace) return;
    const bool list_wanted = services_->hub.wanted(probes_topic(*workspace));
    for (const auto& batch : batches) {
        std::map<ProbeId, Rows> by_probe;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const auto probe = batch.probe[i];
            if (list_wanted) measured_[*workspace].insert(probe);
            if (!services_->hub.wanted(probe_topic(*workspace, probe))) continue;
            append_row(by_probe.try_emplace(probe, make_rows(*batch.kind)).first->second, batch, i);
        }
        for (const auto& [probe, rows] : by_probe) {
            std::vector<std::string> events;
            events.push_back(samples_event(probe, rows));
            services_->hub.publish(probe_topic(*workspace, probe), std::move(events));
        }
    }
}

void Feed::trace_changed(const store::Action& action)
{
    if (services_->hub.wanted(trace_topic(action))) traces_.insert_or_assign(action.id, action);
}

Task<void> Feed::publish_trace(store::Action action)
{
    const auto workspace =
        co_await services_->metadata.read([&](store::MetadataTx& tx) { return tx.workspaces().get(action.workspace); });
    if (!workspace) co_return;  // deleted meanwhile
    const auto thresholds = settings_of(*workspace).thresholds;
    JsonWriter json;
    json.object().field("type", "trace").key("trace");
    write_trace(json, *services_, action, &thresholds);
    json.end_object();
    std::vector<std::string> events;
    events.push_back(std::move(json).str());
    services_->hub.publish(trace_topic(action), std::move(events));
}

Task<void> Feed::trace_loop()
{
    Timer timer(loop_);
    for (;;) {
        timer.expires_after(kFlushTracesEvery);
        co_await timer.async_wait(use_task);
        for (auto& [id, action] : std::exchange(traces_, {})) co_await publish_trace(std::move(action));
    }
}

void Feed::probe_changed(WorkspaceId workspace, ProbeId probe) { edited_[workspace].insert(probe); }

void Feed::probe_gone(WorkspaceId workspace, ProbeId probe)
{
    measured_[workspace].erase(probe);
    edited_[workspace].erase(probe);
    const auto event = gone_event("probe_gone", "probe", probe);
    services_->hub.publish(probes_topic(workspace), {event});
    services_->hub.publish(probe_topic(workspace, probe), {event});
}

void Feed::annotated(WorkspaceId workspace, std::optional<ProbeId> probe)
{
    JsonWriter json;
    json.object().field("type", "annotated").key("probe");
    if (probe) json.text(to_text(*probe));
    else json.null();
    json.end_object();
    services_->hub.publish(probes_topic(workspace), {std::move(json).str()});
}

void Feed::agent_changed(WorkspaceId workspace, AgentId agent)
{
    if (services_->hub.wanted(agents_topic(workspace))) agents_[workspace].insert(agent);
}

void Feed::agent_gone(WorkspaceId workspace, AgentId agent)
{
    agents_[workspace].erase(agent);
    services_->hub.publish(agents_topic(workspace), {gone_event("agent_gone", "agent", agent)});
}

void Feed::route_changed(WorkspaceId workspace, const store::PathChange& change)
{
    const auto topic = probe_topic(workspace, change.probe);
    if (!services_->hub.wanted(topic)) return;
    JsonWriter json;
    json.object().field("type", "route_change").field("probe", to_text(change.probe)).key("change");
    write_path_change(json, change);
    json.end_object();
    services_->hub.publish(topic, {std::move(json).str()});
}

Task<void> Feed::flush_loop()
{
    Timer timer(loop_);
    for (;;) {
        timer.expires_after(kFlushEvery);
        co_await timer.async_wait(use_task);
        for (auto& [workspace, probes] : std::exchange(edited_, {}))
            co_await flush_probes(workspace, std::move(probes), true);
        for (auto& [workspace, probes] : std::exchange(measured_, {}))
            co_await flush_probes(workspace, std::move(probes), false);
        for (auto& [workspace, agents] : std::exchange(agents_, {})) co_await flush_agents(workspace, std::move(agents));
        for (const auto workspace : map_.behind(*services_)) co_await flush_map(workspace);
        services_->hub.tidy();
    }
}

Task<void> Feed::flush_probes(WorkspaceId id, std::set<ProbeId> wanted, bool edited)
{
    store::Workspace workspace;
    auto found = co_await services_->metadata.read([&](store::MetadataTx& tx) -> Result<std::vector<store::Probe>> {
        NW_TRY(workspace, tx.workspaces().get(id));
        std::vector<store::Probe> probes;
        for (const auto probe : wanted)
            // Deleted meanwhile: its own event tells.
            if (auto one = tx.probes(id).get(probe)) probes.push_back(*std::move(one));
        return probes;
    });
    if (!found) co_return;
    auto views = co_await views_of(*services_, workspace, *std::move(found));
    if (!views) {
        log_.warn("live probes could not be read: {}", views.error().what);
        co_return;
    }
    std::vector<std::string> events;
    for (const auto& view : *views) {
        JsonWriter json;
        json.object().field("type", "probe").key("probe");
        write_probe(json, view);
        json.end_object();
        if (edited) services_->hub.publish(probe_topic(id, view.probe.id), {json.str()});
        events.push_back(std::move(json).str());
    }
    services_->hub.publish(probes_topic(id), std::move(events));
}

Task<void> Feed::flush_map(WorkspaceId workspace)
{
    const auto context = co_await map_context(*services_, workspace);
    if (context) map_.bring_up_to_date(*services_, workspace, *context);
    else if (context.error().code != Errc::NotFound) log_.warn("a map could not be told: {}", context.error().what);
}

Task<void> Feed::flush_agents(WorkspaceId workspace, std::set<AgentId> wanted)
{
    auto found = co_await services_->metadata.read([&](store::MetadataTx& tx) -> Result<std::vector<store::Agent>> {
        std::vector<store::Agent> agents;
        for (const auto agent : wanted)
            if (auto one = tx.agents(workspace).get(agent)) agents.push_back(*std::move(one));
        return agents;
    });
    if (!found) co_return;
    std::vector<std::string> events;
    for (const auto& agent : *found) {
        JsonWriter json;
        json.object().field("type", "agent").key("agent");
        write_agent(json, *services_, agent);
        json.end_object();
        events.push_back(std::move(json).str());
    }
    services_->hub.publish(agents_topic(workspace), std::move(events));
}

}  // namespace nw::api
