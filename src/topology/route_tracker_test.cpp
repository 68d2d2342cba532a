#include "topology/route_tracker.hpp"

#include "base/testing.hpp"
#include "topology/testing.hpp"

#include <functional>
#include <map>

namespace nw::topology {
namespace {

using testing::FakeFlow;
using testing::FakeHop;
using testing::run_through;
using testing::sampled;
using testing::v4;

constexpr std::int64_t kMinute = 60'000'000;
constexpr int kDay = 1'440;  // runs

using Network = std::function<std::vector<FakeFlow>(Random&)>;
using Stages = std::vector<std::vector<FakeHop>>;

Network balanced(Stages stages, std::size_t flows)
{
    return [stages = std::move(stages), flows](Random& random) {
        std::vector<FakeFlow> made;
        for (std::size_t i = 0; i < flows; ++i) made.push_back(sampled(stages, random));
        return made;
    };
}

// Per flow: each flow keeps its way.
Network pinned(Stages stages, std::size_t flows, std::uint64_t seed)
{
    SeededRandom random(seed);
    std::vector<FakeFlow> ways;
    for (std::size_t i = 0; i < flows; ++i) ways.push_back(sampled(stages, random));
    return [ways](Random& chance) {
        auto made = ways;
        for (auto& flow : made)
            for (auto& hop : flow.hops)
                if (chance.unit() >= hop.answers) hop.received = 0;
        return made;
    };
}

Stages branches(std::size_t count, std::uint32_t base = 10)
{
    Stages stages{{{1}}, {{2}}, {}, {{3}}, {{4}}};
    for (std::uint32_t i = 0; i < count; ++i) stages[2].push_back({base + i});
    return stages;
}

Stages nested()
{
    Stages stages{{{1}}, {}, {}, {}, {{3}}, {{4}}};
    for (std::uint32_t i = 0; i < 2; ++i) stages[1].push_back({10 + i});
    for (std::uint32_t i = 0; i < 4; ++i) stages[2].push_back({20 + i});
    for (std::uint32_t i = 0; i < 8; ++i) stages[3].push_back({30 + i});
    return stages;
}

struct Day {
    RouteTracker tracker{};
    SeededRandom random;
    std::int64_t now = 0;
    std::vector<RouteChange> changes{};

    explicit Day(std::uint64_t seed) : random(seed) {}
    void go(const Network& network, int runs)
    {
        for (int i = 0; i < runs; ++i) {
            now += kMinute;
            if (auto change = tracker.add(run_through(now, network(random)))) changes.push_back(*std::move(change));
        }
    }
};

std::size_t changes_in_days(const Network& network, std::uint64_t seeds)
{
    std::size_t changes = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        Day day(seed);
        day.go(network, kDay);
        changes += day.changes.size();
    }
    return changes;
}

std::vector<std::string> addresses(const std::vector<HopName>& hops)
{
    std::vector<std::string> found;
    for (const auto& hop : hops) found.push_back(hop.address);
    return found;
}

}  // namespace

TEST_CASE("a day of stable load balancing is no change, however it is sampled")
{
    constexpr std::uint64_t kSeeds = 60;
    for (const std::size_t flows : {1U, 2U, 6U}) {
        CAPTURE(flows);
        for (const std::size_t count : {2U, 3U, 4U, 8U, 16U})
            CHECK(changes_in_days(balanced(branches(count), flows), kSeeds) == 0);
        CHECK(changes_in_days(balanced(nested(), flows), kSeeds) == 0);
    }
}

TEST_CASE("branches of unequal length and weight are no change")
{
    const Network network = [](Random& random) {
        FakeFlow near{{{1}, {10}, {4}}}, far{{{1}, {11}, {12}, {4}}};
        return std::vector<FakeFlow>{random.unit() < 0.9 ? near : far};
    };
    CHECK(changes_in_days(network, 100) == 0);
}

