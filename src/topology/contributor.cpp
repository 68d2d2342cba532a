#include "topology/contributor.hpp"

#include "base/digest.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cmath>

namespace nw::topology {
namespace {

std::int64_t ppm(double value) { return std::int64_t(std::llround(value * 1e6)); }

std::string agent_id(AgentId agent) { return "a" + to_text(agent); }

}  // namespace

Graph::Contribution Contributor::make()
{
    made_.ends = ends_;
    for (const auto& link : set_.links) linked_.insert({link.from == Link::kAgent ? kNone : link.from, link.to});
    for (const auto& path : set_.paths) add_path(path);
    for (std::size_t hop = 0; hop < set_.hops.size(); ++hop)
        if (!is_silent(hop) && !is_target(hop)) add_hop(hop);
    add_links();
    return std::move(made_);
}

std::string Contributor::target_id(std::size_t hop) const
{
    const auto& address = hop == kNone ? set_.address : set_.hops[hop].address;
    return address.empty() ? std::string() : "t" + ip_text(address);
}

std::string Contributor::id_of(std::size_t hop) const
{
    return is_target(hop) ? target_id(hop) : "r" + ip_text(set_.hops[hop].address);
}

std::uint32_t Contributor::node_of(std::size_t hop)
{
    const auto& seen = set_.hops[hop];
    const auto index = graph_.node_slot(id_of(hop), is_target(hop) ? NodeKind::Target : NodeKind::Router);
    auto& node = graph_.nodes_[index].node;
    node.seen_us = std::max(node.seen_us, seen.seen_us);
    node.address = seen.address;
    if (is_target(hop)) {
        node.name = ends_.target_name;
    } else {
        if (!seen.newest.name.empty() && node.name != seen.newest.name) node.name = seen.newest.name;
    }
    return index;
}

// Told apart by who is before and behind, and by its place among the silent ones between them.
std::uint32_t Contributor::silent_node(const Path& path, std::size_t place)
{
    auto first = place;
    while (first > 0 && is_silent(path.hops[first - 1])) --first;
    auto end = place + 1;
    while (end < path.hops.size() && is_silent(path.hops[end])) ++end;
    const auto before = first == 0 ? agent_id(ends_.agent) : id_of(path.hops[first - 1]);
    const auto after = end < path.hops.size() ? id_of(path.hops[end]) : target_id(kNone);
    const auto text = before + ">" + after + "#" + std::to_string(place - first) + "/" + std::to_string(end - first);
    const auto index = graph_.node_slot("x" + to_hex(bytes_of(sha256(text))).substr(0, 16), NodeKind::Anonymous);
    auto& node = graph_.nodes_[index].node;
    node.seen_us = std::max(node.seen_us, path.seen_us);
    return index;
}

std::vector<Contributor::Stop> Contributor::stops_of(const Path& path)
{
    const auto agent = graph_.node_slot(agent_id(ends_.agent), NodeKind::Agent);
    auto& node = graph_.nodes_[agent].node;
    node.agent = ends_.agent;
    node.seen_us = std::max(node.seen_us, path.seen_us);
    std::vector<Stop> stops{{.node = agent}};
    for (std::size_t i = 0; i < path.hops.size(); ++i) {
        const auto hop = path.hops[i];
        stops.push_back(
            {.node = is_silent(hop) ? silent_node(path, i) : node_of(hop), .hop = hop, .distance = set_.hops[hop].ttl});
    }
    close(stops, path);
    return stops;
}

// A path that was not followed to its target ends there all the same, behind something that is not known.
void Contributor::close(std::vector<Stop>& stops, const Path& path)
{
    const bool arrived = !path.hops.empty() && is_target(path.hops.back());
    const auto target = target_id(kNone);
    if (arrived || target.empty()) return;
    auto distance = std::uint8_t(std::min<std::size_t>(254, path.hops.size()));
    if (path.hops.empty() || !is_silent(path.hops.back())) {
        const auto before = path.hops.empty() ? agent_id(ends_.agent) : id_of(path.hops.back());
        const auto id = "x" + to_hex(bytes_of(sha256(before + ">" + target + "#end"))).substr(0, 16);
        stops.push_back({.node = graph_.node_slot(id, NodeKind::Anonymous), .distance = ++distance});
    }
    const auto index = graph_.node_slot(target, NodeKind::Target);
    auto& node = graph_.nodes_[index].node;
    node.address = set_.address;
    node.name = ends_.target_name;
    stops.push_back({.node = index, .distance = ++distance});
}

Graph::NodePart& Contributor::node_part(std::uint32_t node, std::uint8_t distance)
{
    const auto [place, fresh] = node_parts_.try_emplace(node, made_.nodes.size());
    if (fresh) made_.nodes.push_back({.node = node, .distance = distance});
    auto& part = made_.nodes[place->second];
    part.distance = std::min(part.distance, distance);
    return part;
}

Graph::EdgePart& Contributor::edge_part(std::uint32_t source, std::uint32_t target)
{
    const auto edge = graph_.edge_slot(source, target);
    const auto [place, fresh] = edge_parts_.try_emplace(edge, made_.edges.size());
    if (fresh) made_.edges.push_back({.edge = edge});
    return made_.edges[place->second];
}

Traffic Contributor::traffic_of(std::size_t hop) const
{
    const auto& seen = set_.hops[hop];
    return {.sent = seen.sent,
            .received = seen.received,
            .forwarding_lost_ppm = ppm(seen.forwarding_loss_ratio * double(seen.sent)),
            .delay_sum_us = seen.delay.sum_us,
            .delay_count = seen.delay.count};
}

void Contributor::add_path(const Path& path)
{
    const auto stops = stops_of(path);
    ProbePath made{
        .share = path.share, .sent = path.sent, .received = path.received, .delay = path.delay, .seen_us = path.seen_us};
    std::set<std::uint32_t> counted;
    for (const auto& stop : stops) {
        made.nodes.push_back(stop.node);
        auto& part = node_part(stop.node, stop.distance);
        if (counted.insert(stop.node).second) ++part.paths;
    }
    for (std::size_t i = 1; i < stops.size(); ++i) connect(stops[i - 1], stops[i], path);
    if (graph_.nodes_[stops.back().node].node.kind == NodeKind::Target) add_target(path, stops.back().node);
    made_.paths.push_back(std::move(made));
}

// What the target did is known per path, with the runs that broke off before it.
void Contributor::add_target(const Path& path, std::uint32_t node)
{
    auto& part = node_part(node, 255);
    const bool arrived = !path.hops.empty() && is_target(path.hops.back());
    const auto* hop = arrived ? &set_.hops[path.hops.back()] : nullptr;
    const bool limited = hop && hop->verdict == HopVerdict::RateLimited;
    const auto lost = path.sent - path.received;
    part.traffic.add(
        {.sent = path.sent,
         .received = path.received,
         .forwarding_lost_ppm = limited ? ppm(hop->forwarding_loss_ratio * double(path.sent)) : lost * 1'000'000,
         .delay_sum_us = path.delay.sum_us,
         .delay_count = path.delay.count},
        1);
    const auto verdict = hop ? hop->verdict : HopVerdict::Filtered;
    part.behaviour.missing[std::size_t(verdict)] += lost;
    graph_.nodes_[node].node.seen_us = std::max(graph_.nodes_[node].node.seen_us, path.seen_us);
}

void Contributor::add_hop(std::size_t hop)
{
    const auto& seen = set_.hops[hop];
    auto& part = node_part(node_of(hop), seen.ttl);
    part.traffic.add(traffic_of(hop), 1);
    auto& behaviour = part.behaviour;
    behaviour.missing[std::size_t(seen.verdict)] += seen.lost();
    if (seen.limit_per_second && seen.verdict == HopVerdict::RateLimited) {
        behaviour.limit_sum_m += std::int64_t(std::llround(*seen.limit_per_second * 1e3));
        ++behaviour.limits;
    }
    behaviour.labelled = std::max<std::int64_t>(behaviour.labelled, !seen.newest.mpls.empty());
}

// Between hops that answered, only what a flow has passed; where something is silent, what the path says.
void Contributor::connect(const Stop& from, const Stop& to, const Path& path)
{
    const auto known = [&](const Stop& stop) { return stop.hop != kNone && !is_silent(stop.hop); };
    const bool from_agent = from.hop == kNone && from.distance == 0;
    if (known(to) && (known(from) || from_agent)) {
        if (linked_.contains({from.hop, to.hop})) ++edge_part(from.node, to.node).paths;
        return;
    }
    auto& part = edge_part(from.node, to.node);
    ++part.paths;
    part.share_ppm += ppm(path.share);
}

void Contributor::add_links()
{
    const auto agent = graph_.node_slot(agent_id(ends_.agent), NodeKind::Agent);
    for (const auto& link : set_.links) {
        const bool from_agent = link.from == Link::kAgent;
        if (is_silent(link.to) || (!from_agent && is_silent(link.from))) continue;
        const auto source = from_agent ? agent : node_of(link.from), target = node_of(link.to);
        node_part(source, from_agent ? 0 : set_.hops[link.from].ttl);
        node_part(target, set_.hops[link.to].ttl);
        auto& part = edge_part(source, target);
        part.share_ppm += ppm(link.share);
        part.far.add(traffic_of(link.to), 1);
        if (from_agent) part.near.add({.sent = part.far.sent, .received = part.far.sent, .delay_count = 1}, 1);
        else part.near.add(traffic_of(link.from), 1);
    }
}

}  // namespace nw::topology
