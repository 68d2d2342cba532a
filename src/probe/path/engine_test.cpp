#include "base/testing.hpp"
#include "probe/path/engine.hpp"
#include "probe/path/simulation_testing.hpp"
#include "probe/path/table.hpp"
#include "probe/policy.hpp"

#include <map>
#include <set>

namespace nw::probe::path {
namespace {

using simulation::Fate;
using simulation::Network;

struct Recorder final : PathObserver {
    void begun(TraceRef, const PathSettings&) override {}
    void ended(TraceRef) override {}
    void run_begun(TraceRef, const RunStart&) override {}
    void mtu_searched(TraceRef, const MtuFound& found) override { mtus.push_back(found); }
    void probe_settled(TraceRef trace, const Settled& settled) override
    {
        const auto probe = trace.probe;
        tables[probe].add(settled);
        ++states[settled.state];
        if (settled.state == ProbeState::Unsent) reasons.emplace(settled.reason);
        if (settled.reply) links[probe][settled.flow][settled.ttl] = settled.reply->responder;
        if (settled.clock == ClockSource::Kernel) ++kernel;
        if (settled.state == ProbeState::Answered) rtts.push_back(settled.rtt);
    }
    void explored(TraceRef, const Exploration& found) override { explorations.push_back(found); }
    void run_finished(TraceRef, const RunEnd& run, std::optional<Micros>) override { runs.push_back(run); }
    void target_changed(TraceRef, const std::optional<packet::Address>& address, std::string_view problem) override
    {
        targets.emplace_back(address ? to_text(*address) : std::string(problem));
    }
    void idle() override { is_idle = true; }

    std::map<ProbeId, Table> tables{};
    std::map<ProbeState, int> states{};
    std::map<ProbeId, std::map<std::uint16_t, std::map<std::uint8_t, packet::Address>>> links{};
    std::set<std::string, std::less<>> reasons{};
    std::vector<Exploration> explorations{};
    std::vector<MtuFound> mtus{};
    std::vector<RunEnd> runs{};
    std::vector<std::string> targets{};
    std::vector<Nanos> rtts{};
    int kernel = 0;
    bool is_idle = false;
};

struct Bench {
    testing::ManualClock clock{};
    Loop loop{};
    Pool pool{1};
    SeededRandom random{4};
    Resolver resolver{loop, pool, clock};
    Policy policy{};
    Network& network;
    Recorder seen{};
    simulation::SimulatedPort* port = nullptr;
    std::unique_ptr<PathEngine> engine{};

    explicit Bench(Network& given) : network(given)
    {
        auto simulated = std::make_unique<simulation::SimulatedPort>(network, clock);
        port = simulated.get();
        engine = std::make_unique<PathEngine>(
            EngineContext{
                .loop = loop, .pool = pool, .clock = clock, .random = random, .resolver = resolver, .policy = policy},
            std::move(simulated), seen);
    }
    ~Bench() { testing::run(loop, engine->close()); }