TEST_CASE("routers that answer now and then are no change")
{
    auto stages = branches(4);
    stages[1] = {{.router = 2, .answers = 0.3}};
    stages[2][1].answers = 0.1;
    stages[2][2].answers = 0;
    stages[3] = {{.router = 3, .answers = 0.02}};
    CHECK(changes_in_days(balanced(stages, 1), 60) == 0);
    CHECK(changes_in_days(balanced(stages, 6), 60) == 0);
    for (std::uint64_t seed = 0; seed < 10; ++seed) CHECK(changes_in_days(pinned(stages, 6, seed), 6) == 0);
}

TEST_CASE("a router that falls silent for hours, or begins to answer, is no change")
{
    for (std::uint64_t seed = 1; seed < 40; ++seed) {
        auto loud = branches(2), quiet = branches(2);
        quiet[1][0].answers = quiet[2][1].answers = 0;
        for (const std::size_t flows : {1U, 4U}) {
            Day day(seed);
            day.go(balanced(loud, flows), 500);
            day.go(balanced(quiet, flows), 300);
            day.go(balanced(loud, flows), 500);
            CHECK(day.changes.empty());
            Day other(seed);
            other.go(balanced(quiet, flows), 500);
            other.go(balanced(loud, flows), 500);
            CHECK(other.changes.empty());
        }
    }
}

TEST_CASE("balancing packet by packet is no change")
{
    const Network network = [](Random& random) {
        std::vector<FakeFlow> flows{{{{1}, {10}, {20}, {4}}}};
        for (auto& hop : flows[0].hops)
            if (hop.router == 10 || hop.router == 20) hop.router += std::uint32_t(random.below(4));
        return flows;
    };
    CHECK(changes_in_days(network, 60) == 0);
}

TEST_CASE("a reroute is one change within the confirming runs, and the way back one more")
{
    const Stages before{{{1}}, {{2}}, {{3}}, {{4}}, {{9}}};
    const Stages after{{{1}}, {{5}}, {{6}}, {{7}}, {{8}}, {{9}}};
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Day day(seed);
        day.go(balanced(before, 1), 400);
        const auto first = day.now + kMinute;
        day.go(balanced(after, 1), 3);
        REQUIRE(day.changes.size() == 1);
        const auto change = day.changes.front();
        CHECK(change.at_us == first);
        CHECK(change.confirmed_us == first + 2 * kMinute);
        CHECK(addresses(change.added) == std::vector{v4(5), v4(6), v4(7), v4(8)});
        CHECK(addresses(change.removed) == std::vector{v4(2), v4(3), v4(4)});
        CHECK(change.hops_before == 5);
        CHECK(change.hops_after == 6);
        day.go(balanced(after, 1), 400);
        CHECK(day.changes.size() == 1);
        day.go(balanced(before, 1), 400);
        REQUIRE(day.changes.size() == 2);
        CHECK(agree(day.changes[1].after, change.before));
        CHECK(digest(day.changes[1].after) == digest(change.before));
        CHECK(agree(day.changes[1].before, change.after));
    }
}

// The probes of a run are spread over its interval: some of each flow went the old way, some the new one.
TEST_CASE("a route that changes in the middle of a run is one change, with all that came and all that went")
{
    const Stages before{{{1}}, {{2}}, {{9}}}, after{{{1}}, {{5}}, {{9}}};
    for (const std::size_t flows : {1U, 2U, 6U, 16U}) {
        for (const int runs : {60, 300}) {
            CAPTURE(flows);
            CAPTURE(runs);
            Day day(7);
            day.go(balanced(before, flows), runs);
            const auto straddling = day.now + kMinute;
            const auto old_way = run_through(straddling, balanced(before, flows)(day.random));
            const auto new_way = run_through(straddling, balanced(after, flows)(day.random));
            auto both = old_way;
            both.hops.clear();
            for (std::size_t i = 0; i < old_way.hops.size(); ++i) {
                both.hops.push_back(old_way.hops[i]);
                if (new_way.hops[i].address != old_way.hops[i].address) both.hops.push_back(new_way.hops[i]);
            }
            day.now = straddling;
            REQUIRE_FALSE(day.tracker.add(both));
            day.go(balanced(after, flows), 400);
            REQUIRE(day.changes.size() == 1);
            const auto& change = day.changes[0];
            CHECK(change.at_us == straddling);
            CHECK(change.confirmed_us <= straddling + 3 * kMinute);
            CHECK(addresses(change.added) == std::vector{v4(5)});
            CHECK(addresses(change.removed) == std::vector{v4(2)});
            CHECK_FALSE(agree(change.before, change.after));
        }
    }
}

