#include "probe/path/mda.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nw::probe::path {
namespace {

constexpr std::uint8_t kAttempts = 4;
// Flow 0 asks so many hops at once, and goes on while the last of them answers.
constexpr std::uint8_t kScoutAtOnce = 12;
constexpr std::uint8_t kScoutStep = 8;
// How often a flow that is never answered at a hop is compared with one that is.
constexpr std::uint8_t kComparisons = 3;

// The chance that n flows, spread evenly over `branches`, leave at least one of them out (inclusion and exclusion).
double chance_to_miss(std::uint32_t branches, std::uint32_t n)
{
    double chance = 0, choose = 1;
    for (std::uint32_t i = 1; i < branches; ++i) {
        choose *= double(branches - i + 1) / i;
        const auto term = choose * std::pow(double(branches - i) / branches, n);
        chance += i % 2 == 1 ? term : -term;
    }
    return chance;
}

}  // namespace

std::uint32_t stopping_point(std::uint32_t found, double alpha)
{
    auto n = found + 1;
    while (chance_to_miss(found + 1, n) > alpha) ++n;
    return n;
}

void Explorer::send(std::uint16_t flow, std::uint8_t ttl, std::vector<Probe>& out)
{
    if (probes_ >= settings_.probes_max) {
        limited_ = true;
        return;
    }
    auto [entry, fresh] = hops_[ttl].flows.try_emplace(flow);
    if (!fresh) {
        entry->second.state = State::OnItsWay;
        ++entry->second.attempts;
    }
    ++probes_;
    ++on_their_way_;
    out.push_back({flow, ttl});
}

// Whether nothing has answered at the hop, and nothing more is tried.
bool Explorer::mute(std::uint8_t ttl) const
{
    const auto& hop = hops_[ttl];
    return hop.nodes.empty() && !hop.flows.empty() && undecided(ttl) == 0;
}

std::size_t Explorer::undecided(std::uint8_t ttl) const
{
    return std::size_t(std::ranges::count_if(hops_[ttl].flows, [](const auto& flow) {
        return flow.second.state == State::OnItsWay || flow.second.state == State::Repeat;
    }));
}

std::uint8_t Explorer::reach_of(std::uint16_t flow) const
{
    for (std::uint8_t ttl = 1; ttl <= settings_.hops_max; ++ttl) {
        const auto found = hops_[ttl].flows.find(flow);
        if (found != hops_[ttl].flows.end() && found->second.state == State::Answered
            && hops_[ttl].nodes[found->second.node].last)
            return ttl;
    }
    return settings_.hops_max;
}

// The first flow goes ahead in stretches, until the destination answers or a whole stretch does not.
void Explorer::scout(std::vector<Probe>& out)
{
    if (reach_ != 0 || scouted_ == settings_.hops_max) return;
    if (scouted_ != 0) {
        bool answering = false;
        for (auto ttl = std::uint8_t(scouted_ - std::min<std::uint8_t>(scouted_, kScoutStep) + 1); ttl <= scouted_; ++ttl) {
            const auto& entry = hops_[ttl].flows.at(0);
            if (entry.state == State::OnItsWay || entry.state == State::Repeat) return;
            answering = answering || entry.state == State::Answered;
        }
        if (!answering) return;
    }
    const auto until = std::uint8_t(std::min<int>(settings_.hops_max, scouted_ == 0 ? kScoutAtOnce : scouted_ + kScoutStep));
    while (scouted_ < until) send(0, ++scouted_, out);
}

// Where a silent branch is known, that is where the flow goes.
void Explorer::give_up(const Hop& hop, Entry& entry, bool beyond)
{
    const auto silent = std::ranges::find_if(hop.nodes, [](const PathNode& node) { return !node.address; });
    entry.state = silent == hop.nodes.end() || beyond ? State::GivenUp : State::Answered;
    if (entry.state == State::Answered) entry.node = std::size_t(silent - hop.nodes.begin());
}

void Explorer::repeat(std::vector<Probe>& out)
{
    for (std::uint8_t ttl = 1; ttl <= settings_.hops_max; ++ttl) {
        auto& hop = hops_[ttl];
        // One after the other: a router that limits its answers has no use for all of them at once.
        bool waiting = std::ranges::any_of(hop.flows, [](const auto& flow) { return flow.second.state == State::OnItsWay; });
        for (auto& [flow, entry] : hop.flows) {
            if (entry.state != State::Repeat) continue;
            // Behind the end there is nothing; where nobody answers, one flow is enough to make sure.
            const bool beyond = reach_ != 0 && ttl > reach_of(flow);
            if (entry.attempts >= kAttempts || beyond || (hop.nodes.empty() && flow != 0)) give_up(hop, entry, beyond);
            else if (!std::exchange(waiting, true)) send(flow, ttl, out);
            if (limited_ && entry.state == State::Repeat) give_up(hop, entry, beyond);
        }
    }
}

