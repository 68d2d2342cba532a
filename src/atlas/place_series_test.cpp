#include "atlas/place_series.hpp"

#include "atlas/past_map.hpp"
#include "base/random.hpp"
#include "base/testing.hpp"
#include "model/kinds/path.hpp"
#include "store/telemetry/memory.hpp"
#include "topology/testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace nw::atlas {
namespace {

using topology::testing::FakeFlow;
using topology::testing::FakeHop;
using topology::testing::run_through;
using topology::testing::v4;

constexpr std::int64_t kMinute = 60'000'000;
constexpr std::int64_t kStart = 1'700'002'800'000'000;  // a full hour

// A store with runs of several probes.
struct Fixture {
    Loop loop{};
    testing::ManualClock clock{};
    std::unique_ptr<store::Telemetry> telemetry = store::make_memory_telemetry(clock);
    Pool pool{1};
    std::vector<PathProbe> probes{};
    std::vector<std::uint64_t> next_seq{};

    explicit Fixture(std::size_t count = 1)
    {
        clock.set_wall(from_us(kStart + store::kDayUs));
        for (std::size_t i = 0; i < count; ++i)
            probes.push_back({.id = ProbeId{10 + i},
                              .kind = &kinds::path,
                              .ends = {.agent = AgentId{1}, .target_name = "host", .protocol = "icmp"},
                              .interval_us = kMinute});
    }
    void keep(std::size_t probe, const std::vector<FakeFlow>& flows, std::int64_t at_us)
    {
        next_seq.resize(probes.size(), 1);
        auto run = run_through(at_us, flows);
        auto sample = make_sample(kinds::path, probes[probe].id, from_us(at_us));
        sample.outcome = run.outcome;
        sample.address = v4(9);
        sample.bytes[*kinds::path.column_index("hops")] = encode_hops(run.hops);
        auto rows = make_rows(kinds::path);
        const auto seq = next_seq[probe]++;
        append(rows, seq, sample);
        wire::Batch batch{.stream = StreamId{1 + probe}, .first_seq = seq, .count = 1, .kinds = {std::move(rows)}};
        REQUIRE(testing::run(
            loop,
            telemetry->append(
                {.agent = AgentId{1}, .batch = batch, .bytes = wire::encode_batch(batch), .received_at = clock.wall()})));
    }
    PlaceSeries read(std::string_view id, store::TimeRange range, std::uint32_t buckets)
    {
        const auto place = place_of(id);
        REQUIRE(place);
        auto series = testing::run(loop, read_place(*telemetry, pool, *place, probes, range, buckets));
        REQUIRE(series);
        return *std::move(series);
    }
};

// Two branches in the middle, of which the second loses some and answers later.
std::vector<FakeFlow> branches(Random& random)
{
    std::vector<FakeFlow> flows;
    for (std::uint32_t branch = 0; branch < 2; ++branch) {
        const auto received = std::uint32_t(10 - (branch == 1 ? random.below(4) : 0));
        const auto rtt = 1'000 + std::int64_t(random.below(500));
        flows.push_back({{{.router = 1, .rtt_us = rtt},
                          {.router = 2 + branch, .received = received, .rtt_us = 2 * rtt},
                          {.router = 9, .received = received, .rtt_us = 3 * rtt}}});
    }
    return flows;
}

}  // namespace

TEST_CASE("a place is a router, a target, or a link to one of them")
{
    const auto is = [](std::string_view id) { return place_of(id).has_value(); };
    CHECK(is("r10.0.0.1"));
    CHECK(is("t2001:db8::1"));
    CHECK(is("r10.0.0.1>r10.0.0.2"));
    CHECK(is("a" + to_text(AgentId{7}) + ">t10.0.0.2"));
    CHECK(place_of("r10.0.0.1>t10.0.0.2")->address == v4(2));
    CHECK_FALSE(is("a" + to_text(AgentId{7})));
    for (const std::string_view id :
         {"", "r", "r10.0.0", "r10.0.0.1 ", "x0123456789abcdef", ">", "r10.0.0.1>", ">r10.0.0.1", "r10.0.0.1>x01",
          "x01>r10.0.0.1", "a>r10.0.0.1", "aprb_0>r10.0.0.1", "r10.0.0.1>r10.0.0.2>r10.0.0.3"})
        CHECK_FALSE(is(id));
}

