// A workspace of a thousand routers: what a new run costs until it is on the map and looked at for route changes, and
// what a whole answer costs. Beside both, in the same run: drawing the map anew from all runs.
#include "api/topology_view.hpp"
#include "atlas/recent_runs.hpp"
#include "topology/graph.hpp"
#include "topology/route_tracker.hpp"
#include "topology/testing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

namespace {

using namespace nw;
using topology::testing::FakeFlow;

constexpr std::uint32_t kAgents = 40;
constexpr std::uint32_t kTargets = 25;
constexpr std::uint32_t kStages = 10;
constexpr std::uint32_t kRoutersPerStage = 95;
constexpr std::uint32_t kBranches = 4;
constexpr std::int64_t kMinute = 60'000'000;
constexpr int kUpdates = 4'000;

// CPU time of this thread: others on the machine do not count.
double cpu_us()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e6 + double(now.tv_nsec) / 1e3;
}

struct Probe {
    ProbeId id{};
    topology::ProbeEnds ends{};
    std::vector<FakeFlow> flows{};
    atlas::RecentRuns recent{};
    topology::RouteTracker tracker{};
};

// A chain of routers, each with three that follow, of which a few in the middle are load-balanced. One in 17 is silent.
Probe make_probe(std::uint32_t agent, std::uint32_t target, Random& random)
{
    Probe probe{.id = ProbeId{1 + agent * kTargets + target}};
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

double share_of(std::vector<double>& values, double share)
{
    std::ranges::sort(values);
    return values[std::size_t(double(values.size() - 1) * share)];
}

}  // namespace

int main()
{
    SeededRandom random(1);
    std::vector<Probe> probes;
    for (std::uint32_t agent = 0; agent < kAgents; ++agent)
        for (std::uint32_t target = 0; target < kTargets; ++target) probes.push_back(make_probe(agent, target, random));
    topology::Graph graph;
    std::int64_t now = kMinute;
    const auto take = [&](Probe& probe) {
        const auto run = topology::testing::run_through(now, probe.flows);
        const auto start = cpu_us();
        probe.recent.add(run);
        (void)probe.tracker.add(run);
        graph.replace(probe.id, probe.ends, probe.recent.merged());
        return cpu_us() - start;
    };
    for (int round = 0; round < int(atlas::kRunsKept); ++round, now += kMinute)
        for (auto& probe : probes) take(probe);
    std::vector<double> updates;
    for (int i = 0; i < kUpdates; ++i, now += kMinute / std::int64_t(probes.size()))
        updates.push_back(take(probes[std::size_t(i) % probes.size()]));

    std::vector<double> answers, rebuilds;
    std::size_t bytes = 0;
    for (int i = 0; i < 20; ++i) {
        const auto start = cpu_us();
        bytes = api::topology_json(&graph, {.generation = "m.1", .live = true}, {}).size();
        answers.push_back(cpu_us() - start);
    }
    for (int i = 0; i < 3; ++i) {
        const auto start = cpu_us();
        topology::Graph fresh;
        for (const auto& probe : probes) fresh.replace(probe.id, probe.ends, probe.recent.merged());
        rebuilds.push_back(cpu_us() - start);
    }
    const auto rebuild = share_of(rebuilds, 0.5);
    fmt::print("{} probes of up to {} paths, {} nodes, {} edges, {} runs of each kept\n", probes.size(), kBranches,
               graph.node_count(), graph.edge_count(), probes.front().recent.size());
    fmt::print("a new run:  median {:.0f} us, p99 {:.0f} us (drawing all anew: {:.0f} ms, {:.0f} x as long)\n",
               share_of(updates, 0.5), share_of(updates, 0.99), rebuild / 1e3, rebuild / share_of(updates, 0.5));
    fmt::print("an answer:  median {:.1f} ms, p95 {:.1f} ms, {} kB (ratio to drawing anew {:.3f})\n",
               share_of(answers, 0.5) / 1e3, share_of(answers, 0.95) / 1e3, bytes / 1'000, share_of(answers, 0.5) / rebuild);
    return 0;
}
