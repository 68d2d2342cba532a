#include "agent/failover_watch.hpp"

#include "base/testing.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace nw::agent {
namespace {

// A host with eth0 (index 2) and eth1 (index 3); default routes by name and metric.
HostNetwork host(const std::vector<std::pair<std::string, std::uint32_t>>& defaults, bool eth0_carrier = true)
{
    HostNetwork network{.interfaces = {{.name = "eth0", .index = 2, .up = true, .carrier = eth0_carrier},
                                       {.name = "eth1", .index = 3, .up = true, .carrier = true}}};
    for (const auto& [name, metric] : defaults)
        network.routes.push_back({.interface = name, .metric = metric, .type = kUnicastRoute});
    std::ranges::sort(network.routes);
    return network;
}

struct Watch {
    FailoverWatch watch{};
    Instant zero{Seconds(100)};

    Instant at(int ms) const { return zero + Millis(ms); }
    std::optional<Failover> settled(int ms, const HostNetwork& network)
    {
        return watch.settled(network, false, at(ms), from_us(1'000'000 + ms * 1000));
    }
};

}  // namespace

TEST_CASE("a link that is lost and a route that takes over later: the time in between")
{
    Watch w;
    CHECK_FALSE(w.settled(0, host({{"eth0", 100}})));
    w.watch.link_changed(2, false, w.at(1000));
    CHECK_FALSE(w.settled(1250, host({{"eth0", 100}}, false)));  // the kernel still sends into the void
    w.watch.default_route_changed(false, 3, false, w.at(3400));
    const auto moved = w.settled(3650, host({{"eth0", 100}, {"eth1", 50}}, false));
    REQUIRE(moved);
    CHECK(moved->from == "eth0");
    CHECK(moved->to == "eth1");
    CHECK(moved->took_us == 2'400'000);
    CHECK(moved->at_us == 1'000'000 + 3'400'000);
}

TEST_CASE("a second route that was there already takes over at once")
{
    Watch w;
    CHECK_FALSE(w.settled(0, host({{"eth0", 100}, {"eth1", 200}})));
    w.watch.link_changed(2, false, w.at(1000));
    const auto moved = w.settled(1250, host({{"eth1", 200}}, false));
    REQUIRE(moved);
    CHECK(moved->took_us == 0);
    CHECK(moved->at_us == 1'000'000 + 1'000'000);
}

TEST_CASE("a time without any default route belongs to the failover")
{
    Watch w;
    CHECK_FALSE(w.settled(0, host({{"eth0", 100}})));
    w.watch.default_route_changed(false, 2, true, w.at(500));
    CHECK_FALSE(w.settled(750, host({})));
    w.watch.default_route_changed(false, 3, false, w.at(2000));
    const auto moved = w.settled(2250, host({{"eth1", 100}}));
    REQUIRE(moved);
    CHECK(moved->took_us == 1'500'000);
}

TEST_CASE("going back to a better uplink took no time that could be measured")
{
    Watch w;
    CHECK_FALSE(w.settled(0, host({{"eth1", 200}})));
    w.watch.default_route_changed(false, 2, false, w.at(800));
    const auto moved = w.settled(1050, host({{"eth0", 100}, {"eth1", 200}}));
    REQUIRE(moved);
    CHECK(moved->to == "eth0");
    CHECK_FALSE(moved->took_us);
    CHECK(moved->at_us == 1'000'000 + 800'000);
}

TEST_CASE("an uplink that comes back before another took over was never left")
{
    Watch w;
    CHECK_FALSE(w.settled(0, host({{"eth0", 100}})));
    w.watch.link_changed(2, false, w.at(500));
    CHECK_FALSE(w.settled(750, host({})));
    w.watch.link_changed(2, true, w.at(900));
    w.watch.default_route_changed(false, 2, false, w.at(950));
    CHECK_FALSE(w.settled(1150, host({{"eth0", 100}})));
    // And what is lost later is timed from then.
    w.watch.link_changed(2, false, w.at(5000));
    w.watch.default_route_changed(false, 3, false, w.at(5100));
    const auto moved = w.settled(5250, host({{"eth1", 100}}));
    REQUIRE(moved);
    CHECK(moved->took_us == 100'000);
}

TEST_CASE("families move by themselves, other tables and other devices do not count")
{
    Watch w;
    auto network = host({{"eth0", 100}});
    network.routes.push_back({.v6 = true, .interface = "eth1", .metric = 1024, .type = kUnicastRoute});
    network.routes.push_back({.table = 100, .interface = "eth1", .metric = 1, .type = kUnicastRoute});
    CHECK_FALSE(w.watch.settled(network, true, w.at(0), from_us(0)));
    CHECK_FALSE(w.settled(0, network));
    w.watch.link_changed(3, false, w.at(100));
    CHECK_FALSE(w.settled(350, network));
}

}  // namespace nw::agent