    void pass(Nanos time)
    {
        for (Nanos passed{0}; passed < time; passed += Millis(5)) {
            engine->turn();
            clock.advance(Millis(5));
        }
        engine->turn();
    }
    void start(const PathSettings& settings, std::uint64_t runs_max = 1, std::uint64_t id = 1,
               FirstRun first = FirstRun::OffBeat)
    {
        REQUIRE(engine->start(ProbeId{id}, settings, {.first = first, .runs_max = runs_max}));
    }
    Table& table(std::uint64_t id = 1) { return seen.tables[ProbeId{id}]; }
    int fates(std::uint8_t ttl, Fate fate) const
    {
        return int(std::ranges::count_if(port->truths, [&](const auto& t) { return t.ttl == ttl && t.fate == fate; }));
    }
};

PathSettings settings(std::uint32_t cycles, Nanos spacing = Millis(100))
{
    return {.target = "192.0.2.1", .interval = spacing * cycles, .spacing = spacing, .cycles = cycles};
}

}  // namespace

TEST_CASE("a chain: every hop with its delay, and nothing beyond the destination")
{
    Network network(1);
    network.chain(0, 10);
    Bench bench(network);
    bench.start(settings(10));
    bench.pass(Seconds(4));
    const auto rows = bench.table().rows();
    REQUIRE(rows.size() == 10);
    for (const auto& row : rows) {
        CHECK(row.address == simulation::address_of(row.ttl));
        CHECK(row.sent == 10);
        CHECK(row.answered == 10);
        CHECK(row.delay.best == Millis(2) * row.ttl);
        CHECK(row.delay.worst == Millis(2) * row.ttl);
        CHECK(row.delay.jitter_us() == 0);
        CHECK(row.verdict.verdict == HopVerdict::None);
        CHECK(row.last == (row.ttl == 10));
    }
    CHECK(bench.table().reached());
    CHECK(bench.seen.kernel == int(bench.seen.rtts.size()));
    REQUIRE(bench.seen.runs.size() == 1);
    CHECK((bench.seen.runs[0].outcome == Outcome::Ok && bench.seen.runs[0].reached));
    // The first cycle asks 16 hops, the others 10.
    CHECK(bench.port->sent.size() == 16 + 9 * 10);
    CHECK(bench.seen.is_idle);
    CHECK(bench.port->released == 1);
}

TEST_CASE("a long path is followed to its end within the first cycle")
{
    Network network(1);
    network.chain(0, 28);
    Bench bench(network);
    bench.start(settings(1, Seconds(10)));
    bench.pass(Millis(400));
    CHECK(bench.table().rows().size() == 28);
    CHECK(bench.table().reached());
}

TEST_CASE("a target that never answers is asked hop by hop once per run, and a little further in between")
{
    Network network(1);
    network.chain(0, 12);
    for (std::size_t node = 7; node <= 12; ++node) network.nodes[node].filters = true;
    Bench bench(network);
    bench.start(settings(20));
    bench.pass(Seconds(6));
    CHECK(bench.port->sent.size() == 30 + 19 * 7);
    const auto rows = bench.table().rows();
    REQUIRE(rows.size() == 7);
    CHECK(rows[6].verdict.verdict == HopVerdict::Filtered);
    CHECK(!rows[6].address);
    CHECK(!bench.table().reached());
    REQUIRE(bench.seen.runs.size() == 1);
    CHECK(bench.seen.runs[0].outcome == Outcome::Lost);
}

TEST_CASE("a path that becomes longer or shorter is followed at once")
{
    Network network(1);
    network.chain(0, 6);
    Bench bench(network);
    bench.start(settings(30));
    bench.pass(Millis(1'040));
    network.chain(6, 3);  // the destination is further away now
    bench.pass(Millis(120));
    CHECK(bench.seen.links[ProbeId{1}][0][9] == simulation::address_of(9));
    network.nodes[4].next.clear();
    bench.pass(Seconds(5));
    CHECK(bench.table().rows().back().ttl == 4);
}

TEST_CASE("loss and limit by the packet: what the table says is what the network did")
{
    Network network(17);
    network.chain(0, 8);
    network.nodes[4].loss = 0.05;
    network.nodes[6].limiter = simulation::Limiter{2, 6, 6, Nanos(0)};
    Bench bench(network);
    bench.start(settings(300));
    bench.pass(Seconds(34));
    const auto rows = bench.table().rows();
    REQUIRE(rows.size() == 8);
    for (const auto& row : rows) {
        CHECK(row.sent == 300);
        CHECK(int(row.answered) == bench.fates(row.ttl, Fate::Answered));
        const auto wanted = row.ttl == 6   ? HopVerdict::RateLimited
                            : row.ttl >= 4 ? HopVerdict::Forwarding
                                           : HopVerdict::None;
        CHECK(row.verdict.verdict == wanted);
    }
    CHECK(*rows[5].verdict.limit_per_second == doctest::Approx(2).epsilon(0.1));
    CHECK(rows[5].verdict.forwarding_loss_ratio < 0.2);
}

TEST_CASE("per-flow balancing with one flow shows one branch, and no false link in 50 traces")
{
    Network network(5);
    const auto split = network.chain(0, 2);
    const auto a = network.chain(split, 2), b = network.chain(split, 2);
    network.chain(network.add({a, b}), 2);
    Bench bench(network);
    for (std::uint64_t id = 1; id <= 50; ++id) bench.start(settings(5), 1, id);
    bench.pass(Seconds(4));
    for (std::uint64_t id = 1; id <= 50; ++id) {
        for (auto& [flow, hops] : bench.seen.links[ProbeId{id}]) {
            for (const auto& [ttl, responder] : hops) {
                if (!hops.contains(std::uint8_t(ttl + 1)) || responder == hops[std::uint8_t(ttl + 1)]) continue;
                const auto from = std::size_t(responder.bytes[3]);
                const auto to = std::size_t(hops[std::uint8_t(ttl + 1)].bytes[3]);
                CHECK(std::ranges::count(network.nodes[from].next, to) == 1);
            }
        }
    }
}

TEST_CASE("all branches are found, traced, and each has its own loss")
{
    Network network(11);
    const auto split = network.chain(0, 3);
    std::vector<std::size_t> branches, ends;
    for (int i = 0; i < 4; ++i) {
        branches.push_back(network.chain(split, 1));
        ends.push_back(network.chain(branches.back(), 1));
    }
    network.chain(network.add(ends), 2);
    network.nodes[branches[2]].loss = 0.1;
    Bench bench(network);
    auto with = settings(200);
    with.explore = true;
    bench.start(with);
    bench.pass(Seconds(30));
    REQUIRE(bench.seen.explorations.size() == 1);
    const auto& found = bench.seen.explorations[0];
    CHECK((found.complete && found.covered));
    CHECK(found.links.size() == 2 + 4 + 4 + 4 + 2);
    CHECK(found.flows.size() == 4);
    for (const auto& row : bench.table().rows()) {
        if (row.ttl != 4) continue;
        const bool bad = row.address == simulation::address_of(branches[2]);
        CHECK(row.sent == 200);
        CHECK(row.flows == 1);
        if (!bad) CHECK(row.lost() == 0);
        // 19 % of 200, six standard deviations.
        if (bad) CHECK(row.loss_ratio() == doctest::Approx(0.19).epsilon(0.75));
        CHECK(row.verdict.verdict == (bad ? HopVerdict::Forwarding : HopVerdict::None));
    }
}

TEST_CASE("a branch that is lost is missed at once, and found again within a minute of its return")
{
    Network network(11);
    const auto split = network.chain(0, 3);
    const auto one = network.chain(split, 1), other = network.chain(split, 1);
    network.chain(network.add({one, other}), 1);
    const auto both = network.nodes[split].next;
    Bench bench(network);
    auto with = settings(10);
    with.explore = true;
    bench.start(with, 1'000);
    bench.pass(Seconds(30));
    REQUIRE(bench.seen.explorations.back().flows.size() == 2);
    network.nodes[split].next = {one};
    bench.pass(Seconds(10));
    CHECK(bench.seen.explorations.back().flows.size() == 1);
    bench.pass(Seconds(30));
    network.nodes[split].next = both;
    bench.pass(Seconds(62));
    CHECK(bench.seen.explorations.back().flows.size() == 2);
}

TEST_CASE("packets that are balanced one by one are told from a route that changes")
{
    Network network(5);
    const auto split = network.chain(0, 2);
    const auto a = network.chain(split, 1), b = network.chain(split, 1);
    network.chain(network.add({a, b}), 1);
    network.nodes[split].per_packet = true;
    Bench bench(network);
    bench.start(settings(40));
    bench.pass(Seconds(7));
    int at_branches = 0;
    for (const auto& row : bench.table().rows()) {
        CHECK(row.per_packet == (row.ttl == 3));
        at_branches += row.ttl == 3;
    }
    CHECK(at_branches == 2);
}

TEST_CASE("what comes after the timeout is late, and lost")
{
    Network network(1);
    network.chain(0, 3);
    network.nodes[3].delay = Millis(150);
    Bench bench(network);
    auto with = settings(5);
    with.timeout = Millis(200);
    bench.start(with);
    bench.pass(Seconds(2));
    REQUIRE(bench.seen.runs.size() == 1);
    CHECK(bench.seen.runs[0].late >= 4);
    CHECK(bench.seen.runs[0].outcome == Outcome::Lost);
    CHECK(bench.table().rows().size() == 3);
    CHECK(bench.table().rows()[2].lost() == 5);
}

TEST_CASE("an interface that is away makes runs that were not measured, and nothing is sent")
{
    Network network(1);
    network.chain(0, 3);
    for (const bool explore : {false, true}) {
        Bench bench(network);
        bench.port->obstacle = NotReady{Outcome::BindError, "interface wan1 is down"};
        auto with = settings(5);
        with.explore = explore;
        bench.start(with, 3);
        bench.pass(Millis(700));
        REQUIRE(!bench.seen.runs.empty());
        CHECK(bench.seen.runs[0].outcome == Outcome::BindError);
        CHECK(bench.seen.runs[0].reason == "interface wan1 is down");
        CHECK(bench.port->sent.empty());
        bench.port->obstacle.reset();
        bench.pass(Seconds(4));
        CHECK(bench.seen.runs.back().outcome == Outcome::Ok);
        CHECK(bench.seen.is_idle);
    }
}

TEST_CASE("runs keep their beat, whatever a run takes")
{
    Network network(1);
    network.chain(0, 4);
    Bench bench(network);
    PathSettings with{.target = "192.0.2.1", .interval = Seconds(10), .spacing = Seconds(1), .cycles = 10};
    bench.start(with, 4, 1, FirstRun::AtOnce);
    bench.pass(Seconds(50));
    REQUIRE(bench.seen.runs.size() == 4);
    for (std::size_t run = 2; run < 4; ++run)
        CHECK(bench.seen.runs[run].start - bench.seen.runs[run - 1].start == Seconds(10));
    CHECK(bench.seen.runs[1].sent == 10 * 4);
}

TEST_CASE("an agent that slept reports the runs it missed")
{
    Network network(1);
    network.chain(0, 3);
    Bench bench(network);
    PathSettings with{.target = "192.0.2.1", .interval = Seconds(10), .spacing = Seconds(1), .cycles = 10};
    bench.start(with, ~0ULL);
    bench.pass(Seconds(25));
    const auto before = bench.seen.runs.size();
    bench.clock.advance(std::chrono::hours(1));
    bench.pass(Seconds(15));
    int missed = 0;
    for (auto i = before; i < bench.seen.runs.size(); ++i) missed += bench.seen.runs[i].outcome == Outcome::NotMeasured;
    CHECK(missed == 10);
    CHECK(bench.seen.runs.back().outcome == Outcome::Ok);
    bench.engine->stop(ProbeId{1});
    bench.pass(Seconds(1));
    CHECK(bench.engine->idle());
}

TEST_CASE("a trace that waits for the path MTU ends when that is found, and one whose destination is mute does not wait")
{
    for (const bool mute : {false, true}) {
        Network network(1);
        network.chain(0, 5);
        network.nodes[4].mtu = 1400;
        network.nodes[4].mute_about_mtu = true;
        network.nodes[5].silent = mute;
        Bench bench(network);
        auto with = settings(2);
        with.mtu = true;
        bench.start(with);
        bench.pass(Seconds(120));
        CHECK(bench.seen.is_idle);
        REQUIRE(bench.seen.mtus.size() == (mute ? 0 : 1));
        if (!mute) CHECK(bench.seen.mtus[0] == MtuFound{.mtu = 1400, .black_hole_after = 3, .size_max = 1500});
    }
}

TEST_CASE("stopping in the middle leaves nothing behind")
{
    Network network(1);
    network.chain(0, 20);
    Bench bench(network);
    for (const bool explore : {false, true}) {
        auto with = settings(100);
        with.explore = explore;
        bench.start(with, ~0ULL, explore ? 2 : 1);
        bench.pass(Millis(60));
        bench.engine->stop(ProbeId{explore ? 2ULL : 1ULL});
        bench.pass(Seconds(5));
        CHECK(bench.engine->idle());
    }
    const auto sent = bench.port->sent.size();
    bench.pass(Seconds(5));
    CHECK(bench.port->sent.size() == sent);
}

TEST_CASE("the wall clock is set: delays stay true")
{
    Network network(1);
    network.chain(0, 3);
    Bench bench(network);
    bench.start(settings(50));
    bench.pass(Seconds(1));
    bench.clock.set_wall(bench.clock.wall() + std::chrono::hours(5));
    bench.pass(Seconds(6));
    for (const auto rtt : bench.seen.rtts) CHECK(rtt <= Millis(100));
    CHECK(bench.seen.runs.size() == 1);
}

TEST_CASE("what this agent must not measure is refused")
{
    Network network(1);
    network.chain(0, 3);
    Bench bench(network);
    auto with = settings(1);
    with.family = FamilyWish::V6;
    CHECK(!bench.engine->start(ProbeId{1}, with, {}));
    bench.policy = Policy({}, {*packet::parse_prefix("192.0.2.0/24")});
    const auto status = bench.engine->start(ProbeId{1}, settings(1), {});
    REQUIRE(!status);
    CHECK(status.error().code == Errc::Denied);
}

}  // namespace nw::probe::path
