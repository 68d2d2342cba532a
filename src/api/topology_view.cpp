#include "api/topology_view.hpp"

#include "api/path_view.hpp"
#include "api/probe_view.hpp"

#include <algorithm>
#include <cmath>

namespace nw::api {
namespace {

using topology::Edge;
using topology::Graph;
using topology::Node;
using topology::NodeKind;

quality::Grade grade_of(const Graph& graph, const Edge& edge, const quality::GradeThresholds& thresholds)
{
    const bool silent =
        graph.node(edge.source)->kind == NodeKind::Anonymous || graph.node(edge.target)->kind == NodeKind::Anonymous;
    return silent ? quality::Grade::Unknown : api::grade_of(edge, thresholds);
}

quality::Grade grade_of(const topology::ProbePath& path, const quality::GradeThresholds& thresholds)
{
    return quality::grade({.sent = path.sent,
                           .lost = path.sent - path.received,
                           .delays = std::uint64_t(path.delay.count),
                           .delay_us = path.delay.mean_us(),
                           .jitter_us = path.delay.jitter_us()},
                          thresholds)
        .grade;
}

void write_agent_members(JsonWriter& json, const store::Agent* agent)
{
    json.field("site", agent ? std::optional(agent->site) : std::nullopt).key("labels");
    if (!agent) {
        json.null();
        return;
    }
    json.array();
    for (const auto& label : agent->labels) json.text(label);
    json.end_array();
}

std::string name_of(const Node& node, const store::Agent* agent, const std::string& address)
{
    if (agent) return agent->name;
    if (node.kind == NodeKind::Target && !node.name.empty()) return node.name;
    return shown_name(node.name).value_or(address);
}

void write_node(JsonWriter& json, const Node& node, const MapContext& context)
{
    const auto found = node.agent ? context.agents.find(*node.agent) : context.agents.end();
    const auto* agent = found == context.agents.end() ? nullptr : &found->second;
    const auto address = node.address.empty() ? std::string() : ip_text(node.address);
    json.object()
        .field("id", node.id)
        .field("kind", topology::name_of(node.kind))
        .field("address", address.empty() ? std::nullopt : std::optional(address))
        .key("addresses")
        .array();
    if (!address.empty()) json.text(address);
    json.end_array().field("name", name_of(node, agent, address));
    write_agent_members(json, agent);
    const auto graded = api::grade_of(node, context.thresholds);
    const auto verdict = node.behaviour.verdict();
    json.field("asn", node.asn).key("geo").null();
    json.field("rank", node.rank())
        .field("agent", node.agent ? std::optional(to_text(*node.agent)) : std::nullopt)
        .field("grade", quality::name_of(graded.grade))
        .field("reason", shown_reason(graded))
        .field("forwarding_loss_ratio", node.traffic.forwarding_loss_ratio())
        .field("rtt_mean_us", node.traffic.delay_mean_us())
        .field("verdict", kHopVerdictNames[std::size_t(verdict)])
        .field("limit_per_second", verdict == HopVerdict::RateLimited ? node.behaviour.limit_per_second() : std::nullopt)
        .field("mpls", node.behaviour.labelled > 0)
        .field("paths", node.paths)
        .field("seen_us", node.seen_us)
        .end_object();
}

void write_edge(JsonWriter& json, const Graph& graph, const Edge& edge, const MapContext& context)
{
    const auto& source = *graph.node(edge.source);
    json.object()
        .field("id", edge.id)
        .field("source", source.id)
        .field("target", graph.node(edge.target)->id)
        .field("paths", edge.paths)
        .field("share", source.out_ppm <= 0 ? 0.0 : double(edge.share_ppm) / double(source.out_ppm))
        .field("delay_us", edge.delay_us())
        .field("loss_ratio", edge.loss_ratio())
        .field("grade", quality::name_of(grade_of(graph, edge, context.thresholds)))
        .end_object();
}

void write_paths(JsonWriter& json, const Graph& graph, ProbeId probe, const MapContext& context)
{
    const auto* ends = graph.ends_of(probe);
    for (const auto& path : graph.paths_of(probe)) {
        json.object()
            .field("probe", to_text(probe))
            .field("agent", graph.node(path.nodes.front())->id)
            .field("target", graph.node(path.nodes.back())->id)
            .field("protocol", ends->protocol)
            .key("nodes")
            .array();
        for (const auto node : path.nodes) json.text(graph.node(node)->id);
        const auto lost = path.sent - path.received;
        json.end_array()
            .field("share", path.share)
            .field("grade", quality::name_of(grade_of(path, context.thresholds)))
            .field("loss_ratio", path.sent <= 0 ? std::nullopt : std::optional(double(lost) / double(path.sent)))
            .field("rtt_mean_us", path.delay.mean_us())
            .field("seen_us", path.seen_us)
            .end_object();
    }
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts)
{
    json.key(name).array();
    for (const auto& text : texts) json.text(text);
    json.end_array();
}

}  // namespace

quality::Graded grade_of(const Node& node, const quality::GradeThresholds& thresholds)
{
    if (node.kind == NodeKind::Anonymous) return {quality::Grade::Unknown, "no reply"};
    if (node.kind == NodeKind::Agent) return {quality::Grade::Unknown, "agents are not graded"};
    const bool target = node.kind == NodeKind::Target;
    return quality::grade({.what = target ? "loss" : "forwarding loss",
                           .sent = node.traffic.sent,
                           .lost = node.traffic.forwarding_lost(),
                           .delays = target ? std::uint64_t(node.traffic.delay_count) : 0,
                           .delay_us = node.traffic.delay_mean_us()},
                          thresholds);
}

quality::Grade grade_of(const topology::Edge& edge, const quality::GradeThresholds& thresholds)
{
    const auto ratio = edge.loss_ratio();
    if (!ratio) return quality::Grade::Unknown;
    return quality::grade(
               {.what = "forwarding loss", .sent = edge.far.sent, .lost = std::llround(*ratio * double(edge.far.sent))},
               thresholds)
        .grade;
}

std::string topology_json(const Graph* graph, const MapSpan& span, const MapContext& context)
{
    JsonWriter json;
    json.object()
        .field("generation", span.generation)
        .field("at_us", span.at_us)
        .field("from_us", span.from_us)
        .field("until_us", span.until_us)
        .field("live", span.live)
        .field("truncated", span.truncated || (graph && graph->truncated()))
        .key("nodes")
        .array();
    if (graph)
        for (const auto node : graph->nodes()) write_node(json, *graph->node(node), context);
    json.end_array().key("edges").array();
    if (graph)
        for (const auto edge : graph->edges()) write_edge(json, *graph, *graph->edge(edge), context);
    json.end_array().key("paths").array();
    if (graph)
        for (const auto probe : graph->probes()) write_paths(json, *graph, probe, context);
    json.end_array().end_object();
    return std::move(json).str();
}

std::string topology_event(const Graph& graph, const topology::Change& change, std::string_view previous,
                           std::string_view generation, const MapContext& context)
{
    JsonWriter json;
    json.object().field("type", "topology").field("generation", generation).field("previous", previous).key("nodes").array();
    for (const auto node : change.nodes) write_node(json, *graph.node(node), context);
    json.end_array().key("edges").array();
    for (const auto edge : change.edges) write_edge(json, graph, *graph.edge(edge), context);
    json.end_array().key("paths").array();
    for (const auto probe : change.probes) write_paths(json, graph, probe, context);
    json.end_array().key("removed").object();
    write_texts(json, "nodes", change.nodes_gone);
    write_texts(json, "edges", change.edges_gone);
    json.key("paths").array();
    for (const auto probe : change.probes) json.text(to_text(probe));
    json.end_array().end_object().end_object();
    return std::move(json).str();
}

}  // namespace nw::api