TEST_CASE("a reroute between load-balanced routes is exactly one change")
{
    std::map<std::size_t, int> found;
    for (const std::size_t flows : {1U, 4U}) {
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
            Day day(seed);
            day.go(balanced(branches(4), flows), 300);
            const auto first = day.now + kMinute;
            day.go(balanced(branches(4, 50), flows), 3);
            ++found[day.changes.size()];
            day.go(balanced(branches(4, 50), flows), 500);
            REQUIRE(day.changes.size() == 1);
            CHECK(day.changes[0].at_us == first);
            CHECK(addresses(day.changes[0].removed) == std::vector{v4(10), v4(11), v4(12), v4(13)});
        }
    }
    CHECK(found[1] == 120);
}

TEST_CASE("a branch that is replaced, added or lost is one change")
{
    const auto go = [](const Stages& before, const Stages& after, std::size_t flows) {
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            CAPTURE(seed);
            Day day(seed);
            day.go(balanced(before, flows), 500);
            CHECK(day.changes.empty());
            day.go(balanced(after, flows), 500);
            CHECK(day.changes.size() == 1);
        }
    };
    auto replaced = branches(2);
    replaced[2][1].router = 40;
    go(branches(2), replaced, 1);
    go(branches(2), replaced, 6);
    go(branches(2), branches(3), 6);
    go(branches(3), branches(2), 6);
    go(branches(3), branches(2), 1);
}

// As a probe that knows all branches measures: a flow for each, until there is none for it.
TEST_CASE("one of two branches that is lost, and comes back, is one change each")
{
    const FakeFlow one{{{1}, {10}, {20}, {4}}}, other{{{1}, {11}, {21}, {4}}};
    const Network single = [&](Random&) { return std::vector{one}; };
    const Network both = [&](Random&) { return std::vector{one, other}; };
    const Network moved = [&](Random&) { return std::vector{one, one}; };  // before the branches are looked for anew
    const std::vector<std::string> branch{v4(11), v4(21)};
    for (const auto& [history, confirmed_by] : {std::pair{25, 12}, {100, 6}, {kDay, 3}}) {
        CAPTURE(history);
        Day day(1);
        day.go(single, 1);  // the first run, before all branches were known
        day.go(both, history);
        const auto lost = day.now + kMinute;
        day.go(moved, 1);
        day.go(single, confirmed_by - 1);
        REQUIRE(day.changes.size() == 1);
        CHECK(day.changes[0].at_us == lost);
        CHECK(addresses(day.changes[0].removed) == branch);
        CHECK(day.changes[0].added.empty());
        day.go(single, 30);
        const auto back = day.now + kMinute;
        day.go(both, 20);
        REQUIRE(day.changes.size() == 2);
        CHECK(day.changes[1].at_us == back);
        CHECK(addresses(day.changes[1].added) == branch);
        CHECK(day.changes[1].removed.empty());
        day.go(both, kDay);
        CHECK(day.changes.size() == 2);
    }
}

