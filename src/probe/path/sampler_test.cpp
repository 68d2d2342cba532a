#include "base/testing.hpp"
#include "model/kinds/path.hpp"
#include "probe/devices_testing.hpp"
#include "probe/path/sampler.hpp"
#include "probe/path/simulation_testing.hpp"
#include "probe/phase.hpp"
#include "probe/policy.hpp"

#include <algorithm>
#include <set>

namespace nw::probe::path {
namespace {

using simulation::Fate;
using simulation::Network;

struct Bench {
    testing::ManualClock clock{};
    Loop loop{};
    Pool pool{1};
    SeededRandom random{4};
    Resolver resolver{loop, pool, clock};
    Policy policy{};
    Network& network;
    std::vector<Sample> samples{};
    ScriptedDevices devices{};
    simulation::SimulatedPort* port = nullptr;
    std::unique_ptr<PathSampler> sampler{};

    explicit Bench(Network& given) : network(given)
    {
        auto simulated = std::make_unique<simulation::SimulatedPort>(network, clock);
        port = simulated.get();
        sampler = std::make_unique<PathSampler>(
            EngineContext{.loop = loop,
                          .pool = pool,
                          .clock = clock,
                          .random = random,
                          .resolver = resolver,
                          .policy = policy,
                          .sink = [this](Sample sample) { samples.push_back(std::move(sample)); },
                          .devices = &devices},
            std::move(simulated), [](const packet::Address& address, const std::string& device) {
                return device + "hop" + to_text(address) + ".example";
            });
    }
    ~Bench() { testing::run(loop, sampler->close()); }

