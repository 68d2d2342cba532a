// What happened to a probe and around it, for the verticals of its charts: its agent's connections, changes of its
// configuration, changes of its route, and annotations.
#include "api/annotation_view.hpp"
#include "api/handlers.hpp"
#include "api/path_view.hpp"
#include "api/ranges.hpp"

#include "base/json_writer.hpp"

#include <algorithm>
#include <tuple>

namespace nw::api {
namespace {

constexpr std::uint32_t kPerSourceMax = 500;

struct Event {
    std::int64_t at_us = 0;
    std::string_view kind{};
    std::optional<std::int64_t> until_us{};
    std::string text{};
    std::string actor{};
    std::string detail{"{}"};
    std::optional<store::Annotation> annotation{};
};

struct Sources {
    std::vector<store::AgentConnection> connections{};
    std::vector<store::AuditEntry> changes{};
    std::vector<store::Annotation> annotations{};
    std::vector<store::PathChange> routes{};

    bool truncated() const
    {
        return std::max({connections.size(), changes.size(), annotations.size(), routes.size()}) >= kPerSourceMax;
    }
};

Result<Sources> read_sources(store::MetadataTx& tx, WorkspaceId workspace, const store::Probe& probe, store::TimeRange range)
{
    Sources found;
    NW_TRY(found.connections,
           tx.agents(workspace).connections_in(probe.agent, range.from_us, range.until_us, kPerSourceMax));
    NW_TRY(found.changes, tx.audit().of_subject(workspace, to_text(probe.id), range.from_us, range.until_us, kPerSourceMax));
    NW_TRY(found.routes, tx.path_changes(workspace).list(probe.id, range.from_us, range.until_us, kPerSourceMax));
    NW_TRY(found.annotations, tx.annotations(workspace).list(probe.id, range.from_us, range.until_us, kPerSourceMax));
    return found;
}

std::string detail_of(const store::PathChange& change)
{
    JsonWriter json;
    const auto write = [&](std::string_view name, const std::vector<store::PathChangeHop>& hops) {
        json.key(name).array();
        for (const auto& hop : hops) json.text(hop.address);
        json.end_array();
    };
    json.object();
    write("added", change.added);
    write("removed", change.removed);
    json.end_object();
    return std::move(json).str();
}

// Nothing for actions that say nothing about what is measured.
std::string_view kind_of_change(std::string_view action)
{
    if (action == "probe.create") return "probe_created";
    if (action == "probe.update") return "probe_changed";
    if (action == "probe.delete") return "probe_deleted";
    if (action == "probe.restore") return "probe_restored";
    return {};
}

std::vector<Event> events_of(Sources sources, store::TimeRange range)
{
    std::vector<Event> events;
    const auto inside = [&](std::int64_t at) { return at >= range.from_us && at < range.until_us; };
    for (const auto& connection : sources.connections) {
        if (inside(connection.from_us))
            events.push_back({.at_us = connection.from_us,
                              .kind = connection.restarted ? "agent_restarted" : "agent_connected",
                              .text = connection.version});
        if (connection.until_us && inside(*connection.until_us))
            events.push_back({.at_us = *connection.until_us, .kind = "agent_disconnected", .text = connection.close_reason});
    }
    for (auto& change : sources.changes)
        if (const auto kind = kind_of_change(change.action); !kind.empty())
            events.push_back({.at_us = change.at_us,
                              .kind = kind,
                              .actor = std::move(change.actor_name),
                              .detail = std::move(change.detail)});
    for (const auto& route : sources.routes)
        events.push_back(
            {.at_us = route.at_us, .kind = "route_change", .text = summary_of(route), .detail = detail_of(route)});
    for (auto& annotation : sources.annotations)
        events.push_back({.at_us = annotation.at_us,
                          .kind = "annotation",
                          .until_us = annotation.until_us,
                          .text = annotation.text,
                          .actor = annotation.author,
                          .annotation = annotation});
    std::ranges::sort(events, {}, [](const Event& event) { return std::tuple(event.at_us, event.kind); });
    return events;
}

void write_event(JsonWriter& json, const Event& event)
{
    json.object()
        .field("at_us", event.at_us)
        .field("until_us", event.until_us)
        .field("kind", event.kind)
        .field("text", event.text)
        .field("actor", event.actor)
        .key("detail")
        .raw(event.detail)
        .key("annotation");
    if (event.annotation) write_annotation(json, *event.annotation);
    else json.null();
    json.end_object();
}

}  // namespace

Task<Reply> list_probe_events(Services& services, Call& call)
{
    NW_CO_TRY(const auto of, co_await probe_of(services, call));
    NW_CO_TRY(const auto range, range_of(call));
    NW_CO_TRY(auto sources, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return read_sources(tx, call.workspace.id, of.probe, range);
    }));
    const bool truncated = sources.truncated();
    JsonWriter json;
    json.object().key("items").array();
    for (const auto& event : events_of(std::move(sources), range)) write_event(json, event);
    json.end_array().field("truncated", truncated).end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
