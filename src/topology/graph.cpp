#include "topology/graph.hpp"

#include "topology/contributor.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <set>

namespace nw::topology {
namespace {

constexpr std::size_t kGoneMax = 20'000;

std::uint64_t both_ends(std::uint32_t source, std::uint32_t target) { return std::uint64_t{source} << 32 | target; }

void count_distance(std::vector<std::pair<std::uint8_t, std::uint32_t>>& distances, std::uint8_t distance, std::int64_t sign)
{
    const auto place = std::ranges::lower_bound(distances, distance, {}, &std::pair<std::uint8_t, std::uint32_t>::first);
    if (place != distances.end() && place->first == distance) {
        place->second += std::uint32_t(sign);
        if (place->second == 0) distances.erase(place);
    } else if (sign > 0) {
        distances.insert(place, {distance, 1});
    }
}

}  // namespace

void Traffic::add(const Traffic& other, std::int64_t sign)
{
    sent += sign * other.sent;
    received += sign * other.received;
    forwarding_lost_ppm += sign * other.forwarding_lost_ppm;
    delay_sum_us += sign * other.delay_sum_us;
    delay_count += sign * other.delay_count;
}

std::optional<double> Traffic::forwarding_loss_ratio() const
{
    if (sent <= 0) return std::nullopt;
    return std::clamp(double(forwarding_lost_ppm) / 1e6 / double(sent), 0.0, 1.0);
}

std::int64_t Traffic::forwarding_lost() const { return (forwarding_lost_ppm + 500'000) / 1'000'000; }

std::optional<double> Traffic::delay_mean_us() const
{
    if (delay_count <= 0) return std::nullopt;
    return double(delay_sum_us) / double(delay_count);
}

void Behaviour::add(const Behaviour& other, std::int64_t sign)
{
    for (std::size_t i = 0; i < missing.size(); ++i) missing[i] += sign * other.missing[i];
    limit_sum_m += sign * other.limit_sum_m;
    limits += sign * other.limits;
    labelled += sign * other.labelled;
}

HopVerdict Behaviour::verdict() const
{
    const auto worst = std::ranges::max_element(missing);
    return *worst <= 0 ? HopVerdict::None : HopVerdict(worst - missing.begin());
}

std::optional<double> Behaviour::limit_per_second() const
{
    if (limits <= 0) return std::nullopt;
    return double(limit_sum_m) / 1e3 / double(limits);
}

std::uint32_t Node::rank() const
{
    std::uint32_t all = 0;
    for (const auto& [distance, count] : distances) all += count;
    std::uint32_t seen = 0;
    for (const auto& [distance, count] : distances) {
        seen += count;
        if (seen * 2 >= all) return distance;
    }
    return 0;
}

std::optional<double> Edge::delay_us() const
{
    const auto from = near.delay_mean_us(), to = far.delay_mean_us();
    if (!from || !to) return std::nullopt;
    return *to - *from;
}

std::optional<double> Edge::loss_ratio() const
{
    const auto from = near.forwarding_loss_ratio(), to = far.forwarding_loss_ratio();
    if (!from || !to) return std::nullopt;
    if (*from >= 1) return 0;
    return std::max(0.0, 1 - (1 - *to) / (1 - *from));
}

const Node* Graph::find_node(std::string_view id) const
{
    const auto found = node_ids_.find(std::string(id));
    return found == node_ids_.end() ? nullptr : &nodes_[found->second].node;
}

const Edge* Graph::find_edge(std::string_view source, std::string_view target) const
{
    const auto from = node_ids_.find(std::string(source)), to = node_ids_.find(std::string(target));
    if (from == node_ids_.end() || to == node_ids_.end()) return nullptr;
    const auto found = edge_ids_.find(both_ends(from->second, to->second));
    return found == edge_ids_.end() ? nullptr : &edges_[found->second].edge;
}

std::uint32_t Graph::node_slot(const std::string& id, NodeKind kind)
{
    if (const auto known = node_ids_.find(id); known != node_ids_.end()) return known->second;
    std::uint32_t index = 0;
    if (free_nodes_.empty()) {
        index = std::uint32_t(nodes_.size());
        nodes_.emplace_back();
    } else {
        index = free_nodes_.back();
        free_nodes_.pop_back();
    }
    nodes_[index] = {.node = {.id = id, .kind = kind}};
    node_ids_.emplace(id, index);
    return index;
}

std::uint32_t Graph::edge_slot(std::uint32_t source, std::uint32_t target)
{
    const auto [known, fresh] = edge_ids_.try_emplace(both_ends(source, target));
    if (!fresh) return known->second;
    std::uint32_t index = 0;
    if (free_edges_.empty()) {
        index = std::uint32_t(edges_.size());
        edges_.emplace_back();
    } else {
        index = free_edges_.back();
        free_edges_.pop_back();
    }
    known->second = index;
    edges_[index] = {
        .edge = {.id = nodes_[source].node.id + ">" + nodes_[target].node.id, .source = source, .target = target}};
    return index;
}

void Graph::apply(const NodePart& part, std::int64_t sign)
{
    auto& slot = nodes_[part.node];
    slot.uses += std::uint32_t(sign);
    slot.changed = generation_;
    slot.node.paths += std::uint32_t(sign) * part.paths;
    slot.node.traffic.add(part.traffic, sign);
    slot.node.behaviour.add(part.behaviour, sign);
    count_distance(slot.node.distances, part.distance, sign);
}

void Graph::apply(const EdgePart& part, std::int64_t sign)
{
    auto& slot = edges_[part.edge];
    slot.uses += std::uint32_t(sign);
    slot.changed = generation_;
    slot.edge.paths += std::uint32_t(sign) * part.paths;
    slot.edge.share_ppm += sign * part.share_ppm;
    slot.edge.near.add(part.near, sign);
    slot.edge.far.add(part.far, sign);
    // The shares of all others from there are other ones now.
    nodes_[slot.edge.source].out_changed = generation_;
    nodes_[slot.edge.source].node.out_ppm += sign * part.share_ppm;
}

void Graph::apply(const Contribution& parts, std::int64_t sign)
{
    for (const auto& part : parts.nodes) apply(part, sign);
    for (const auto& part : parts.edges) apply(part, sign);
}

void Graph::note_gone(What what, std::string id, ProbeId probe)
{
    gone_.push_back({generation_, what, std::move(id), probe});
    if (gone_.size() <= kGoneMax) return;
    forgotten_ = gone_.front().generation;
    gone_.pop_front();
}

void Graph::drop_unused(const Contribution& parts)
{
    for (const auto& part : parts.edges) {
        auto& slot = edges_[part.edge];
        if (slot.uses > 0 || !edge_ids_.erase(both_ends(slot.edge.source, slot.edge.target))) continue;
        note_gone(What::Edge, std::move(slot.edge.id), {});
        slot = {};
        free_edges_.push_back(part.edge);
    }
    for (const auto& part : parts.nodes) {
        auto& slot = nodes_[part.node];
        if (slot.uses > 0 || !node_ids_.erase(slot.node.id)) continue;
        note_gone(What::Node, std::move(slot.node.id), {});
        slot = {};
        free_nodes_.push_back(part.node);
    }
}

void Graph::replace(ProbeId probe, const ProbeEnds& ends, const PathSet& set)
{
    if (set.runs == 0) {
        remove(probe);
        return;
    }
    ++generation_;
    Contribution fresh{.ends = ends, .refused = true};
    const bool full = node_ids_.size() + set.hops.size() + set.paths.size() > kNodesMax;
    if (!full) fresh = Contributor(*this, ends, set).make();
    fresh.changed = generation_;
    // The new parts first, so that what stays is never gone in between.
    apply(fresh, 1);
    auto& mine = probes_[probe];
    apply(mine, -1);
    refused_ += fresh.refused;
    refused_ -= mine.refused;
    const auto before = std::exchange(mine, std::move(fresh));
    drop_unused(before);
}

void Graph::remove(ProbeId probe)
{
    const auto found = probes_.find(probe);
    if (found == probes_.end()) return;
    ++generation_;
    const auto before = std::move(found->second);
    probes_.erase(found);
    apply(before, -1);
    refused_ -= before.refused;
    drop_unused(before);
    note_gone(What::Probe, {}, probe);
}

const Node* Graph::node(std::uint32_t index) const
{
    return index < nodes_.size() && nodes_[index].uses > 0 ? &nodes_[index].node : nullptr;
}

const Edge* Graph::edge(std::uint32_t index) const
{
    return index < edges_.size() && edges_[index].uses > 0 ? &edges_[index].edge : nullptr;
}

std::vector<std::uint32_t> Graph::nodes() const
{
    std::vector<std::uint32_t> all;
    all.reserve(node_ids_.size());
    for (std::uint32_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].uses > 0) all.push_back(i);
    std::ranges::sort(all, {}, [&](std::uint32_t i) -> const std::string& { return nodes_[i].node.id; });
    return all;
}

std::vector<std::uint32_t> Graph::edges() const
{
    std::vector<std::uint32_t> all;
    all.reserve(edge_ids_.size());
    for (std::uint32_t i = 0; i < edges_.size(); ++i)
        if (edges_[i].uses > 0) all.push_back(i);
    std::ranges::sort(all, {}, [&](std::uint32_t i) -> const std::string& { return edges_[i].edge.id; });
    return all;
}

std::vector<ProbeId> Graph::probes() const
{
    std::vector<ProbeId> all;
    all.reserve(probes_.size());
    for (const auto& [probe, parts] : probes_) all.push_back(probe);
    return all;
}

std::span<const ProbePath> Graph::paths_of(ProbeId probe) const
{
    const auto found = probes_.find(probe);
    return found == probes_.end() ? std::span<const ProbePath>() : std::span<const ProbePath>(found->second.paths);
}

const ProbeEnds* Graph::ends_of(ProbeId probe) const
{
    const auto found = probes_.find(probe);
    return found == probes_.end() ? nullptr : &found->second.ends;
}

std::optional<Change> Graph::changes_since(std::uint64_t generation) const
{
    if (generation < forgotten_ || generation > generation_) return std::nullopt;
    Change change;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].uses > 0 && nodes_[i].changed > generation) change.nodes.push_back(i);
    for (std::uint32_t i = 0; i < edges_.size(); ++i) {
        const auto& slot = edges_[i];
        if (slot.uses > 0 && std::max(slot.changed, nodes_[slot.edge.source].out_changed) > generation)
            change.edges.push_back(i);
    }
    for (const auto& [probe, parts] : probes_)
        if (parts.changed > generation) change.probes.push_back(probe);
    for (auto gone = gone_.rbegin(); gone != gone_.rend() && gone->generation > generation; ++gone) {
        // What has come back meanwhile is among what changed.
        if (gone->what == What::Probe && !probes_.contains(gone->probe)) change.probes.push_back(gone->probe);
        if (gone->what == What::Node && !node_ids_.contains(gone->id)) change.nodes_gone.push_back(gone->id);
        if (gone->what == What::Edge) change.edges_gone.push_back(gone->id);
    }
    std::set<std::string_view> back;
    for (const auto i : change.edges) back.insert(edges_[i].edge.id);
    std::erase_if(change.edges_gone, [&](const std::string& id) { return back.contains(id); });
    return change;
}

}  // namespace nw::topology
