#include "model/network_changes.hpp"

#include "base/testing.hpp"

#include <algorithm>

using namespace nw;

namespace {

const std::string kAddress("\xc0\x00\x02\x01", 4);
const std::string kGateway("\xc0\x00\x02\xfe", 4);

Interface interface(std::string name, std::uint32_t index)
{
    return {.name = std::move(name),
            .index = index,
            .kind = LinkKind::Ethernet,
            .mtu = 1500,
            .up = true,
            .carrier = true,
            .state = LinkState::Up,
            .addresses = {{.address = kAddress, .prefix = 24}}};
}

RouteEntry default_via(std::string device, std::uint32_t metric)
{
    return {.gateway = kGateway, .interface = std::move(device), .metric = metric, .protocol = 4, .type = kUnicastRoute};
}

HostNetwork two_uplinks()
{
    HostNetwork network{.interfaces = {interface("eth0", 2), interface("eth1", 3)},
                        .routes = {default_via("eth0", 100), default_via("eth1", 200)}};
    std::ranges::sort(network.routes);
    return network;
}

std::vector<std::string> texts(const HostNetwork& before, const HostNetwork& after)
{
    std::vector<std::string> all;
    for (const auto& change : changes_between(before, after, {})) all.push_back(change.text);
    return all;
}

}  // namespace

TEST_CASE("what changed on a link is told in words, with what it was before and after")
{
    const auto before = two_uplinks();
    CHECK(texts(before, before).empty());
    auto after = before;
    after.interfaces[1].carrier = false;
    after.interfaces[1].mtu = 1400;
    after.interfaces[1].addresses.clear();
    const auto changes = changes_between(before, after, {});
    REQUIRE(changes.size() == 3);
    CHECK(changes[0]
          == NetworkChange{NetworkChangeKind::Link, "eth1", "eth1: carrier lost", "up", "no carrier", {}, {}, {}});
    CHECK(changes[1] == NetworkChange{NetworkChangeKind::Mtu, "eth1", "eth1: MTU 1400", "1500", "1400", {}, {}, {}});
    CHECK(changes[2].text == "eth1: 192.0.2.1/24 removed");
    CHECK(texts(after, before)
          == std::vector<std::string>{"eth1: carrier back", "eth1: MTU 1500", "eth1: 192.0.2.1/24 added"});
}

TEST_CASE("switching off is said once: that it has no carrier then is no news")
{
    auto after = two_uplinks();
    after.interfaces[0].up = after.interfaces[0].carrier = false;
    after.interfaces[0].state = LinkState::Down;
    CHECK(texts(two_uplinks(), after) == std::vector<std::string>{"eth0: switched off"});
}

TEST_CASE("interfaces come, go and are made anew under the same name")
{
    auto after = two_uplinks();
    after.interfaces[1].index = 9;
    after.interfaces.push_back(interface("wwan0", 10));
    CHECK(texts(two_uplinks(), after) == std::vector<std::string>{"eth1: made anew", "wwan0: added, ethernet"});
    CHECK(texts(after, two_uplinks()) == std::vector<std::string>{"wwan0: removed", "eth1: made anew"});
}

TEST_CASE("a default route that goes is told as a route and as a gateway; many routes at once are counted")
{
    auto after = two_uplinks();
    std::erase_if(after.routes, [](const auto& route) { return route.interface == "eth0"; });
    CHECK(texts(two_uplinks(), after)
          == std::vector<std::string>{"IPv4 default route via 192.0.2.254 dev eth1",
                                      "route removed: default via 192.0.2.254 dev eth0 metric 100"});
    auto many = two_uplinks();
    for (int i = 0; i < 20; ++i)
        many.routes.push_back({.destination = std::string("\x0a\x00", 2) + char(i) + '\0',
                               .prefix = 24,
                               .interface = "eth1",
                               .protocol = 12,
                               .type = kUnicastRoute});
    std::ranges::sort(many.routes);
    CHECK(texts(two_uplinks(), many) == std::vector<std::string>{"20 routes added, 0 removed"});
}

TEST_CASE("local routes that come with an address are no news of their own")
{
    auto after = two_uplinks();
    after.routes.push_back(
        {.table = 255, .destination = kAddress, .prefix = 32, .interface = "eth0", .protocol = 2, .type = 2});
    std::ranges::sort(after.routes);
    CHECK(texts(two_uplinks(), after).empty());
}

TEST_CASE("public addresses and name servers")
{
    auto after = two_uplinks();
    after.interfaces[0].public_v4 = {.address = kAddress, .seen_us = 5};
    after.dns = {kGateway};
    CHECK(texts(two_uplinks(), after)
          == std::vector<std::string>{"eth0: public address 192.0.2.1", "name servers 192.0.2.254"});
    auto lost = after;
    lost.interfaces[0].public_v4 = {.seen_us = 5, .problem = "timed out"};
    CHECK(texts(after, lost) == std::vector<std::string>{"eth0: no public address (timed out)"});
    auto seen = after;
    seen.interfaces[0].public_v4.seen_us = 99;
    CHECK(texts(after, seen).empty());
}

TEST_CASE("failovers come first, with their own time")
{
    const Failover failover{.at_us = 77, .from = "eth0", .to = "eth1", .took_us = 1500};
    const auto changes = changes_between(two_uplinks(), two_uplinks(), std::span(&failover, 1));
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].text == "IPv4 default route moved from eth0 to eth1");
    CHECK(changes[0].at_us == 77);
    CHECK(changes[0].took_us == 1500);
}
