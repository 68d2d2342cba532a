#include "probe/path/mda.hpp"
#include "probe/path/simulation_testing.hpp"

#include <doctest/doctest.h>

namespace nw::probe::path {
namespace {

using simulation::Network;

// All links of the network, as the explorer names them.
std::set<PathLink> links_of(const Network& network)
{
    std::set<PathLink> links;
    std::vector<std::size_t> level{0};
    for (std::uint8_t ttl = 0; !level.empty(); ++ttl) {
        std::set<std::size_t> next;
        for (const auto from : level) {
            for (const auto to : network.nodes[from].next) {
                next.insert(to);
                const auto node = [&](std::size_t index, std::uint8_t at) {
                    const auto& n = network.nodes[index];
                    return PathNode{at, n.silent ? std::nullopt : std::optional(n.address), n.next.empty()};
                };
                if (from != 0) links.insert({node(from, ttl), node(to, std::uint8_t(ttl + 1))});
            }
        }
        level.assign(next.begin(), next.end());
    }
    return links;
}

Exploration explore(Network& network, ExplorerSettings settings = {})
{
    Explorer explorer(settings);
    Nanos now{};
    while (!explorer.done()) {
        for (const auto& probe : explorer.next()) {
            now += Millis(1);
            const auto outcome = network.walk(probe.flow, probe.ttl, now);
            if (outcome.reply) explorer.answered(probe, outcome.reply->responder, outcome.reply->answer == Answer::Arrived);
            else explorer.unanswered(probe);
        }
    }
    return explorer.result();
}

// A path with `diamonds` of random width and length between single routers.
Network random_topology(std::uint64_t seed)
{
    Network network(seed);
    SeededRandom random(seed * 7 + 1);
    auto at = network.chain(0, 1 + random.below(3));
    const auto diamonds = 1 + random.below(3);
    for (std::uint64_t i = 0; i < diamonds; ++i) {
        const auto width = 2 + random.below(5);
        const auto length = 1 + random.below(3);
        std::vector<std::size_t> ends;
        for (std::uint64_t branch = 0; branch < width; ++branch) ends.push_back(network.chain(at, length));
        at = network.add(ends);
        at = network.chain(at, random.below(3));
    }
    network.chain(at, 1);
    return network;
}

}  // namespace

TEST_CASE("the stopping points are those of the published table")
{
    CHECK(stopping_point(1, 0.05) == 6);
    CHECK(stopping_point(2, 0.05) == 11);
    CHECK(stopping_point(3, 0.05) == 16);
    CHECK(stopping_point(4, 0.05) == 21);
    CHECK(stopping_point(1, 0.01) == 8);
}

TEST_CASE("a chain is a chain")
{
    Network network(1);
    network.chain(0, 11);
    const auto found = explore(network);
    CHECK(found.links == links_of(network));
    CHECK(found.nodes.size() == 11);
    CHECK(found.flows.size() == 1);
    CHECK((found.complete && found.covered));
    CHECK(found.probes <= 6 * 11 + 5);
}

TEST_CASE("at the 95 % setting, 95 % of the branches of 200 topologies are found, and none that is not there")
{
    std::size_t there = 0, found_links = 0, whole = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        auto network = random_topology(seed);
        const auto truth = links_of(network);
        const auto found = explore(network);
        for (const auto& link : found.links) REQUIRE(truth.contains(link));
        there += truth.size();
        found_links += found.links.size();
        whole += found.links == truth;
        CHECK((found.complete && found.covered));
    }
    MESSAGE("links found: ", found_links, " of ", there, "; complete: ", whole, " of 200 topologies");
    CHECK(double(found_links) >= 0.95 * double(there));
}

TEST_CASE("where the search before found more, none is missed")
{
    int missed = 0, missed_at_first = 0;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        Network network(seed);
        const auto split = network.chain(0, 2);
        network.chain(network.add({network.chain(split, 1), network.chain(split, 1)}), 1);
        ExplorerSettings settings;
        missed_at_first += explore(network, settings).links.size() < 6;
        settings.before = {{.node = {2, network.nodes[split].address}, .successors = 2}};
        const auto found = explore(network, settings);
        missed += found.links.size() < 6;
        if (found.links.size() == 6) {
            REQUIRE(branchings(found).size() == 1);
            CHECK(branchings(found)[0].node == settings.before[0].node);
            CHECK(branchings(found)[0].successors == 2);
        }
    }
    CHECK(missed_at_first > 4);  // 1 in 32
    CHECK(missed <= 2);          // 1 in 1024
}