TEST_CASE("a bucket says what the map of that time says")
{
    Fixture f(3);
    SeededRandom random(3);
    for (int minute = 1; minute <= 60; ++minute)
        for (std::size_t probe = 0; probe < f.probes.size(); ++probe)
            f.keep(probe, branches(random), kStart + minute * kMinute - std::int64_t(probe) * 1'000'000);
    const store::TimeRange range{kStart, kStart + 60 * kMinute};
    const std::string agent = "a" + to_text(AgentId{1});
    for (const std::string& id : {std::string("r10.0.0.3"), std::string("t10.0.0.9"), std::string("r10.0.0.3>t10.0.0.9"),
                                  agent + ">r10.0.0.1", std::string("r10.0.0.1>r10.0.0.2")}) {
        CAPTURE(id);
        const auto place = *place_of(id);
        const auto series = f.read(id, range, 12);
        REQUIRE(series.step_us == 5 * kMinute);
        REQUIRE(series.buckets.size() == 12);
        CHECK(series.probes == 3);
        CHECK_FALSE(series.sampled);
        for (std::size_t i = 0; i < series.buckets.size(); ++i) {
            // Buckets begin with their first moment, maps end with their last.
            const auto until = series.from_us + std::int64_t(i + 1) * series.step_us - 1;
            const auto map =
                testing::run(f.loop, read_map(*f.telemetry, f.pool, f.probes, until, std::chrono::seconds(300)));
            REQUIRE(map);
            REQUIRE(series.buckets[i]);
            if (place.is_link()) {
                const auto* edge = map->find_edge(place.source, place.target);
                REQUIRE(edge);
                CHECK(series.buckets[i]->near == edge->near);
                CHECK(series.buckets[i]->far == edge->far);
            } else {
                const auto* node = map->find_node(place.node);
                REQUIRE(node);
                CHECK(series.buckets[i]->far == node->traffic);
            }
        }
    }
}

TEST_CASE("where nothing was measured, or packets went another way, there is a gap and not zero")
{
    Fixture f;
    const std::vector<FakeFlow> direct{{{{1}, {2}, {9}}}}, detour{{{{1}, {5}, {9}}}};
    for (int minute = 0; minute < 10; ++minute) f.keep(0, direct, kStart + minute * kMinute);
    for (int minute = 20; minute < 30; ++minute) f.keep(0, detour, kStart + minute * kMinute);
    const store::TimeRange range{kStart, kStart + 30 * kMinute};
    const auto has = [&](std::string_view id) {
        std::string text;
        for (const auto& bucket : f.read(id, range, 3).buckets) text += bucket ? 'x' : '.';
        return text;
    };
    CHECK(has("r10.0.0.2") == "x..");
    CHECK(has("r10.0.0.5") == "..x");
    CHECK(has("r10.0.0.1") == "x.x");
    CHECK(has("r10.0.0.1>r10.0.0.5") == "..x");
    CHECK(has("r10.0.0.77") == "...");
    CHECK(f.read("r10.0.0.1", {kStart - kMinute, kStart}, 3).runs == 0);
}

TEST_CASE("buckets are no narrower than runs come")
{
    Fixture f;
    for (int minute = 0; minute < 10; ++minute) f.keep(0, {{{{1}, {2}, {9}}}}, kStart + minute * kMinute);
    const auto series = f.read("r10.0.0.2", {kStart, kStart + 10 * kMinute}, 200);
    CHECK(series.step_us == kMinute);
    CHECK(std::ranges::all_of(series.buckets, [](const auto& bucket) { return bucket.has_value(); }));
}

