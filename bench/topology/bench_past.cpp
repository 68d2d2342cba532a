// From stored runs of a thousand path probes: what the map of a moment that has passed costs, and one node or link of it
// over a range. Runs come every five minutes for a day, and every minute in its last two hours. bench_past DIR
#include "../support.hpp"
#include "network.hpp"

#include "api/topology_view.hpp"
#include "atlas/past_map.hpp"
#include "atlas/place_series.hpp"
#include "atlas/recent_runs.hpp"
#include "model/kinds/path.hpp"
#include "store/telemetry/embedded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <span>
#include <vector>

namespace {

using namespace nw;
using bench::must;
using bench::SetClock;
using bench::wait;

constexpr std::int64_t kMinute = 60'000'000;
constexpr std::int64_t kFirst = 1'764'028'800'000'000;  // midnight
constexpr std::int64_t kLast = kFirst + 24 * 60 * kMinute;
constexpr std::int64_t kDense = kLast - 120 * kMinute;

void append_run(Rows& rows, const bench::Traced& probe, std::uint64_t seq, std::int64_t at_us)
{
    const auto run = topology::testing::run_through(at_us, probe.flows);
    auto sample = make_sample(kinds::path, probe.id, from_us(at_us));
    sample.outcome = run.outcome;
    sample.address = run.address;
    sample.bytes[*kinds::path.column_index("hops")] = encode_hops(run.hops);
    append(rows, seq, sample);
}

// Each agent sends what it has measured at one moment.
void fill(Loop& loop, store::Telemetry& telemetry, SetClock& clock, const std::vector<bench::Traced>& probes)
{
    std::uint64_t seq = 1;
    for (auto at = kFirst; at < kLast; at += at < kDense ? 5 * kMinute : kMinute) {
        clock.wall_us = at + 1'000'000;
        for (std::uint32_t agent = 0; agent < bench::kAgents; ++agent) {
            wire::Batch batch{.stream = StreamId{1 + agent}, .first_seq = seq, .count = bench::kTargets};
            auto rows = make_rows(kinds::path);
            for (std::uint32_t target = 0; target < bench::kTargets; ++target)
                append_run(rows, probes[agent * bench::kTargets + target], seq + target, at);
            batch.kinds.push_back(std::move(rows));
            auto bytes = wire::encode_batch(batch);
            must(wait(loop, telemetry.append({AgentId{1 + agent}, std::move(batch), std::move(bytes), clock.wall()})));
        }
        seq += bench::kTargets;
        must(wait(loop, telemetry.maintain(clock.wall())));
    }
    clock.wall_us = kLast + 60 * kMinute;
    must(wait(loop, telemetry.seal()));
    must(wait(loop, telemetry.maintain(clock.wall())));
}

double seconds(clockid_t clock)
{
    timespec now{};
    ::clock_gettime(clock, &now);
    return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

// Medians: CPU of all threads, because others use this machine too, and time on the wall.
void measure(std::string_view what, const std::function<std::string()>& work)
{
    std::vector<double> cpu, wall;
    std::string said;
    for (int i = 0; i < 7; ++i) {
        const auto cpu_start = seconds(CLOCK_PROCESS_CPUTIME_ID), wall_start = seconds(CLOCK_MONOTONIC);
        said = work();
        cpu.push_back(seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
        wall.push_back(seconds(CLOCK_MONOTONIC) - wall_start);
    }
    std::ranges::sort(cpu);
    std::ranges::sort(wall);
    fmt::print("{}: median {:.0f} ms CPU, {:.0f} ms ({:.0f} at most); {}\n", what, cpu[3] * 1e3, wall[3] * 1e3,
               wall.back() * 1e3, said);
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) return 2;
    SeededRandom random(1);
    const auto traced = bench::thousand(random);
    SetClock clock(kFirst);
    Loop loop;
    Pool pool{1};
    const Kinds kinds{{&kinds::path}};
    auto telemetry = must(store::open_embedded({.dir = argv[1], .self_maintenance = false}, kinds, clock, Log{}));
    fill(loop, *telemetry, clock, traced);
    std::vector<atlas::PathProbe> probes;
    for (const auto& probe : traced)
        probes.push_back({.id = probe.id, .kind = &kinds::path, .ends = probe.ends, .interval_us = 5 * kMinute});
    const auto stats = must(wait(loop, [](store::Telemetry& of) -> Task<Result<store::TelemetryStats>> {
        co_return co_await of.stats();
    }(*telemetry)));
    fmt::print("{} probes, {} runs stored in {} MB\n", probes.size(), stats.rows_appended, stats.disk_bytes / 1'000'000);

    const auto map_at = [&](std::int64_t at) {
        const auto graph = must(wait(loop, atlas::read_map(*telemetry, pool, probes, at, atlas::kWindow)));
        const auto body = api::topology_json(&graph, {.generation = "m.0"}, {});
        return fmt::format("{} nodes, {} edges", graph.node_count(), graph.edge_count());
    };
    measure("the map of the past, 10 runs of each probe", [&] { return map_at(kLast - kMinute); });
    measure("the map of the past, 2 runs of each probe", [&] { return map_at(kDense - kMinute); });

    const auto graph = must(wait(loop, atlas::read_map(*telemetry, pool, probes, kLast - kMinute, atlas::kWindow)));
    const auto over = [&](std::string_view id, std::int64_t from) {
        const auto place = atlas::place_of(id);
        const auto ids = atlas::probes_through(graph, *place);
        std::vector<atlas::PathProbe> through;
        for (const auto& probe : probes)
            if (std::ranges::binary_search(ids, probe.id)) through.push_back(probe);
        const auto series = must(wait(loop, atlas::read_place(*telemetry, pool, *place, through, {from, kLast}, 60)));
        const auto known = std::ranges::count_if(series.buckets, [](const auto& bucket) { return bucket.has_value(); });
        return fmt::format("{} of {} probes, {} runs, {} of {} buckets", series.probes, ids.size(), series.runs, known,
                           series.buckets.size());
    };
    // The router and the link that most paths share.
    std::string router, link;
    std::uint32_t most = 0;
    for (const auto index : graph.nodes())
        if (const auto* node = graph.node(index); node->kind == topology::NodeKind::Router && node->paths > most) {
            most = node->paths;
            router = node->id;
        }
    most = 0;
    for (const auto index : graph.edges())
        if (const auto* edge = graph.edge(index); edge->paths > most && atlas::place_of(edge->id)) {
            most = edge->paths;
            link = edge->id;
        }
    measure("a router over 24 h", [&] { return over(router, kFirst); });
    measure("a router over the last 2 h", [&] { return over(router, kDense); });
    // As if there were a run each minute all day: some probes, and some of their runs.
    for (auto& probe : probes) probe.interval_us = kMinute;
    measure("a router over 24 h, of runs each minute", [&] { return over(router, kFirst); });
    for (auto& probe : probes) probe.interval_us = 10'000'000;
    measure("a router over 24 h, of runs each ten seconds", [&] { return over(router, kFirst); });
    for (auto& probe : probes) probe.interval_us = 5 * kMinute;
    measure("a link over 24 h", [&] { return over(link, kFirst); });
    wait(loop, [](store::Telemetry& of) -> Task<bool> {
        co_await of.close();
        co_return true;
    }(*telemetry));
    return 0;
}
