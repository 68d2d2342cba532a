// A workspace of a thousand routers: what a new run costs until it is on the map and looked at for route changes, and
// what a whole answer costs. Beside both, in the same run: drawing the map anew from all runs.
#include "network.hpp"

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
constexpr std::int64_t kMinute = 60'000'000;
constexpr int kUpdates = 4'000;

// CPU time of this thread: others on the machine do not count.
double cpu_us()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e6 + double(now.tv_nsec) / 1e3;
}

struct Probe : bench::Traced {
    atlas::RecentRuns recent{};
    topology::RouteTracker tracker{};
};

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
    for (auto& traced : bench::thousand(random)) probes.push_back({std::move(traced)});
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
    fmt::print("{} probes of up to {} paths, {} nodes, {} edges, {} runs of each kept\n", probes.size(), bench::kBranches,
               graph.node_count(), graph.edge_count(), probes.front().recent.size());
    fmt::print("a new run:  median {:.0f} us, p99 {:.0f} us (drawing all anew: {:.0f} ms, {:.0f} x as long)\n",
               share_of(updates, 0.5), share_of(updates, 0.99), rebuild / 1e3, rebuild / share_of(updates, 0.5));
    fmt::print("an answer:  median {:.1f} ms, p95 {:.1f} ms, {} kB (ratio to drawing anew {:.3f})\n",
               share_of(answers, 0.5) / 1e3, share_of(answers, 0.95) / 1e3, bytes / 1'000, share_of(answers, 0.5) / rebuild);
    return 0;
}