TEST_CASE("of many probes and many runs a sample is read, and it says so")
{
    Fixture f(60);
    for (int second = 0; second < 240; ++second)
        for (std::size_t probe = 0; probe < f.probes.size(); ++probe)
            f.keep(probe, {{{{1}, {2}, {9}}}}, kStart + second * 15'000'000);
    const auto series = f.read("r10.0.0.2", {kStart, kStart + 60 * kMinute}, 12);
    CHECK(series.probes == kPlaceProbesMax);
    CHECK(series.sampled);
    CHECK(series.buckets.size() == 12);
    // A bucket has 20 runs of each probe, fewer than a probe's share.
    CHECK(series.runs == 24 * 12 * 20);

    Fixture one;
    for (int i = 0; i < 3'600; ++i) one.keep(0, {{{{1}, {2}, {9}}}}, kStart + i * 1'000'000);
    const auto dense = one.read("r10.0.0.2", {kStart, kStart + 60 * kMinute}, 4);
    CHECK(dense.step_us == 15 * kMinute);
    CHECK(dense.sampled);
    CHECK(dense.runs == 4 * kPlaceBucketRunsMax);
    for (const auto& bucket : dense.buckets) {
        REQUIRE(bucket);
        CHECK(bucket->far.sent == std::int64_t(kPlaceBucketRunsMax) * 10);
    }
}

TEST_CASE("a sample is spread over its buckets, and makes no gap where there is something")
{
    Fixture f(24);
    for (std::size_t probe = 0; probe < f.probes.size(); ++probe) {
        f.probes[probe].interval_us = 1'000'000;
        // Of an hour the first 50 minutes go one way, the rest another.
        for (int i = 0; i < 3'600; i += 3) f.keep(probe, {{{{1}, {i < 3'000 ? 2U : 3U}, {9}}}}, kStart + i * 1'000'000);
    }
    const store::TimeRange hour{kStart, kStart + 60 * kMinute};
    CHECK(f.read("r10.0.0.2", hour, 1).buckets[0]);
    CHECK(f.read("r10.0.0.3", hour, 1).buckets[0]);
    CHECK(f.read("r10.0.0.3", hour, 1).sampled);

    // Only the first minute of an hour was measured, by a probe that is to read later in it.
    Fixture brief(2);
    for (auto& probe : brief.probes) probe.interval_us = 1'000'000;
    for (int i = 0; i < 60; ++i) brief.keep(1, {{{{1}, {2}, {9}}}}, kStart + i * 1'000'000);
    const auto series = brief.read("r10.0.0.2", hour, 1);
    CHECK(series.buckets[0]);
    CHECK(series.runs == 60);
}

TEST_CASE("probes that pass a place are found on the map")
{
    topology::Graph graph;
    const auto add = [&](std::uint64_t probe, const std::vector<FakeFlow>& flows) {
        const auto run = run_through(kStart, flows);
        graph.replace(ProbeId{probe}, {.agent = AgentId{1}}, topology::merge(std::vector{run}));
    };
    add(1, {{{{1}, {2}, {9}}}});
    add(2, {{{{1}, {3}, {9}}}});
    add(3, {{{{4}, {2}, {8}}}});
    const auto through = [&](std::string_view id) { return probes_through(graph, *place_of(id)); };
    CHECK(through("r10.0.0.2") == std::vector{ProbeId{1}, ProbeId{3}});
    CHECK(through("r10.0.0.1>r10.0.0.2") == std::vector{ProbeId{1}});
    CHECK(through("r10.0.0.2>r10.0.0.1").empty());
    CHECK(through("t10.0.0.9") == std::vector{ProbeId{1}, ProbeId{2}});
    const auto link = *place_of("r10.0.0.1>r10.0.0.2");
    CHECK(touches(link, "10.0.0.1"));
    CHECK(touches(link, "10.0.0.2"));
    CHECK_FALSE(touches(link, "10.0.0.3"));
}

}  // namespace nw::atlas
