#include "probe/path/mda.hpp"

#include <algorithm>
#include <utility>

// What an exploration has found, and the few flows that pass all of it.
namespace nw::probe::path {

Exploration Explorer::result() const
{
    Exploration result{
        .links = links(), .probes = probes_, .complete = finished_ && !limited_ && !incomplete_, .alpha = settings_.alpha};
    for (const auto& node : hops_[1].nodes) result.nodes.insert(node);
    for (const auto& link : result.links)
        for (const auto& node : {link.from, link.to})
            if (node.address) result.nodes.insert(node);
    pin(result);
    return result;
}

std::vector<Branching> branchings(const Exploration& found)
{
    std::vector<Branching> branchings;
    for (const auto& link : found.links) {  // in the order of where they come from
        if (branchings.empty() || branchings.back().node != link.from) branchings.push_back({.node = link.from});
        ++branchings.back().successors;
    }
    std::erase_if(branchings, [](const Branching& branching) { return branching.successors < 2; });
    return branchings;
}

std::optional<PathNode> Explorer::presumed_node(std::uint16_t flow, std::uint8_t ttl) const
{
    const auto& hop = hops_[ttl];
    if (hop.nodes.size() == 1 && !hop.flows.contains(flow)) return hop.nodes.front();
    return node_of(flow, ttl);
}

std::set<PathLink> Explorer::links_of(std::uint16_t flow, const std::set<PathLink>& among) const
{
    std::set<PathLink> passed;
    for (std::uint8_t ttl = 2; ttl <= settings_.hops_max; ++ttl) {
        const auto from = presumed_node(flow, std::uint8_t(ttl - 1));
        const auto to = presumed_node(flow, ttl);
        if (from && to && among.contains({*from, *to})) passed.insert({*from, *to});
    }
    return passed;
}

// Greedily: the flow that passes most links not passed yet, until all are. Flows that were pinned before come first
// among equals, and keep their order: what is known of them stays of use.
void Explorer::pin(Exploration& result) const
{
    std::vector<std::uint16_t> candidates;
    for (const auto flow : settings_.preferred)
        if (flow < flows_) candidates.push_back(flow);
    for (std::uint16_t flow = 0; flow < flows_; ++flow)
        if (std::ranges::find(candidates, flow) == candidates.end()) candidates.push_back(flow);
    auto left = result.links;
    while (!left.empty() && result.flows.size() < settings_.pinned_max) {
        std::uint16_t best = 0;
        std::set<PathLink> passed_by_best;
        for (const auto flow : candidates) {
            auto passed = links_of(flow, left);
            if (passed.size() <= passed_by_best.size()) continue;
            best = flow;
            passed_by_best = std::move(passed);
        }
        if (passed_by_best.empty()) break;
        result.flows.push_back(best);
        for (const auto& link : passed_by_best) left.erase(link);
    }
    if (result.flows.empty()) result.flows.push_back(0);
    std::ranges::sort(result.flows, {}, [&](std::uint16_t flow) { return std::ranges::find(candidates, flow); });
    result.covered = left.empty();
}

}  // namespace nw::probe::path