std::vector<std::uint16_t> Explorer::flows_through(std::uint8_t ttl, std::size_t node) const
{
    std::vector<std::uint16_t> flows;
    const auto& hop = hops_[ttl];
    const bool single = ttl == 0 || hop.nodes.size() <= 1;
    for (std::uint16_t flow = 0; flow < flows_; ++flow) {
        const auto found = hop.flows.find(flow);
        const bool known = found != hop.flows.end() && found->second.state == State::Answered;
        if (known ? found->second.node == node : single) flows.push_back(flow);
    }
    return flows;
}

// The stopping rule for one node: enough flows through it have been probed one hop further.
double Explorer::alpha_at(std::uint8_t ttl, std::size_t node, std::size_t successors) const
{
    const auto& nodes = hops_[ttl].nodes;
    const auto known = std::ranges::find_if(settings_.before, [&](const Branching& branching) {
        return node < nodes.size() && branching.node == nodes[node] && branching.successors > successors;
    });
    return known == settings_.before.end() ? settings_.alpha : settings_.alpha_fewer;
}

void Explorer::satisfy_node(std::uint8_t ttl, std::size_t node, std::vector<Probe>& out)
{
    const auto through = flows_through(ttl, node);
    auto& further = hops_[ttl + 1U];
    std::set<std::size_t> successors;
    std::uint32_t probed = 0, given_up = 0;
    for (const auto flow : through) {
        const auto found = further.flows.find(flow);
        if (found == further.flows.end()) continue;
        const bool counts = found->second.state != State::GivenUp || further.nodes.empty();
        ++(counts ? probed : given_up);
        if (found->second.state == State::Answered) successors.insert(found->second.node);
    }
    const auto seen = std::max<std::size_t>(successors.size(), 1);
    const auto wanted = stopping_point(std::uint32_t(seen), alpha_at(ttl, node, seen));
    if (given_up >= 2 * wanted) {  // a router that answers next to nothing: no end would come of it
        incomplete_ = true;
        return;
    }
    for (const auto flow : through) {
        if (probed >= wanted) return;
        if (further.flows.contains(flow)) continue;
        send(flow, std::uint8_t(ttl + 1), out);
        ++probed;
    }
    if (probed >= wanted) return;
    // Flows whose node is not known yet may turn out to pass this one.
    if (undecided(ttl) > 0 && hops_[ttl].nodes.size() > 1) return;
    for (auto missing = wanted - probed; missing > 0; --missing) {
        if (flows_ >= settings_.flows_max) {
            limited_ = true;
            return;
        }
        const auto flow = flows_++;
        // At a hop with one node there is no need to ask which one the flow takes.
        send(flow, std::uint8_t(hops_[ttl].nodes.size() > 1 ? ttl : ttl + 1), out);
    }
}

void Explorer::satisfy(std::uint8_t ttl, std::vector<Probe>& out)
{
    const auto& hop = hops_[ttl];
    if (hop.nodes.empty()) {
        // Behind the end of the paths nobody answers either.
        const bool passed = std::ranges::any_of(hop.flows, [&](const auto& flow) { return reach_of(flow.first) > ttl; });
        if (ttl == 0 || (mute(ttl) && passed)) satisfy_node(ttl, 0, out);
        return;
    }
    for (std::size_t node = 0; node < hop.nodes.size() && !limited_; ++node)
        if (!hop.nodes[node].last) satisfy_node(ttl, node, out);
}

std::vector<Explorer::Probe> Explorer::next()
{
    std::vector<Probe> out;
    if (finished_) return out;
    do {
        advance(out);
        if (out.empty() && on_their_way_ == 0) verify(out);
    } while (out.empty() && on_their_way_ == 0 && compare_silence(out));
    finished_ = out.empty() && on_their_way_ == 0;
    return out;
}

void Explorer::advance(std::vector<Probe>& out)
{
    scout(out);
    repeat(out);
    // The others follow once the end is known, or the scout has given up.
    const bool scouting = reach_ == 0 && on_their_way_ != 0;
    if (!scouting) {
        std::uint8_t furthest = 0;
        for (std::uint8_t ttl = 1; ttl <= settings_.hops_max; ++ttl)
            if (!hops_[ttl].nodes.empty()) furthest = ttl;
        for (std::uint8_t ttl = 0; ttl < furthest && !limited_; ++ttl) satisfy(ttl, out);
    }
}

void Explorer::answered(Probe probe, const packet::Address& responder, bool last)
{
    auto& hop = hops_[probe.ttl];
    auto& entry = hop.flows.at(probe.flow);
    NW_ASSERT(entry.state == State::OnItsWay && on_their_way_ > 0);
    --on_their_way_;
    if (std::exchange(entry.again, false)) {
        ++(entry.before == State::Answered ? hop.answering_back : hop.silent_back);
        if (entry.before == State::Answered) {
            entry.state = State::Answered;
            return;
        }
    }
    entry.state = State::Answered;
    const PathNode node{probe.ttl, responder, last};
    const auto found = std::ranges::find(hop.nodes, node);
    entry.node = std::size_t(found - hop.nodes.begin());
    if (found == hop.nodes.end()) hop.nodes.push_back(node);
    if (last && (reach_ == 0 || probe.ttl < reach_)) reach_ = probe.ttl;
}

