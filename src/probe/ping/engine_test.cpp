#include "base/testing.hpp"
#include "model/kinds/ping.hpp"
#include "probe/devices_testing.hpp"
#include "probe/phase.hpp"
#include "probe/ping/engine.hpp"
#include "probe/policy.hpp"

#include <algorithm>
#include <deque>
#include <map>

namespace nw::probe::ping {
namespace {

// A network of echoes under the test's clock: answers after `rtt`, unless told to be silent.
class ScriptedPort final : public Port {
public:
    explicit ScriptedPort(const Clock& clock) : clock_(clock) {}

    std::uint32_t acquire(const Path& path) override
    {
        paths.push_back(path);
        return std::uint32_t(paths.size() - 1);
    }
    void release(std::uint32_t) override { ++released; }
    std::optional<NotReady> check(std::uint32_t, Moment) override { return obstacle; }
    void send(std::span<const Outgoing> packets, Moment, PortEvents&) override
    {
        const auto now = KernelTime(clock_.wall());
        for (const auto& packet : packets) {
            sent.push_back(packet);
            sent_at.push_back(now);
            if (!silent) flying_.push_back({packet.id, now, now + rtt});
        }
    }
    void receive(PortEvents& events) override
    {
        const auto now = KernelTime(clock_.wall());
        while (!flying_.empty() && flying_.front().arrives <= now) {
            events.on_transmitted(flying_.front().id, flying_.front().left);
            events.on_reply({.id = flying_.front().id, .received = flying_.front().arrives, .ttl = std::uint8_t{60}});
            flying_.pop_front();
        }
    }

    std::vector<Path> paths{};
    std::vector<Outgoing> sent{};
    std::vector<KernelTime> sent_at{};
    std::optional<NotReady> obstacle{};
    Nanos rtt = Millis(7);
    bool silent = false;
    int released = 0;

private:
    struct Flying {
        Identity id{};
        KernelTime left{};
        KernelTime arrives{};
    };
    const Clock& clock_;
    std::deque<Flying> flying_{};
};

struct Bench {
    testing::ManualClock clock{};
    Loop loop{};
    Pool pool{1};
    SeededRandom random{4};
    Resolver resolver{loop, pool, clock};
    Policy policy{};
    std::vector<Sample> samples{};
    ScriptedDevices devices{};
    ScriptedPort* port = nullptr;
    std::unique_ptr<PingEngine> engine{};

    explicit Bench(Policy rules = {}) : policy(std::move(rules))
    {
        auto scripted = std::make_unique<ScriptedPort>(clock);
        port = scripted.get();
        engine = std::make_unique<PingEngine>(
            EngineContext{.loop = loop,
                          .pool = pool,
                          .clock = clock,
                          .random = random,
                          .resolver = resolver,
                          .policy = policy,
                          .sink = [this](Sample sample) { samples.push_back(std::move(sample)); },
                          .devices = &devices},
            std::move(scripted));
    }
    ~Bench() { testing::run(loop, engine->close()); }