// The run in which a branch comes back may see it alone, or be silent where the other one is.
TEST_CASE("a change is dated to the run that first saw the new branch, and names it, whatever that run missed")
{
    const FakeFlow one{{{1}, {10}, {4}}}, other{{{1}, {11}, {4}}};
    const FakeFlow silent{{{1}, {.router = 10, .received = 0}, {4}}};
    const std::vector<std::vector<FakeFlow>> first{{other}, {silent, other}, {other, silent}};
    for (const auto& passing : first) {
        for (const auto runs : {1, 2}) {
            CAPTURE(runs);
            Day day(1);
            day.go([&](Random&) { return std::vector{one, other}; }, 40);
            day.go([&](Random&) { return std::vector{one}; }, 14);
            REQUIRE(day.changes.size() == 1);
            const auto back = day.now + kMinute;
            day.go([&](Random&) { return passing; }, runs);
            day.go([&](Random&) { return std::vector{one, other}; }, 60);
            REQUIRE(day.changes.size() == 2);
            CHECK(day.changes[1].at_us == back);
            CHECK(addresses(day.changes[1].added) == std::vector{v4(11)});
            CHECK(day.changes[1].removed.empty());
        }
    }
}

// Loss in one branch takes some of its runs away from the destination; that is no other route.
TEST_CASE("a branch through which nothing comes any more is no change while its flow still goes there")
{
    const FakeFlow one{{{1}, {10}, {4}}}, other{{{1}, {11}, {4}}};
    const FakeFlow lost{{{1}, {11}, {.router = 4, .received = 0}}, false};
    Day day(1);
    day.go([&](Random&) { return std::vector{one, other}; }, 300);
    day.go([&](Random&) { return std::vector{one, lost}; }, 300);
    day.go([&](Random&) { return std::vector{one, other}; }, 300);
    CHECK(day.changes.empty());
}

TEST_CASE("a run that does not reach the destination changes nothing")
{
    Day day(1);
    const Stages whole{{{1}}, {{2}}, {{3}}, {{4}}};
    day.go(balanced(whole, 1), 200);
    const Network broken = [](Random&) {
        return std::vector<FakeFlow>{{{{1}, {7}, {8}, {.router = 0, .received = 0}}, false}};
    };
    day.go(broken, 200);
    day.go(balanced(whole, 1), 200);
    CHECK(day.changes.empty());
    CHECK(day.tracker.runs() == 400);
}

TEST_CASE("a path that has become shorter behind a silent router is a change")
{
    Day day(1);
    const FakeHop silent{.router = 2, .answers = 0};
    day.go(balanced({{{1}}, {silent}, {{3}}}, 1), 200);
    day.go(balanced({{{1}}, {{3}}}, 1), 3);
    REQUIRE(day.changes.size() == 1);
    CHECK(day.changes[0].hops_before == 3);
    CHECK(day.changes[0].hops_after == 2);
}

TEST_CASE("what comes late changes nothing")
{
    RouteTracker tracker;
    SeededRandom random(1);
    const auto one = balanced({{{1}}, {{2}}, {{9}}}, 1);
    const auto other = balanced({{{1}}, {{3}}, {{9}}}, 1);
    for (int i = 1; i <= 200; ++i) CHECK(!tracker.add(run_through(i * kMinute, one(random))));
    for (int i = 1; i <= 200; ++i) CHECK(!tracker.add(run_through(i * kMinute, other(random))));
    CHECK(tracker.runs() == 200);
}

TEST_CASE("routes know what contradicts them, and are kept as bytes")
{
    Route a, b;
    add(a, 1, v4(1));
    add(a, 3, v4(3));
    add(b, 1, v4(1));
    add(b, 2, v4(2));
    add(b, 3, v4(3));
    CHECK(agree(a, b));
    CHECK(decode_route(encode_route(b)) == b);
    CHECK(decode_route("\xff\xff\xff").hops.empty());
    unite(a, b);
    CHECK(a == b);
    add(b, 3, v4(4));
    CHECK(agree(a, b));
    CHECK(digest(a) != digest(b));
    Route c;
    add(c, 3, v4(4));
    CHECK(!agree(a, c));
    CHECK(missing_in(b, a) == std::vector<HopName>{{.ttl = 3, .address = v4(4)}});
}

}  // namespace nw::topology
