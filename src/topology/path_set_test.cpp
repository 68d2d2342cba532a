#include "topology/path_set.hpp"

#include "base/testing.hpp"
#include "topology/testing.hpp"

#include <algorithm>
#include <set>

namespace nw::topology {
namespace {

using testing::FakeFlow;
using testing::FakeHop;
using testing::run_through;
using testing::v4;

constexpr std::int64_t kMinute = 60'000'000;

FakeHop silent() { return {.received = 0, .verdict = HopVerdict::Silent}; }

std::vector<Run> repeated(const std::vector<FakeFlow>& flows, int runs)
{
    std::vector<Run> made;
    for (int i = 1; i <= runs; ++i) made.push_back(run_through(i * kMinute, flows));
    return made;
}

const Hop& hop(const PathSet& set, std::uint8_t ttl, std::uint32_t router)
{
    const auto found = std::ranges::find_if(
        set.hops, [&](const Hop& one) { return one.ttl == ttl && one.address == (router == 0 ? "" : v4(router)); });
    REQUIRE(found != set.hops.end());
    return *found;
}

std::set<std::pair<std::string, std::string>> links(const PathSet& set)
{
    std::set<std::pair<std::string, std::string>> found;
    const auto name = [&](std::size_t i) { return i == Link::kAgent ? "agent" : ip_text(set.hops[i].address); };
    for (const auto& link : set.links) found.insert({name(link.from), name(link.to)});
    return found;
}

}  // namespace

TEST_CASE("counts are added before ratios are made, delays by their sums")
{
    auto runs = repeated({{{{1}, {2}, {9}}}}, 1);
    runs.push_back(run_through(2 * kMinute, {{{{1}, {.router = 2, .received = 5, .rtt_us = 4'000}, {9}}}}));
    const auto set = merge(runs);
    CHECK(set.runs == 2);
    CHECK(set.first_us == kMinute);
    CHECK(set.last_us == 2 * kMinute);
    CHECK(set.reached == true);
    CHECK(set.address == v4(9));
    const auto& second = hop(set, 2, 2);
    CHECK(second.sent == 20);
    CHECK(second.received == 15);
    CHECK(second.loss_ratio() == doctest::Approx(0.25));
    CHECK(*second.delay.mean_us() == doctest::Approx((10 * 1'000 + 5 * 4'000) / 15.0));
    CHECK(second.delay.min_us == 900);
    CHECK(second.delay.max_us == 4'100);
    CHECK(*second.last_us == doctest::Approx(4'000));
    CHECK(second.recent_us == std::vector<std::optional<double>>{1'000, 4'000});
    CHECK(hop(set, 3, 9).last);
    CHECK(!second.last);
    REQUIRE(set.paths.size() == 1);
    CHECK(set.paths[0].share == doctest::Approx(1));
    CHECK(set.paths[0].sent == 20);
    CHECK(merge({}).runs == 0);
}

TEST_CASE("a diamond is two paths with their shares, and only links that a flow has passed")
{
    const auto set = merge(repeated({{{{1}, {10}, {20}, {9}}}, {{{1}, {11}, {21}, {9}}}, {{{1}, {10}, {20}, {9}}}}, 5));
    CHECK(set.paths.size() == 2);
    CHECK(set.paths_total == 2);
    CHECK(set.paths[0].share == doctest::Approx(2.0 / 3));
    CHECK(hop(set, 1, 1).share == doctest::Approx(1));
    CHECK(hop(set, 2, 11).share == doctest::Approx(1.0 / 3));
    CHECK(links(set)
          == std::set<std::pair<std::string, std::string>>{{"agent", "10.0.0.1"},
                                                           {"10.0.0.1", "10.0.0.10"},
                                                           {"10.0.0.1", "10.0.0.11"},
                                                           {"10.0.0.10", "10.0.0.20"},
                                                           {"10.0.0.11", "10.0.0.21"},
                                                           {"10.0.0.20", "10.0.0.9"},
                                                           {"10.0.0.21", "10.0.0.9"}});
}

TEST_CASE("no link is claimed between two hops that are both balanced packet by packet")
{
    auto run = run_through(
        kMinute, {{{{1}, {.router = 10, .sent = 5, .received = 5}, {.router = 20, .sent = 5, .received = 5}, {9}}}});
    auto second = run.hops;
    for (const auto& one : second) {
        if (one.ttl != 2 && one.ttl != 3) continue;
        auto other = one;
        other.address = v4(one.ttl == 2 ? 11 : 21);
        run.hops.push_back(other);
    }
    std::ranges::sort(run.hops, {}, [](const PathHop& one) { return std::pair(one.ttl, one.address); });
    const auto set = merge(std::vector{run});
    CHECK(hop(set, 2, 10).per_packet);
    CHECK(hop(set, 2, 11).share == doctest::Approx(0.5));
    const auto found = links(set);
    CHECK(found.contains({"10.0.0.1", "10.0.0.11"}));
    CHECK(found.contains({"10.0.0.21", "10.0.0.9"}));
    CHECK(!found.contains({"10.0.0.10", "10.0.0.20"}));
    CHECK(found.size() == 5);
}

TEST_CASE("a run without an answer counts as loss of the router that the flow passes")
{
    auto runs = repeated({{{{1}, {2}, {9}}}}, 9);
    runs.push_back(run_through(10 * kMinute, {{{{1}, silent(), {9}}}}));
    const auto set = merge(runs);
    CHECK(set.paths.size() == 1);
    CHECK(set.hops.size() == 3);
    CHECK(hop(set, 2, 2).sent == 100);
    CHECK(hop(set, 2, 2).received == 90);
    CHECK(hop(set, 2, 2).verdict == HopVerdict::RateLimited);
    CHECK(hop(set, 2, 2).forwarding_loss_ratio == 0);
}

TEST_CASE("a branch whose router never answers is a branch of its own")
{
    const auto set = merge(repeated({{{{1}, {10}, {9}}}, {{{1}, silent(), {9}}}}, 10));
    CHECK(set.paths.size() == 2);
    CHECK(hop(set, 2, 10).loss_ratio() == 0);
    CHECK(hop(set, 2, 10).share == doctest::Approx(0.5));
    CHECK(hop(set, 2, 0).share == doctest::Approx(0.5));
    CHECK(hop(set, 2, 0).verdict == HopVerdict::Silent);
}

TEST_CASE("answers with holes in turn do not make neighbours of routers that were never seen together")
{
    auto runs = repeated({{{{1}, {10}, silent(), {9}}}, {{{1}, silent(), {21}, {9}}}}, 5);
    const auto set = merge(runs);
    CHECK(!links(set).contains({"10.0.0.10", "10.0.0.21"}));
    CHECK(set.paths.size() == 2);
}

TEST_CASE("forwarding loss is what goes on to the end; a limiter has no say")
{
    const auto lossy = [](std::uint32_t router) {
        return FakeHop{.router = router, .sent = 10, .received = 8, .verdict = HopVerdict::Forwarding};
    };
    const FakeHop limited{.router = 3, .sent = 10, .received = 3, .verdict = HopVerdict::RateLimited};
    const auto set = merge(repeated({{{{1}, lossy(2), limited, lossy(4), lossy(9)}}}, 10));
    CHECK(hop(set, 1, 1).forwarding_loss_ratio == 0);
    CHECK(hop(set, 2, 2).forwarding_loss_ratio == doctest::Approx(0.2));
    CHECK(hop(set, 2, 2).verdict == HopVerdict::Forwarding);
    CHECK(hop(set, 3, 3).forwarding_loss_ratio == doctest::Approx(0.2));
    CHECK(hop(set, 3, 3).verdict == HopVerdict::RateLimited);
    CHECK(hop(set, 5, 9).forwarding_loss_ratio == doctest::Approx(0.2));
    // Even when the agent took the limiter for loss.
    auto mistaken = limited;
    mistaken.verdict = HopVerdict::Forwarding;
    const auto other = merge(repeated({{{{1}, mistaken, {4}, {9}}}}, 10));
    CHECK(hop(other, 2, 3).forwarding_loss_ratio == 0);
    CHECK(hop(other, 2, 3).verdict == HopVerdict::RateLimited);
}

TEST_CASE("an outage counts at every hop behind it, though nothing was asked there meanwhile")
{
    auto runs = repeated({{{{1}, {2}, {3}, {4}, {9}}}}, 8);
    for (int i = 9; i <= 10; ++i) {
        const FakeHop gone{.received = 0, .verdict = HopVerdict::Filtered};
        runs.push_back(run_through(i * kMinute, {{{{1}, {2}, gone}, false}}));
    }
    const auto set = merge(runs);
    CHECK(set.paths.size() == 1);
    CHECK(set.reached == false);
    CHECK(!set.paths[0].reached);
    CHECK(hop(set, 2, 2).forwarding_loss_ratio == 0);
    CHECK(hop(set, 3, 3).forwarding_loss_ratio == doctest::Approx(0.2));
    CHECK(hop(set, 3, 3).verdict == HopVerdict::Forwarding);
    CHECK(hop(set, 5, 9).forwarding_loss_ratio == doctest::Approx(0.2));
    CHECK(set.paths[0].sent == 100);
    CHECK(set.paths[0].received == 80);
}

TEST_CASE("a path that is filtered ends with a hop that nobody answers")
{
    const FakeHop gone{.received = 0, .verdict = HopVerdict::Filtered};
    const auto set = merge(repeated({{{{1}, {2}, gone, gone, gone}, false}}, 3));
    CHECK(set.reached == false);
    CHECK(set.hops.size() == 3);
    CHECK(hop(set, 3, 0).verdict == HopVerdict::Filtered);
    CHECK(hop(set, 2, 2).forwarding_loss_ratio == 0);
    CHECK(hop(set, 3, 0).forwarding_loss_ratio == 1);
}

TEST_CASE("what differs between two moments is told by address, wherever it stands")
{
    const auto before = merge(repeated({{{{1}, {2}, {3}, {9}}}}, 2));
    const auto after = merge(repeated({{{{1}, {5}, {6}, {3}, {9}}}}, 2));
    const auto found = difference(before, after);
    CHECK(!found.same);
    REQUIRE(found.added.size() == 2);
    CHECK(after.hops[found.added[0]].address == v4(5));
    REQUIRE(found.removed.size() == 1);
    CHECK(before.hops[found.removed[0]].address == v4(2));
    CHECK(found.kept.size() == 3);
    CHECK(difference(before, before).same);
}

TEST_CASE("thousands of runs with holes at random are merged in bounded time and memory")
{
    SeededRandom random(1);
    std::vector<Run> runs;
    for (int i = 1; i <= 1'440; ++i) {
        std::vector<FakeFlow> flows;
        for (int f = 0; f < 8; ++f) {
            FakeFlow flow;
            for (std::uint32_t ttl = 1; ttl <= 15; ++ttl)
                flow.hops.push_back(
                    {.router = 100 * ttl + std::uint32_t(random.below(4)), .received = random.below(4) == 0 ? 0U : 10U});
            flow.hops.push_back({9});
            flows.push_back(std::move(flow));
        }
        runs.push_back(run_through(i * kMinute, flows));
    }
    const auto set = merge(runs);
    CHECK(set.paths.size() == kPathsListedMax);
    CHECK(set.paths_total > kPathsListedMax);
    std::int64_t sent = 0;
    for (const auto& one : set.hops) sent += one.ttl == 3 ? one.sent : 0;
    CHECK(sent == 1'440 * 8 * 10);
}

}  // namespace nw::topology
