#include "network.hpp"

#include <fmt/format.h>

namespace nw::bench {
namespace {

using topology::testing::FakeFlow;

constexpr std::uint32_t kStages = 10;
constexpr std::uint32_t kRoutersPerStage = 95;

// A chain of routers, each with three that follow, of which a few in the middle are load-balanced. One in 17 is silent.
Traced make_probe(std::uint32_t agent, std::uint32_t target, Random& random)
{
    Traced probe{.id = ProbeId{1 + agent * kTargets + target}};
    probe.ends = {.agent = AgentId{1 + agent}, .target_name = fmt::format("host{}.example.org", target), .protocol = "icmp"};
    for (std::uint32_t branch = 0; branch < kBranches; ++branch) {
        FakeFlow flow;
        SeededRandom way(agent * kTargets + target);
        auto router = agent % kRoutersPerStage;
        for (std::uint32_t stage = 0; stage < kStages; ++stage) {
            const auto next = way.below(3);
            router = (router * 3 + std::uint32_t(stage == 4 ? (next + branch) % 3 : next)) % kRoutersPerStage;
            flow.hops.push_back({.router = 1'000 + stage * kRoutersPerStage + router,
                                 .received = router % 17 == 0 ? 0U : 10U,
                                 .rtt_us = 1'000 * std::int64_t{stage + 1} + std::int64_t(random.below(200))});
        }
        flow.hops.push_back({.router = 100'000 + target, .rtt_us = 12'000});
        probe.flows.push_back(std::move(flow));
    }
    return probe;
}

}  // namespace

std::vector<Traced> thousand(Random& random)
{
    std::vector<Traced> probes;
    for (std::uint32_t agent = 0; agent < kAgents; ++agent)
        for (std::uint32_t target = 0; target < kTargets; ++target) probes.push_back(make_probe(agent, target, random));
    return probes;
}

}  // namespace nw::bench
