#include "topology/graph.hpp"

#include "base/testing.hpp"
#include "topology/testing.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace nw::topology {
namespace {

using testing::FakeFlow;
using testing::FakeHop;
using testing::run_through;
using testing::v4;

FakeHop silent() { return {.received = 0, .verdict = HopVerdict::Silent}; }

PathSet set_of(const std::vector<FakeFlow>& flows, std::int64_t at_us = 1)
{
    return merge(std::vector{run_through(at_us, flows)});
}

const Node& node(const Graph& graph, const std::string& id)
{
    for (const auto index : graph.nodes())
        if (graph.node(index)->id == id) return *graph.node(index);
    FAIL("no node " << id);
    std::abort();
}

std::vector<std::string> node_ids(const Graph& graph)
{
    std::vector<std::string> ids;
    for (const auto index : graph.nodes()) ids.push_back(graph.node(index)->id);
    return ids;
}

const Edge* edge(const Graph& graph, const std::string& source, const std::string& target)
{
    for (const auto index : graph.edges())
        if (graph.edge(index)->id == source + ">" + target) return graph.edge(index);
    return nullptr;
}

std::size_t silent_nodes(const Graph& graph)
{
    return std::size_t(std::ranges::count_if(node_ids(graph), [](const auto& id) { return id.starts_with("x"); }));
}

std::string node_text(const Node& one)
{
    std::string text = one.id + " " + std::to_string(one.paths) + " " + std::to_string(one.traffic.sent) + " "
                       + std::to_string(one.traffic.received) + " " + std::to_string(one.traffic.forwarding_lost_ppm) + " "
                       + std::to_string(one.traffic.delay_sum_us) + " " + std::to_string(one.rank()) + " "
                       + std::to_string(one.out_ppm) + " " + std::to_string(std::size_t(one.behaviour.verdict()));
    for (const auto& [distance, count] : one.distances) text += " " + std::to_string(distance) + "x" + std::to_string(count);
    return text;
}

std::string edge_text(const Edge& one)
{
    return one.id + " " + std::to_string(one.paths) + " " + std::to_string(one.share_ppm) + " "
           + std::to_string(one.near.sent) + " " + std::to_string(one.far.sent) + " " + std::to_string(one.far.delay_sum_us);
}

std::string path_text(const Graph& graph, ProbeId probe)
{
    std::string text;
    for (const auto& path : graph.paths_of(probe)) {
        for (const auto index : path.nodes) text += graph.node(index)->id + " ";
        text += std::to_string(std::llround(path.share * 1e6)) + ";";
    }
    return text;
}

// What a reader has of the graph.
struct Picture {
    std::map<std::string, std::string> nodes{};
    std::map<std::string, std::string> edges{};
    std::map<ProbeId, std::string> paths{};
    friend bool operator==(const Picture&, const Picture&) = default;
};

Picture picture_of(const Graph& graph)
{
    Picture picture;
    for (const auto i : graph.nodes()) picture.nodes[graph.node(i)->id] = node_text(*graph.node(i));
    for (const auto i : graph.edges()) picture.edges[graph.edge(i)->id] = edge_text(*graph.edge(i));
    for (const auto probe : graph.probes()) picture.paths[probe] = path_text(graph, probe);
    return picture;
}

void apply(Picture& picture, const Graph& graph, const Change& change)
{
    for (const auto& id : change.nodes_gone) picture.nodes.erase(id);
    for (const auto& id : change.edges_gone) picture.edges.erase(id);
    for (const auto i : change.nodes) picture.nodes[graph.node(i)->id] = node_text(*graph.node(i));
    for (const auto i : change.edges) picture.edges[graph.edge(i)->id] = edge_text(*graph.edge(i));
    for (const auto probe : change.probes) {
        picture.paths.erase(probe);
        if (graph.contains(probe)) picture.paths[probe] = path_text(graph, probe);
    }
}

PathSet random_set(Random& random)
{
    std::vector<FakeFlow> flows;
    const auto count = 1 + random.below(3);
    const auto length = 2 + random.below(5);
    for (std::uint64_t f = 0; f < count; ++f) {
        FakeFlow flow;
        for (std::uint64_t ttl = 1; ttl <= length; ++ttl) {
            FakeHop hop{.router = std::uint32_t(ttl * 10 + random.below(3)), .rtt_us = std::int64_t(ttl * 1'000)};
            if (random.below(5) == 0) hop.received = std::uint32_t(random.below(10));
            flow.hops.push_back(hop);
        }
        flow.reached = random.below(6) != 0;
        flow.hops.push_back({.router = 200 + std::uint32_t(length), .received = flow.reached ? 10U : 0U});
        flows.push_back(std::move(flow));
    }
    return set_of(flows);
}

}  // namespace

TEST_CASE("paths of several probes share routers, and every number is the sum over them")
{
    Graph graph;
    graph.replace(ProbeId{1}, {.agent = AgentId{7}, .target_name = "www"},
                  set_of({{{{1}, {2}, {.router = 9, .rtt_us = 3'000}}}}));
    graph.replace(ProbeId{2}, {.agent = AgentId{7}}, set_of({{{{1}, {3}, {.router = 8}}}, {{{1}, {2}, {.router = 8}}}}));
    const auto agent = "a" + to_text(AgentId{7});
    CHECK(node_ids(graph)
          == std::vector<std::string>{agent, "r10.0.0.1", "r10.0.0.2", "r10.0.0.3", "t10.0.0.8", "t10.0.0.9"});
    CHECK(node(graph, agent).kind == NodeKind::Agent);
    CHECK(node(graph, agent).rank() == 0);
    CHECK(node(graph, "r10.0.0.1").paths == 3);
    CHECK(node(graph, "r10.0.0.1").traffic.sent == 30);
    CHECK(node(graph, "r10.0.0.1").rank() == 1);
    CHECK(node(graph, "t10.0.0.9").name == "www");
    CHECK(node(graph, "t10.0.0.9").rank() == 3);
    const auto* to_two = edge(graph, "r10.0.0.1", "r10.0.0.2");
    REQUIRE(to_two);
    CHECK(to_two->paths == 2);
    CHECK(double(to_two->share_ppm) / double(node(graph, "r10.0.0.1").out_ppm) == doctest::Approx(0.75));
    const auto* last = edge(graph, "r10.0.0.2", "t10.0.0.9");
    REQUIRE(last);
    CHECK(*last->delay_us() == doctest::Approx(2'000));
    CHECK(*edge(graph, agent, "r10.0.0.1")->delay_us() == doctest::Approx(1'000));
    CHECK(*last->loss_ratio() == 0);
    graph.remove(ProbeId{1});
    graph.remove(ProbeId{2});
    CHECK(graph.node_count() == 0);
    CHECK(graph.edge_count() == 0);
}

TEST_CASE("silent hops are one node where both neighbours agree")
{
    Graph graph;
    const auto add = [&](std::uint64_t probe, std::vector<FakeHop> hops) {
        graph.replace(ProbeId{probe}, {.agent = AgentId{7}}, set_of({{std::move(hops)}}));
    };
    add(1, {{1}, silent(), {3}, {9}});
    add(2, {{1}, silent(), {3}, {8}});
    CHECK(silent_nodes(graph) == 1);
    add(3, {{1}, silent(), {4}, {8}});
    CHECK(silent_nodes(graph) == 2);
    add(4, {{1}, silent(), silent(), {3}, {8}});
    CHECK(silent_nodes(graph) == 4);
    for (const auto index : graph.nodes())
        if (graph.node(index)->kind == NodeKind::Anonymous) CHECK(!graph.node(index)->traffic.forwarding_loss_ratio());
}

TEST_CASE("a path that was not followed to its target ends there behind something silent, and is all loss")
{
    Graph graph;
    auto run = run_through(1, {{{{1}, {2}, {.received = 0, .verdict = HopVerdict::Filtered}}, false}});
    run.address = v4(9);
    graph.replace(ProbeId{1}, {.agent = AgentId{7}}, merge(std::vector{run}));
    CHECK(silent_nodes(graph) == 1);
    const auto& target = node(graph, "t10.0.0.9");
    CHECK(*target.traffic.forwarding_loss_ratio() == 1);
    CHECK(*node(graph, "r10.0.0.2").traffic.forwarding_loss_ratio() == 0);
    CHECK(graph.paths_of(ProbeId{1})[0].nodes.size() == 5);
    CHECK(edge(graph, "r10.0.0.2", "t10.0.0.9") == nullptr);
}

TEST_CASE("a limiter is no fault and keeps its rate")
{
    Graph graph;
    auto run = run_through(1, {{{{1}, {.router = 2, .received = 2, .verdict = HopVerdict::RateLimited}, {9}}}});
    run.hops[1].limit_per_second = 1.5;
    graph.replace(ProbeId{1}, {.agent = AgentId{7}}, merge(std::vector{run}));
    const auto& limited = node(graph, "r10.0.0.2");
    CHECK(limited.behaviour.verdict() == HopVerdict::RateLimited);
    CHECK(*limited.behaviour.limit_per_second() == doctest::Approx(1.5));
    CHECK(*limited.traffic.forwarding_loss_ratio() == 0);
    CHECK(*edge(graph, "r10.0.0.1", "r10.0.0.2")->loss_ratio() == 0);
}

TEST_CASE("the graph after many changes is the graph of the last contributions, and deltas lead there")
{
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SeededRandom random(seed);
        Graph graph;
        Picture followed;
        std::uint64_t generation = 0;
        std::map<ProbeId, PathSet> last;
        for (int step = 0; step < 300; ++step) {
            const auto probe = ProbeId{1 + random.below(12)};
            if (random.below(5) == 0) {
                graph.remove(probe);
                last.erase(probe);
            } else {
                last[probe] = random_set(random);
                graph.replace(probe, {.agent = AgentId{1 + std::uint64_t(probe) % 3}}, last[probe]);
            }
            if (random.below(4) != 0) continue;
            const auto change = graph.changes_since(generation);
            REQUIRE(change);
            apply(followed, graph, *change);
            generation = graph.generation();
            REQUIRE(followed == picture_of(graph));
        }
        Graph fresh;
        for (const auto& [probe, set] : last) fresh.replace(probe, {.agent = AgentId{1 + std::uint64_t(probe) % 3}}, set);
        CHECK(picture_of(graph) == picture_of(fresh));
    }
}

TEST_CASE("a reader of a generation that never was has to read everything")
{
    Graph graph;
    graph.replace(ProbeId{1}, {.agent = AgentId{7}}, set_of({{{{1}, {9}}}}));
    CHECK(graph.changes_since(0));
    CHECK(graph.changes_since(1)->nodes.empty());
    CHECK(!graph.changes_since(2));
}

TEST_CASE("a graph that is full leaves contributions out and says so")
{
    Graph graph;
    std::uint32_t router = 1'000;
    std::uint64_t probe = 0;
    while (!graph.truncated() && probe < 1'000) {
        FakeFlow flow;
        for (int i = 0; i < 200; ++i) flow.hops.push_back({router++});
        graph.replace(ProbeId{++probe}, {.agent = AgentId{7}}, set_of({flow}));
    }
    CHECK(graph.truncated());
    CHECK(graph.node_count() <= Graph::kNodesMax);
    graph.remove(ProbeId{probe});
    CHECK(!graph.truncated());
}

}  // namespace nw::topology
