#include "agent/network_reporter.hpp"

#include "base/testing.hpp"

#include <atomic>
#include <chrono>
#include <mutex>

namespace nw::agent {
namespace {

class ScriptedSource final : public NetworkSource {
public:
    explicit ScriptedSource(Loop& loop) : changed_(loop) {}

    Task<Result<NetworkEvents>> next() override
    {
        while (!told_) {
            changed_.expires_at(Timer::time_point::max());
            const auto [stopped] = co_await changed_.async_wait(nothrow);
            if (stopped && !told_) co_return NetworkEvents{};
        }
        told_ = false;
        co_return std::exchange(events_, {});
    }
    Result<HostNetwork> read() override
    {
        const std::lock_guard lock(mutex_);
        ++reads;
        return network_;
    }
    void set(HostNetwork network, NetworkEvents events = {})
    {
        {
            const std::lock_guard lock(mutex_);
            network_ = std::move(network);
        }
        events_ = std::move(events);
        told_ = true;
        changed_.cancel();
    }

    std::atomic<int> reads = 0;

private:
    Timer changed_;
    std::mutex mutex_{};
    HostNetwork network_{};  // under mutex_
    NetworkEvents events_{};
    bool told_ = false;
};

HostNetwork host(std::uint32_t mtu)
{
    return {.hostname = "h",
            .interfaces = {{.name = "eth0", .index = 2, .mtu = mtu, .up = true, .carrier = true}},
            .interfaces_total = 1};
}

struct Bench {
    Loop loop{};
    Pool reading{1};
    std::unique_ptr<spool::Spool> spool;
    Pool disk{1};
    SystemClock clock{};
    ScriptedSource source{loop};
    NetworkReporter reporter{loop, reading, disk, *spool, clock, source, Log(), Millis(2)};
    TaskGroup tasks{loop.get_executor(), Log()};
    int changes = 0;

    explicit Bench(const std::filesystem::path& folder, HostNetwork first = host(1500))
        : spool(*spool::Spool::open(folder / "spool.db", {}, 1))
    {
        reporter.restore();
        const int before = source.reads;
        source.set(std::move(first));
        reporter.start(tasks, [this] { ++changes; });
        until([&] { return source.reads > before; });
        testing::run(loop, reporter.first_read(Seconds(20)));
    }
    ~Bench()
    {
        testing::run(loop, tasks.close());
        disk.join();
    }

    template <class Done>
    void until(Done done)
    {
        const auto limit = std::chrono::steady_clock::now() + Seconds(20);
        loop.restart();
        while (!done() && std::chrono::steady_clock::now() < limit) loop.run_one_until(limit);
        CHECK(done());
    }
    void change(HostNetwork network, NetworkEvents events = {})
    {
        const auto before = changes;
        source.set(std::move(network), std::move(events));
        until([&] { return changes > before; });
    }
};

}  // namespace

TEST_CASE("each change is a report with the next number, and waits until the controller has it")
{
    testing::ScratchDir dir;
    Bench bench(dir.path());
    REQUIRE(bench.reporter.after(0));
    CHECK(bench.reporter.after(0)->number == 1);
    bench.change(host(1400));
    bench.change(host(1300));
    CHECK(bench.reporter.after(1)->network.interfaces[0].mtu == 1400);
    bench.reporter.kept(2);
    CHECK(bench.reporter.after(0)->number == 3);
    bench.reporter.kept(3);
    CHECK(bench.reporter.after(3) == nullptr);
    bench.change(host(1200));
    CHECK(bench.reporter.after(3)->number == 4);
}

TEST_CASE("an event after which everything is as before is no report, and many events are one reading")
{
    testing::ScratchDir dir;
    Bench bench(dir.path());
    const int before = bench.source.reads;
    for (int i = 0; i < 50; ++i) bench.source.set(host(1500));
    bench.until([&] { return bench.source.reads == before + 1; });
    bench.change(host(1400));
    CHECK(bench.reporter.after(1)->number == 2);
    CHECK(bench.source.reads <= before + 3);
}

TEST_CASE("when too many reports wait the oldest go, and what they tell of failovers goes with the next")
{
    testing::ScratchDir dir;
    Bench bench(dir.path());
    auto network = host(1500);
    network.interfaces.push_back({.name = "eth1", .index = 3, .mtu = 1500, .up = true, .carrier = true});
    network.routes = {{.interface = "eth0", .metric = 1, .type = kUnicastRoute}};
    bench.change(network);
    network.routes = {{.interface = "eth1", .metric = 1, .type = kUnicastRoute}};
    bench.change(network, {.links = {{.index = 2, .usable = false}}});
    REQUIRE(bench.reporter.after(2)->failovers.size() == 1);
    CHECK(bench.reporter.after(2)->failovers[0].to == "eth1");
    for (std::uint32_t i = 0; i < kReportsKept + 3; ++i) {
        network.interfaces[1].mtu = 2000 + i;
        bench.reporter.set_public("eth1", false, {.address = std::string(4, char(i + 1)), .seen_us = 1});
        bench.change(network);
    }
    const auto* oldest = bench.reporter.after(0);
    REQUIRE(oldest);
    CHECK(oldest->number > 3);
    CHECK(oldest->failovers.size() == 1);
}

TEST_CASE("text that the protocol would refuse is made clean, so that no session ends for it")
{
    testing::ScratchDir dir;
    Bench bench(dir.path());
    auto network = host(1500);
    network.hostname = "bad\x01\xff name";
    bench.reporter.set_public("eth0", false, {.problem = "line\nbreak"});
    bench.change(network);
    const auto* report = bench.reporter.after(1);
    REQUIRE(report);
    CHECK(report->network.hostname == "bad name");
    CHECK(report->network.interfaces[0].public_v4.problem == "linebreak");
    CHECK(wire::decode_interfaces(wire::encode_interfaces(*report)));
}

TEST_CASE("what the controller does not have yet outlives the agent")
{
    testing::ScratchDir dir;
    {
        Bench before(dir.path());
        before.change(host(1400));
        before.change(host(1300));
        before.reporter.kept(1);
    }
    {
        Bench again(dir.path(), host(1300));
        CHECK(again.changes == 0);  // nothing is new since
        REQUIRE(again.reporter.after(1));
        CHECK(again.reporter.after(1)->number == 2);
        CHECK(again.reporter.after(1)->network.interfaces[0].mtu == 1400);
        CHECK(again.reporter.after(2)->network.interfaces[0].mtu == 1300);
        again.change(host(1200));
        CHECK(again.reporter.after(3)->number == 4);
        again.reporter.kept(4);
    }
    Bench last(dir.path(), host(1200));
    CHECK(last.reporter.after(4) == nullptr);
    CHECK(last.reporter.after(0)->number == 4);
}

TEST_CASE("after the host was set back, reports go on behind what the controller has")
{
    testing::ScratchDir dir;
    {
        Bench bench(dir.path());
        bench.change(host(1400));
        bench.reporter.kept(40);
        CHECK(bench.reporter.after(40)->number == 41);
        CHECK(bench.reporter.after(41)->network.interfaces[0].mtu == 1400);
    }
    Bench again(dir.path(), host(1400));
    CHECK(again.changes == 0);
    CHECK(again.reporter.after(40)->number == 41);
}

}  // namespace nw::agent