void Explorer::unanswered(Probe probe)
{
    auto& entry = hops_[probe.ttl].flows.at(probe.flow);
    NW_ASSERT(entry.state == State::OnItsWay && on_their_way_ > 0);
    --on_their_way_;
    entry.state = std::exchange(entry.again, false) ? entry.before : State::Repeat;
}

// A flow that is never answered at a hop before its end, where others are.
std::optional<std::uint16_t> Explorer::silent_flow(std::uint8_t ttl) const
{
    for (const auto& [flow, entry] : hops_[ttl].flows)
        if (entry.state == State::GivenUp && ttl < reach_of(flow) && (reach_ == 0 || ttl < reach_)) return flow;
    return std::nullopt;
}

void Explorer::ask_again(std::uint16_t flow, std::uint8_t ttl, std::vector<Probe>& out)
{
    auto& entry = hops_[ttl].flows.at(flow);
    entry.again = true;
    entry.before = std::exchange(entry.state, State::OnItsWay);
    ++probes_;
    ++on_their_way_;
    out.push_back({flow, ttl});
}

// See rule 4. True when a silent branch has been recognised.
bool Explorer::compare_silence(std::vector<Probe>& out)
{
    bool recognised = false;
    for (std::uint8_t ttl = 1; ttl < settings_.hops_max; ++ttl) {
        auto& hop = hops_[ttl];
        const auto silent = hop.judged ? std::nullopt : silent_flow(ttl);
        if (!silent) continue;
        if (hop.compared < kComparisons && probes_ + 1 + hop.nodes.size() <= settings_.probes_max) {
            ++hop.compared;
            ask_again(*silent, ttl, out);
            for (std::size_t node = 0; node < hop.nodes.size(); ++node) {
                const auto known = std::ranges::find_if(hop.flows, [&](const auto& flow) {
                    return flow.second.state == State::Answered && flow.second.node == node;
                });
                if (known == hop.flows.end()) continue;
                ++hop.asked_back;
                ask_again(known->first, ttl, out);
            }
            continue;
        }
        hop.judged = true;
        const bool others_answer = hop.asked_back > 0 && hop.answering_back == hop.asked_back;
        if (hop.compared < kComparisons || !others_answer || hop.silent_back > 0) continue;
        add_silent_node(ttl);
        recognised = true;
    }
    return recognised;
}

void Explorer::add_silent_node(std::uint8_t ttl)
{
    auto& hop = hops_[ttl];
    hop.nodes.push_back({.ttl = ttl});
    for (auto& [flow, entry] : hop.flows) {
        if (entry.state != State::GivenUp || ttl >= reach_of(flow)) continue;
        entry.state = State::Answered;
        entry.node = hop.nodes.size() - 1;
    }
}

// Who has the flow at the hop, as far as it was asked there. At a hop where nothing answers, nobody has it.
std::optional<PathNode> Explorer::node_of(std::uint16_t flow, std::uint8_t ttl) const
{
    const auto& hop = hops_[ttl];
    if (mute(ttl)) return PathNode{ttl, std::nullopt, false};
    const auto found = hop.flows.find(flow);
    if (found == hop.flows.end() || found->second.state != State::Answered) return std::nullopt;
    return hop.nodes[found->second.node];
}

std::set<PathLink> Explorer::links() const
{
    std::set<PathLink> links;
    for (std::uint16_t flow = 0; flow < flows_; ++flow) {
        const auto reach = reach_of(flow);
        for (std::uint8_t ttl = 2; ttl <= reach; ++ttl) {
            if (!hops_[ttl].flows.contains(flow)) continue;
            const auto before = node_of(flow, std::uint8_t(ttl - 1)), node = node_of(flow, ttl);
            if (before && node && !before->last && (node->address || before->address)) links.insert({*before, *node});
        }
    }
    return links;
}

// A flow that found a node behind a hop with a single one has not been asked there. Where it is the only one that knows
// of the link, it is asked now: perhaps the hop has another node after all.
void Explorer::verify(std::vector<Probe>& out)
{
    auto known = links();
    for (std::uint8_t ttl = 2; ttl <= settings_.hops_max && !limited_; ++ttl) {
        const auto& before = hops_[ttl - 1U];
        if (before.nodes.size() != 1 || before.nodes[0].last) continue;
        for (const auto& [flow, entry] : hops_[ttl].flows) {
            if (entry.state != State::Answered || before.flows.contains(flow)) continue;
            const PathLink link{before.nodes[0], hops_[ttl].nodes[entry.node]};
            if (known.insert(link).second) send(flow, std::uint8_t(ttl - 1), out);
        }
    }
}

}  // namespace nw::probe::path