TEST_CASE("a nested diamond is found by the flows that lead into it")
{
    std::size_t complete = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Network network(seed);
        const auto before = network.chain(0, 2);
        const auto a = network.add({before}), b = network.add({before});
        const auto a1 = network.add({a}), a2 = network.add({a}), a3 = network.add({a}), b1 = network.add({b});
        const auto merged = network.add({a1, a2, a3, b1});
        network.chain(merged, 2);
        const auto found = explore(network);
        complete += found.links == links_of(network);
        for (const auto& link : found.links) REQUIRE(links_of(network).contains(link));
    }
    MESSAGE("complete: ", complete, " of 100");
    CHECK(complete >= 90);
}

TEST_CASE("branches of different length")
{
    Network network(5);
    const auto before = network.chain(0, 2);
    const auto short_way = network.chain(before, 1);
    const auto long_way = network.chain(before, 3);
    const auto end = network.add({short_way, long_way});
    (void)end;
    const auto found = explore(network);
    CHECK(found.nodes.size() == 8);  // the destination at two distances
    CHECK(found.flows.size() == 2);
}

TEST_CASE("loss is made up for, silence is one node, and no link is invented beside it")
{
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        auto network = random_topology(seed);
        SeededRandom random(seed);
        for (auto& node : network.nodes) node.loss = 0.003;  // some 5 % of the round trips
        network.nodes[1].silent = true;
        const auto found = explore(network);
        for (const auto& link : found.links)
            REQUIRE_MESSAGE(links_of(network).contains(link), "seed ", seed, ": ", int(link.from.ttl), " ",
                            link.from.address ? to_text(*link.from.address) : "*", " ",
                            link.to.address ? to_text(*link.to.address) : "*");
        CHECK(double(found.links.size()) >= 0.8 * double(links_of(network).size()));
    }
}

TEST_CASE("a silent branch beside answering ones is a branch, with what lies behind it")
{
    int complete = 0, seen = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Network network(seed);
        const auto before = network.chain(0, 2);
        const auto a = network.add({before}), b = network.add({before}), c = network.add({before});
        network.nodes[b].silent = true;
        const auto behind_a = network.chain(a, 1), behind_b = network.chain(b, 1), behind_c = network.chain(c, 1);
        network.chain(network.add({behind_a, behind_b, behind_c}), 2);
        const auto found = explore(network);
        const auto truth = links_of(network);
        for (const auto& link : found.links) REQUIRE(truth.contains(link));
        complete += found.links == truth && found.covered;
        seen += std::ranges::any_of(found.links, [](const PathLink& link) { return !link.to.address && link.to.ttl == 3; });
    }
    MESSAGE("silent branch seen: ", seen, ", everything found: ", complete, " of 100");
    CHECK(seen >= 95);
    CHECK(complete >= 90);
}

TEST_CASE("a router that answers little is no silent branch")
{
    for (const double rate : {0.2, 1.0, 5.0, 20.0}) {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            Network network(seed);
            const auto before = network.chain(0, 2);
            const auto a = network.add({before}), b = network.add({before});
            network.chain(network.add({a, b}), 3);
            network.nodes[a].limiter = simulation::Limiter{rate, 6, 6, Nanos(0)};
            network.nodes[b].loss = 0.05;
            const auto found = explore(network);
            for (const auto& link : found.links) REQUIRE(links_of(network).contains(link));
        }
    }
}

TEST_CASE("the lab's diamond takes no more than 1.3 times the probes of scamper")
{
    std::uint32_t worst = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Network network(seed);
        const auto before = network.chain(0, 3);
        const auto a = network.chain(before, 1), b = network.chain(before, 1);
        const auto r5 = network.add({a, b});
        network.chain(r5, 6);
        network.nodes[10].silent = true;
        const auto found = explore(network);
        for (const auto& link : found.links) CHECK(links_of(network).contains(link));
        worst = std::max(worst, found.probes);
    }
    MESSAGE("probes: ", worst);
    CHECK(worst <= 114);  // scamper 20211212: 88
}

TEST_CASE("a wall of silence ends the exploration")
{
    Network network(3);
    network.chain(0, 12);
    for (std::size_t node = 5; node < network.nodes.size(); ++node) network.nodes[node].silent = true;
    const auto found = explore(network);
    CHECK(found.nodes.size() == 4);
    CHECK(found.complete);
    CHECK(found.probes < 150);
}

TEST_CASE("the number of probes is bounded, and what is missing is admitted")
{
    Network network(9);
    auto at = network.chain(0, 1);
    for (int i = 0; i < 4; ++i) {
        std::vector<std::size_t> ends;
        for (int branch = 0; branch < 16; ++branch) ends.push_back(network.add({at}));
        at = network.add(ends);
    }
    network.chain(at, 1);
    const auto found = explore(network, {.probes_max = 200});
    CHECK(found.probes <= 200);
    CHECK(!found.complete);
}

}  // namespace nw::probe::path