    void pass(Nanos time)
    {
        for (Nanos passed{0}; passed < time; passed += Millis(10)) {
            engine->turn();
            clock.advance(Millis(10));
        }
        engine->turn();
    }
    std::int64_t number(std::size_t sample, std::string_view column) const
    {
        return samples[sample].numbers[*kinds::ping.column_index(column)];
    }
};

ProbeSpec spec(std::uint64_t id, Settings given)
{
    auto settings = validated(kinds::ping, given);
    REQUIRE(settings);
    return {.id = ProbeId{id}, .revision = 1, .kind = &kinds::ping, .settings = *std::move(settings)};
}

}  // namespace

TEST_CASE("a new probe has a first result soon, and then one per interval, on its beat")
{
    Bench bench;
    REQUIRE(bench.engine->start(spec(5, {{"target", "192.0.2.1"}, {"interval", 60'000}, {"packets", 20}})));
    bench.pass(Seconds(3));
    REQUIRE(bench.samples.size() == 1);
    CHECK(bench.samples[0].outcome == Outcome::Ok);
    CHECK(bench.number(0, "sent") == 20);
    CHECK(bench.number(0, "received") == 20);
    CHECK(bench.number(0, "rtt_min") == 7'000);
    CHECK(bench.samples[0].clock == ClockSource::Kernel);
    CHECK(bench.samples[0].address == std::string("\xc0\x00\x02\x01", 4));
    bench.pass(Seconds(180));
    REQUIRE(bench.samples.size() >= 3);
    for (std::size_t i = 1; i < bench.samples.size(); ++i) {
        // On its phase, at the next line of the sending grid: always the same one.
        const auto beside = Nanos(bench.samples[i].at.time_since_epoch()) % Seconds(60) - phase_of(ProbeId{5}, Seconds(60));
        CHECK((beside >= Nanos(0) && beside < kWideTick));
        if (i > 1) CHECK((bench.samples[i].at - bench.samples[i - 1].at) == Seconds(60));
    }
}

TEST_CASE("an edit takes effect at once, leaves no gap and sends nothing twice")
{
    Bench bench;
    REQUIRE(bench.engine->start(spec(1, {{"target", "192.0.2.1"}, {"interval", 1'000}, {"packets", 1}})));
    bench.pass(Seconds(5));
    const auto before = bench.port->sent.size();
    REQUIRE(bench.engine->start(spec(1, {{"target", "192.0.2.9"}, {"interval", 2'000}, {"packets", 1}})));
    bench.pass(Millis(100));
    CHECK(bench.port->sent.size() == before + 1);
    bench.pass(Seconds(8));
    for (std::size_t i = before; i < bench.port->sent.size(); ++i) {
        CHECK(to_text(bench.port->sent[i].to.address) == "192.0.2.9");
        CHECK(bench.port->sent_at[i] - bench.port->sent_at[i - 1] <= Seconds(3));
    }
    REQUIRE(bench.engine->start(spec(1, {{"target", "192.0.2.9"}, {"interval", 2'000}, {"packets", 1}})));
    const auto unchanged = bench.port->sent.size();
    bench.pass(Millis(60));
    CHECK(bench.port->sent.size() <= unchanged + 1);  // the same spec again starts nothing anew
}

TEST_CASE("a stopped probe is silent at once and its socket is given back")
{
    Bench bench;
    REQUIRE(bench.engine->start(spec(1, {{"target", "192.0.2.1"}, {"interval", 1'000}, {"packets", 5}})));
    bench.pass(Millis(300));
    bench.engine->stop(ProbeId{1});
    const auto sent = bench.port->sent.size();
    bench.pass(Seconds(3));
    CHECK(bench.port->sent.size() == sent);
    CHECK(bench.samples.empty());
    CHECK(bench.port->released == 1);
    CHECK(bench.engine->idle());
}

TEST_CASE("an interface that is down is told in every run, and nothing is sent elsewhere")
{
    Bench bench;
    bench.port->obstacle = NotReady{Outcome::BindError, "interface eth7 is down"};
    REQUIRE(
        bench.engine->start(spec(1, {{"target", "192.0.2.1"}, {"interval", 1'000}, {"packets", 2}, {"interface", "eth7"}})));
    bench.pass(Seconds(3));
    CHECK(bench.port->sent.empty());
    CHECK(bench.port->paths[0].device == "eth7");
    REQUIRE(bench.samples.size() >= 3);
    for (const auto& sample : bench.samples) {
        CHECK(sample.outcome == Outcome::BindError);
        CHECK(sample.reason == "interface eth7 is down");
    }
    bench.port->obstacle.reset();
    bench.samples.clear();
    bench.pass(Seconds(2));
    REQUIRE(!bench.samples.empty());
    CHECK(bench.samples.back().outcome == Outcome::Ok);
}

TEST_CASE("a device that goes is told at once, and again in every run; back, it is measured at once")
{
    Bench bench;
    const DeviceState up{.index = 7};
    const DeviceState down{.problem = "interface eth7 is down", .index = 7};
    bench.devices.set("eth7", up);
    REQUIRE(bench.engine->start(
        spec(1, {{"target", "192.0.2.1"}, {"interval", 60'000}, {"packets", 20}, {"interface", "eth7"}})));
    REQUIRE(bench.engine->start(spec(2, {{"target", "192.0.2.2"}, {"interval", 60'000}, {"packets", 20}})));
    bench.pass(Seconds(100));  // in the middle of a run
    bench.samples.clear();
    bench.port->silent = true;
    bench.pass(Seconds(3));  // a packet is under way
    const auto sent = bench.port->sent.size();
    bench.devices.set("eth7", down);
    bench.pass(Millis(200));
    REQUIRE(bench.samples.size() == 2);
    CHECK(bench.samples[0].outcome == Outcome::Ok);  // what was measured of the run; what was under way is no loss
    CHECK(bench.number(0, "sent") == bench.number(0, "received"));
    CHECK(bench.number(0, "sent") > 0);
    CHECK(bench.samples[1].outcome == Outcome::BindError);
    CHECK(bench.samples[1].reason == "interface eth7 is down");
    CHECK(bench.port->sent.size() == sent);

    bench.port->silent = false;
    bench.pass(Seconds(120));
    const auto of_first = [&](Outcome outcome) {
        return std::ranges::count_if(bench.samples,
                                     [&](const auto& s) { return s.probe == ProbeId{1} && s.outcome == outcome; });
    };
    CHECK(of_first(Outcome::BindError) >= 3);
    CHECK(of_first(Outcome::Lost) == 0);

    bench.samples.clear();
    bench.devices.set("eth7", {.index = 9});  // made anew
    const auto before = bench.port->sent.size();
    bench.pass(Seconds(3));
    CHECK(of_first(Outcome::Ok) == 1);
    CHECK(bench.port->sent.size() >= before + 20);
}

TEST_CASE(
    "another device of the same name begins anew, other reasons for the same trouble do not, and others are left alone")
{
    Bench bench;
    bench.devices.set("eth7", {.index = 7});
    bench.devices.set("eth8", {.index = 8});
    REQUIRE(bench.engine->start(
        spec(1, {{"target", "192.0.2.1"}, {"interval", 60'000}, {"packets", 1}, {"interface", "eth7"}})));
    REQUIRE(bench.engine->start(
        spec(2, {{"target", "192.0.2.2"}, {"interval", 60'000}, {"packets", 1}, {"interface", "eth8"}})));
    bench.pass(Seconds(1));
    bench.samples.clear();
    bench.devices.set("eth7", {.index = 12});
    bench.pass(Seconds(1));
    REQUIRE(bench.samples.size() == 1);
    CHECK(bench.samples[0].probe == ProbeId{1});
    bench.devices.set("eth7", {.problem = "interface eth7 is down", .index = 12});
    bench.pass(Seconds(1));
    bench.samples.clear();
    bench.devices.set("eth7", {.problem = "interface eth7 does not exist"});
    bench.pass(Seconds(1));
    CHECK(bench.samples.empty());
}

TEST_CASE("a name is not asked for through a device that leads nowhere: the first run says why")
{
    Bench bench;
    bench.devices.set("eth7", {.problem = "interface eth7 has no carrier", .index = 7});
    REQUIRE(bench.engine->start(
        spec(1, {{"target", "host.example"}, {"interval", 60'000}, {"packets", 1}, {"interface", "eth7"}})));
    bench.pass(Millis(100));
    REQUIRE(bench.samples.size() == 1);
    CHECK(bench.samples[0].outcome == Outcome::BindError);
    CHECK(bench.samples[0].reason == "interface eth7 has no carrier");
}

TEST_CASE("what the local policy denies is refused, whatever the controller wants")
{
    Bench bench(Policy({}, {*packet::parse_prefix("10.0.0.0/8")}));
    const auto denied = bench.engine->start(spec(1, {{"target", "10.1.2.3"}}));
    REQUIRE(!denied);
    CHECK(denied.error().code == Errc::Denied);
    CHECK(bench.engine->start(spec(2, {{"target", "192.0.2.1"}})));
    bench.pass(Seconds(1));
    for (const auto& packet : bench.port->sent) CHECK(to_text(packet.to.address) == "192.0.2.1");
}

TEST_CASE("settings that cannot be kept are refused with the field's name")
{
    Bench bench;
    const auto refused = [&](Settings given) {
        const auto status = bench.engine->start(spec(1, std::move(given)));
        return status ? "" : status.error().fields.at(0).field;
    };
    CHECK(refused({{"target", "192.0.2.1"}, {"interval", 1'000}, {"packets", 1'000}}) == "settings.packets");
    CHECK(refused({{"target", "192.0.2.1"}, {"interval", 1'000}, {"packets", 100}, {"pattern", "burst"}, {"burst_gap", 20}})
          == "settings.burst_gap");
    CHECK(refused({{"target", "192.0.2.1"}, {"family", "v6"}}) == "settings.family");
    CHECK(refused({{"target", "192.0.2.1"}, {"source", "here"}}) == "settings.source");
}

TEST_CASE("the packet budget spreads what would be too much at once")
{
    Bench bench;
    for (std::uint64_t id = 1; id <= 600; ++id)
        REQUIRE(bench.engine->start(spec(id, {{"target", "192.0.2.1"}, {"interval", 60'000}, {"packets", 20}})));
    bench.pass(Seconds(4));
    std::map<std::int64_t, int> per_tick;
    for (const auto when : bench.port->sent_at) ++per_tick[when.time_since_epoch() / Millis(10)];
    for (const auto& [tick, count] : per_tick) CHECK(count <= 202);
    CHECK(std::ranges::count_if(bench.port->sent, [](const Outgoing& packet) { return packet.id.seq < 20; }) == 600 * 20);
}

TEST_CASE("setting the wall clock neither spoils round trips nor loses the beat")
{
    Bench bench;
    REQUIRE(bench.engine->start(spec(3, {{"target", "192.0.2.1"}, {"interval", 1'000}, {"packets", 1}})));
    bench.pass(Seconds(3));
    bench.clock.set_wall(bench.clock.wall() + Micros(7'321'000));
    bench.samples.clear();
    bench.pass(Seconds(5));
    REQUIRE(bench.samples.size() >= 4);
    for (std::size_t i = 0; i < bench.samples.size(); ++i) {
        if (bench.samples[i].outcome != Outcome::Ok) continue;
        CHECK(bench.number(i, "rtt_max") <= 20'000);
        // The sending grid is that of the old time: up to one line beside the new one.
        const auto beside = Nanos(bench.samples[i].at.time_since_epoch()) % Seconds(1) - phase_of(ProbeId{3}, Seconds(1));
        if (i > 1) CHECK((beside >= Nanos(0) && beside < kWideTick));
    }
}

}  // namespace nw::probe::ping