    void pass(Nanos time)
    {
        for (Nanos passed{0}; passed < time; passed += Millis(5)) {
            sampler->turn();
            clock.advance(Millis(5));
        }
        sampler->turn();
    }
    std::int64_t number(std::size_t sample, std::string_view column) const
    {
        return samples[sample].numbers[*kinds::path.column_index(column)];
    }
    std::vector<PathHop> hops(std::size_t sample) const
    {
        auto decoded = decode_hops(samples[sample].bytes[*kinds::path.column_index("hops")]);
        REQUIRE(decoded);
        return *std::move(decoded);
    }
    int fates(std::uint8_t ttl, Fate fate) const
    {
        return int(std::ranges::count_if(port->truths, [&](const auto& t) { return t.ttl == ttl && t.fate == fate; }));
    }
};

ProbeSpec spec(std::uint64_t id, Settings given)
{
    given.try_emplace("mtu_discovery", 0);
    auto settings = validated(kinds::path, given);
    REQUIRE(settings);
    return {.id = ProbeId{id}, .revision = 1, .kind = &kinds::path, .settings = *std::move(settings)};
}

ProbeSpec every_second(std::uint64_t id, std::string flows = "1")
{
    return spec(
        id, {{"target", "192.0.2.1"}, {"interval", 1'000}, {"cycles", 10}, {"timeout", 500}, {"flows", std::move(flows)}});
}

std::string bytes_of(std::size_t node) { return std::string(simulation::address_of(node).view()); }

}  // namespace

TEST_CASE("a run is one sample: the destination in its columns, every router in a row")
{
    Network network(1);
    network.chain(0, 5);
    Bench bench(network);
    REQUIRE(bench.sampler->start(every_second(5)));
    bench.pass(Seconds(8));
    REQUIRE(bench.samples.size() >= 5);
    for (std::size_t i = 0; i < bench.samples.size(); ++i) {
        const auto& sample = bench.samples[i];
        CHECK(sample.outcome == Outcome::Ok);
        CHECK(sample.probe == ProbeId{5});
        CHECK(sample.clock == ClockSource::Kernel);
        CHECK(sample.address == std::string("\xc0\x00\x02\x01", 4));
        CHECK(bench.number(i, "sent") == 10);
        CHECK(bench.number(i, "received") == 10);
        CHECK(bench.number(i, "rtt_min") == 10'000);
        CHECK(bench.number(i, "rtt_sum") == 100'000);
        CHECK(bench.number(i, "ipdv_sum") == 0);
        CHECK(bench.number(i, "ipdv_count") == (i == 0 ? 9 : 10));
        CHECK(bench.number(i, "hop_count") == 5);
        CHECK(bench.number(i, "path_count") == 1);
        CHECK(!sample.bytes[*kinds::path.column_index("rtt")].empty());
        const auto hops = bench.hops(i);
        REQUIRE(hops.size() == 5);
        for (const auto& hop : hops) {
            CHECK((hop.path == 0 && hop.sent == 10 && hop.received == 10));
            CHECK(hop.address == bytes_of(hop.ttl));
            CHECK(hop.rtt_min_us == 2'000 * hop.ttl);
            CHECK(hop.verdict == HopVerdict::None);
            CHECK(hop.answer == (hop.ttl == 5 ? HopAnswer::Arrived : HopAnswer::Exceeded));
        }
    }
    for (std::size_t i = 2; i < bench.samples.size(); ++i)
        CHECK(bench.samples[i].at - bench.samples[i - 1].at == Seconds(1));
    CHECK(Nanos(bench.samples[2].at.time_since_epoch()) % Seconds(1) == phase_of(ProbeId{5}, Seconds(1)));
}

TEST_CASE("loss of the destination is exactly what the network lost, run by run")
{
    Network network(9);
    network.chain(0, 4);
    network.nodes[3].loss = 0.1;
    Bench bench(network);
    REQUIRE(bench.sampler->start(every_second(1)));
    bench.pass(Seconds(30));
    bench.sampler->stop(ProbeId{1});
    std::int64_t sent = 0, received = 0, rows_sent = 0, rows_received = 0;
    for (std::size_t i = 1; i < bench.samples.size(); ++i) {
        sent += bench.number(i, "sent");
        received += bench.number(i, "received");
        CHECK(bench.number(i, "sent") == 10);
        for (const auto& hop : bench.hops(i)) {
            if (hop.ttl != 4) continue;
            rows_sent += hop.sent;
            rows_received += hop.received;
        }
    }
    CHECK(sent == rows_sent);
    CHECK(received == rows_received);
    CHECK(double(sent - received) / double(sent) == doctest::Approx(0.19).epsilon(0.4));
    // What the verdict says comes from many runs: it does not waver from one to the next.
    for (const auto& hop : bench.hops(bench.samples.size() - 1))
        CHECK(hop.verdict == (hop.ttl >= 3 ? HopVerdict::Forwarding : HopVerdict::None));
}

TEST_CASE("a device that goes ends the run and is told at once; back, the path is measured at once")
{
    Network network(1);
    network.chain(0, 5);
    Bench bench(network);
    bench.devices.set("eth7", {.index = 7});
    const auto bound = spec(1, {{"target", "192.0.2.1"},
                                {"interval", 60'000},
                                {"cycles", 10},
                                {"timeout", 2'000},
                                {"flows", "1"},
                                {"interface", "eth7"}});
    REQUIRE(bench.sampler->start(bound));
    bench.pass(Seconds(70));  // in the middle of a run
    bench.samples.clear();
    bench.devices.set("eth7", {.problem = "interface eth7 is down", .index = 7});
    bench.pass(Seconds(1));
    REQUIRE(!bench.samples.empty());
    CHECK(bench.samples.back().outcome == Outcome::BindError);
    CHECK(bench.samples.back().reason == "interface eth7 is down");
    for (const auto& sample : bench.samples) CHECK(sample.outcome != Outcome::Lost);
    const auto sent = bench.port->truths.size();
    bench.pass(Seconds(60));
    CHECK(bench.port->truths.size() == sent);
    bench.samples.clear();
    bench.devices.set("eth7", {.index = 9});
    bench.pass(Seconds(1));
    CHECK(bench.port->truths.size() > sent);
    bench.pass(Seconds(4));
    REQUIRE(!bench.samples.empty());
    CHECK(bench.samples[0].outcome == Outcome::Ok);
    CHECK(bench.hops(0).size() == 5);
}

TEST_CASE("an agent's trace is cheap to remember")
{
    Network network(1);
    network.chain(0, 11);
    Bench bench(network);
    REQUIRE(bench.sampler->start(every_second(1)));
    bench.pass(Seconds(40));
    MESSAGE("bytes per trace of 11 hops with 300 probes of each: ", bench.sampler->memory_of(ProbeId{1}));
    CHECK(bench.sampler->memory_of(ProbeId{1}) <= 16'000);
}

TEST_CASE("a destination that does not answer is lost, and the rows tell how far packets came")
{
    Network network(1);
    network.chain(0, 8);
    for (std::size_t node = 5; node <= 8; ++node) network.nodes[node].filters = true;
    Bench bench(network);
    REQUIRE(bench.sampler->start(every_second(1)));
    bench.pass(Seconds(8));
    REQUIRE(bench.samples.size() >= 3);
    for (std::size_t i = 0; i < bench.samples.size(); ++i) {
        CHECK(bench.samples[i].outcome == Outcome::Lost);
        CHECK(bench.number(i, "sent") == 10);
        CHECK(bench.number(i, "received") == 0);
        CHECK(bench.number(i, "hop_count") == kAbsent);
        const auto hops = bench.hops(i);
        REQUIRE(hops.size() == 5);
        CHECK((hops[4].address.empty() && hops[4].answer == HopAnswer::None && hops[4].received == 0));
        CHECK(hops[4].verdict == HopVerdict::Filtered);
    }
}

TEST_CASE("whoever refuses is named")
{
    Network network(1);
    network.chain(0, 6);
    network.nodes[4].refuses = true;
    Bench bench(network);
    REQUIRE(bench.sampler->start(every_second(1)));
    bench.pass(Seconds(4));
    REQUIRE(bench.samples.size() >= 2);
    CHECK(bench.samples[1].outcome == Outcome::Unreachable);
    CHECK(bench.samples[1].reason == "icmp 3/13 from 10.0.0.4");
    CHECK(bench.number(1, "unreachable") == 10);
    CHECK(bench.hops(1).back().answer == HopAnswer::Unreachable);
}

TEST_CASE("own trouble is told in every run and never blames the target")
{
    Network network(1);
    network.chain(0, 3);
    Bench bench(network);
    bench.port->obstacle = NotReady{Outcome::BindError, "interface wan1 is down"};
    for (const bool explore : {false, true}) {
        bench.samples.clear();
        const auto id = explore ? 2U : 1U;
        bench.port->obstacle = NotReady{Outcome::BindError, "interface wan1 is down"};
        const auto sent = bench.port->sent.size();
        REQUIRE(bench.sampler->start(every_second(id, explore ? "mda" : "1")));
        bench.pass(Seconds(5));
        CHECK(bench.port->sent.size() == sent);
        REQUIRE(bench.samples.size() >= 5);
        for (std::size_t i = 0; i < bench.samples.size(); ++i) {
            CHECK(bench.samples[i].outcome == Outcome::BindError);
            CHECK(bench.samples[i].reason == "interface wan1 is down");
            CHECK(bench.number(i, "sent") == kAbsent);
        }
        bench.port->obstacle.reset();
        bench.pass(Seconds(3));
        CHECK(bench.samples.back().outcome == Outcome::Ok);
        bench.sampler->stop(ProbeId{id});
    }
}

TEST_CASE("runs that the agent slept through are told, and every run has one sample")
{
    Network network(1);
    network.chain(0, 3);
    Bench bench(network);
    REQUIRE(bench.sampler->start(every_second(1)));
    bench.pass(Seconds(5));
    bench.clock.advance(Seconds(5));
    bench.pass(Seconds(5));
    std::set<std::int64_t> starts;
    const auto phase = phase_of(ProbeId{1}, Seconds(1));  // a run begins on it, or late
    for (std::size_t i = 1; i < bench.samples.size(); ++i)
        CHECK(starts.insert((Nanos(bench.samples[i].at.time_since_epoch()) - phase) / Seconds(1)).second);
    CHECK(*starts.rbegin() - *starts.begin() + 1 == std::int64_t(starts.size()));
    CHECK(std::ranges::count(bench.samples, Outcome::NotMeasured, &Sample::outcome) >= 4);
}

TEST_CASE("branches are found beside the first runs, and each path has its rows")
{
    Network network(11);
    const auto split = network.chain(0, 2);
    std::vector<std::size_t> branches;
    for (int i = 0; i < 3; ++i) branches.push_back(network.chain(split, 1));
    network.chain(network.add(branches), 1);
    Bench bench(network);
    REQUIRE(bench.sampler->start(every_second(1, "mda")));
    bench.pass(Seconds(20));
    REQUIRE(bench.samples.size() >= 15);
    // Not one run waited for it.
    CHECK(bench.number(0, "path_count") == 1);
    CHECK(bench.number(0, "sent") == 10);
    const auto last = bench.samples.size() - 1;
    CHECK(bench.number(last, "path_count") == 3);
    CHECK(bench.number(last, "sent") == 30);
    std::set<std::string> at_split;
    for (const auto& hop : bench.hops(last)) {
        CHECK((hop.sent == 10 && hop.received == 10));
        if (hop.ttl == 3) at_split.insert(hop.address);
    }
    CHECK(at_split == std::set{bytes_of(branches[0]), bytes_of(branches[1]), bytes_of(branches[2])});
}

TEST_CASE("a path that changes is searched for branches again at once; packets balanced one by one are not, for long")
{
    Network network(11);
    const auto split = network.chain(0, 2);
    const auto a = network.chain(split, 1), b = network.chain(split, 1);
    const auto merged = network.add({a, b});
    network.chain(merged, 1);
    Bench bench(network);
    REQUIRE(bench.sampler->start(every_second(1, "mda")));
    bench.pass(Seconds(10));
    CHECK(bench.number(bench.samples.size() - 1, "path_count") == 2);
    const auto c = network.add({split}), d = network.add({split});
    for (const auto node : {c, d}) network.nodes[node].next = {merged};
    network.nodes[split].next = {c, d, a};  // another set of branches, and flows fall elsewhere
    bench.pass(Seconds(15));
    CHECK(bench.number(bench.samples.size() - 1, "path_count") == 3);
    network.nodes[split].per_packet = true;
    bench.pass(Seconds(60));
    const auto before = bench.port->sent.size();
    bench.pass(Seconds(60));
    const auto flows = bench.number(bench.samples.size() - 1, "path_count");
    // Measuring takes flows x 10 x 5 a second; looking for branches a hundred or two, a few times at most.
    CHECK(bench.port->sent.size() - before <= std::size_t(60 * flows * 50 + 1'000));
}

TEST_CASE("names of routers come when they are known, and no run waits for them")
{
    Network network(1);
    network.chain(0, 2);
    Bench bench(network);
    REQUIRE(bench.sampler->start(every_second(1)));
    bench.pass(Seconds(3));
    for (const auto& hop : bench.hops(0)) CHECK(hop.name.empty());
    // The lookups' threads have done their part by the time their work is joined through the loop.
    const auto deadline = std::chrono::steady_clock::now() + Seconds(10);
    std::size_t named = 0;
    while (named < 2 && std::chrono::steady_clock::now() < deadline) {
        bench.loop.restart();
        bench.loop.run_for(Millis(5));
        bench.pass(Seconds(1));
        const auto hops = bench.hops(bench.samples.size() - 1);
        named = std::size_t(std::ranges::count_if(hops, [](const PathHop& hop) { return !hop.name.empty(); }));
    }
    CHECK(bench.hops(bench.samples.size() - 1)[0].name == "hop10.0.0.1.example");
}

TEST_CASE("the path MTU and the place of a black hole come with the next run, and each hop with what reaches it")
{
    Network network(1);
    network.chain(0, 7);
    network.nodes[3].mtu = 1450;
    network.nodes[6].mtu = 1300;
    network.nodes[6].mute_about_mtu = true;
    Bench bench(network);
    auto with = every_second(1);
    with.settings["mtu_discovery"] = 1;
    REQUIRE(bench.sampler->start(with));
    bench.pass(Seconds(90));
    std::vector<std::size_t> told;
    for (std::size_t i = 0; i < bench.samples.size(); ++i) {
        CHECK(bench.number(i, "sent") == 10);  // beside it, measuring goes on
        CHECK(bench.number(i, "received") == 10);
        if (bench.number(i, "mtu") != kAbsent) told.push_back(i);
    }
    REQUIRE(told.size() == 1);
    CHECK(bench.number(told[0], "mtu") == 1300);
    CHECK(bench.number(told[0], "black_hole_ttl") == 5);
    for (const auto& hop : bench.hops(told[0])) CHECK(hop.mtu == (hop.ttl <= 2 ? 1500U : hop.ttl <= 5 ? 1450U : 1300U));
    bench.pass(std::chrono::minutes(11));
    CHECK(
        std::ranges::count_if(
            bench.samples, [](const Sample& sample) { return sample.numbers[*kinds::path.column_index("mtu")] != kAbsent; })
        == 2);
}

TEST_CASE("a destination that answers UDP with data is reached")
{
    Network network(1);
    network.chain(0, 5);
    network.nodes[5].answers_with_data = true;
    network.nodes[4].silent = true;
    Bench bench(network);
    auto with = every_second(1);
    with.settings["protocol"] = "udp";
    REQUIRE(bench.sampler->start(with));
    bench.pass(Seconds(6));
    REQUIRE(bench.samples.size() >= 3);
    for (std::size_t i = 0; i < bench.samples.size(); ++i) {
        CHECK(bench.samples[i].outcome == Outcome::Ok);
        CHECK(bench.number(i, "received") == 10);
        CHECK(bench.number(i, "hop_count") == 5);
        CHECK(bench.number(i, "rtt_max") == 10'000);
    }
}

TEST_CASE("an edit leaves no run without a sample and takes effect at once")
{
    Network network(1);
    network.chain(0, 4);
    Bench bench(network);
    REQUIRE(bench.sampler->start(every_second(1)));
    bench.pass(Millis(2'300));
    auto changed = every_second(1);
    changed.settings["target"] = "192.0.2.9";
    REQUIRE(bench.sampler->start(changed));
    bench.pass(Seconds(4));
    CHECK(to_text(bench.port->sent.back().to.address) == "192.0.2.9");
    CHECK(bench.samples.back().address == std::string("\xc0\x00\x02\x09", 4));
    std::set<std::int64_t> at;
    for (const auto& sample : bench.samples) at.insert(sample.at.time_since_epoch().count());
    CHECK(at.size() == bench.samples.size());
    for (auto before = at.begin(), after = std::next(before); after != at.end(); ++before, ++after)
        CHECK(*after - *before <= 2'000'000);
    bench.sampler->stop(ProbeId{1});
    const auto count = bench.samples.size();
    const auto sent = bench.port->sent.size();
    bench.pass(Seconds(3));
    CHECK(bench.samples.size() == count);
    CHECK(bench.port->sent.size() == sent);
}

TEST_CASE("settings that cannot be kept are refused with the field's name")
{
    Network network(1);
    network.chain(0, 2);
    Bench bench(network);
    const auto refused = [&](Settings given) {
        const auto status = bench.sampler->start(spec(1, std::move(given)));
        return status || status.error().fields.empty() ? "" : status.error().fields.at(0).field;
    };
    CHECK(refused({{"target", "192.0.2.1"}, {"interval", 1'000}, {"cycles", 100}}) == "");
    CHECK(refused({{"target", "192.0.2.1"}, {"family", "v6"}}) == "settings.family");
    bench.policy = Policy({}, {*packet::parse_prefix("192.0.2.0/24")});
    CHECK(bench.sampler->start(spec(2, {{"target", "192.0.2.1"}})).error().code == Errc::Denied);
}

TEST_CASE("a run that somebody waits for: progress, one sample, and nothing of it among the probes")
{
    Network network(1);
    network.chain(0, 6);
    Bench bench(network);
    std::vector<Progress> told;
    const auto sink = [&](const Progress& progress) { told.push_back(progress); };
    const Settings once{{"target", "192.0.2.1"}, {"interval", 2'000}, {"cycles", 4}, {"timeout", 500}, {"flows", "1"}};
    REQUIRE(bench.sampler->measure_once(spec(7, once), sink));
    bench.pass(Millis(1'200));
    REQUIRE(told.size() >= 3);
    CHECK(told.size() < 10);
    CHECK((told.back().steps == 4 && told.back().steps_done == 3 && !told.back().done));
    const auto hops = [](const Progress& progress) {
        return decode_hops(progress.sample.bytes[*kinds::path.column_index("hops")]).value().size();
    };
    CHECK(hops(told.back()) == 6);
    bench.pass(Seconds(3));
    CHECK(told.back().done);
    CHECK(told.back().steps_done == 4);
    CHECK(told.back().sample.outcome == Outcome::Ok);
    CHECK(hops(told.back()) == 6);
    CHECK(std::ranges::count_if(told, &Progress::done) == 1);
    CHECK(bench.samples.empty());
    CHECK(bench.sampler->is_idle());

    told.clear();
    REQUIRE(bench.sampler->measure_once(spec(8, once), sink));
    bench.pass(Millis(700));
    bench.sampler->stop(ProbeId{8});
    bench.pass(Seconds(3));
    CHECK(std::ranges::none_of(told, &Progress::done));
    CHECK(bench.sampler->is_idle());
    CHECK_FALSE(bench.sampler->measure_once(spec(9, {{"target", "192.0.2.1"}, {"family", "v6"}}), sink));
}

}  // namespace nw::probe::path
