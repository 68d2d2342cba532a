#include "agent/network_builder.hpp"

#include "base/testing.hpp"

#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

namespace nw::agent {
namespace {

using namespace probe::rtnetlink;

constexpr std::uint32_t kLowerUp = 1U << 16;  // IFF_LOWER_UP, of a header that cannot stand beside net/if.h
constexpr std::uint32_t kUp = std::uint32_t(IFF_UP) | IFF_RUNNING | kLowerUp;
const std::string kV4("\xc0\x00\x02\x01", 4);
const std::string kV6(16, '\x20');

LinkMessage link(std::uint32_t index, std::string name, std::string kind = "", std::uint32_t flags = kUp)
{
    return {.index = index, .hardware = ARPHRD_ETHER, .flags = flags, .name = std::move(name), .kind = std::move(kind)};
}

RouteMessage route(std::uint8_t prefix, std::uint32_t device, std::uint32_t metric = 0)
{
    return {.table = kMainTable,
            .prefix = prefix,
            .type = RTN_UNICAST,
            .metric = metric,
            .destination = prefix == 0 ? "" : kV4,
            .hops = {{.index = device}}};
}

}  // namespace

TEST_CASE("indices become names, and kinds what people call them")
{
    NetworkBuilder builder;
    builder.apply(link(2, "eth0"));
    auto vlan = link(7, "eth0.20", "vlan");
    vlan.parent = 2;
    vlan.master = 9;
    builder.apply(vlan);
    builder.apply(link(9, "br0", "bridge"));
    builder.apply(route(0, 7));
    const auto network = builder.build();
    REQUIRE(network.interfaces.size() == 3);
    const auto* found = network.find("eth0.20");
    REQUIRE(found);
    CHECK(found->kind == LinkKind::Vlan);
    CHECK(found->parent == "eth0");
    CHECK(found->master == "br0");
    REQUIRE(best_default(network, false));
    CHECK(best_default(network, false)->interface == "eth0.20");
    CHECK(bindable_names(network) == std::vector<std::string>{"br0", "eth0", "eth0.20"});
}

TEST_CASE("states of a link as the kernel's flags tell them")
{
    const auto state = [](std::uint32_t flags, std::uint8_t operational) {
        NetworkBuilder builder;
        auto one = link(2, "eth0", "", flags);
        one.operational = operational;
        builder.apply(one);
        return builder.build().interfaces.at(0).state;
    };
    CHECK(state(0, 2) == LinkState::Down);
    CHECK(state(IFF_UP, 2) == LinkState::NoCarrier);
    CHECK(state(std::uint32_t(IFF_UP) | kLowerUp, 5) == LinkState::Dormant);
    CHECK(state(kUp, 6) == LinkState::Up);
    CHECK(state(kUp, 0) == LinkState::Up);  // tunnels and loopback never say more than "unknown"
}

TEST_CASE("privacy addresses are IPv6 only: the same bit of IPv4 means a second address")
{
    NetworkBuilder builder;
    builder.apply(link(2, "eth0"));
    builder.apply(AddressMessage{.index = 2, .address = kV4, .prefix = 24, .flags = IFA_F_TEMPORARY});
    builder.apply(AddressMessage{.index = 2,
                                 .address = kV6,
                                 .prefix = 64,
                                 .scope = RT_SCOPE_LINK,
                                 .flags = std::uint32_t(IFA_F_TEMPORARY) | IFA_F_DEPRECATED});
    builder.apply(AddressMessage{.index = 3, .address = kV4, .prefix = 24});  // of a link that is gone
    const auto network = builder.build();
    const auto& addresses = network.interfaces.at(0).addresses;
    REQUIRE(addresses.size() == 2);
    CHECK_FALSE(addresses[0].temporary);
    CHECK(addresses[1].temporary);
    CHECK(addresses[1].deprecated);
    CHECK(addresses[1].scope == AddressScope::Link);
}

TEST_CASE("of very many routes the default ones are kept, and the report says how many there are")
{
    NetworkBuilder builder;
    builder.apply(link(2, "eth0"));
    for (std::uint32_t i = 0; i < 2 * kRoutesMax; ++i) builder.apply(route(32, 2, i));
    builder.apply(route(0, 2));
    auto cached = route(32, 2);
    cached.cached = true;
    builder.apply(cached);
    const auto network = builder.build();
    CHECK(network.routes.size() == kRoutesMax);
    CHECK(network.routes_total == 2 * kRoutesMax + 1);
    CHECK(network.truncated());
    CHECK(best_default(network, false));
}

TEST_CASE("a name that is no text is left out, and a route through it names no device")
{
    NetworkBuilder builder;
    builder.apply(link(2, "bad\x1b[2J"));
    builder.apply(link(3, "eth0"));
    builder.apply(route(0, 2));
    builder.apply(RuleMessage{.priority = 5, .iif = "x\ny"});
    const auto network = builder.build();
    CHECK(network.interfaces.size() == 1);
    CHECK(network.routes.at(0).interface.empty());
    CHECK(network.rules.empty());
}

TEST_CASE("a dump that is begun anew forgets what the first attempt said")
{
    NetworkBuilder builder;
    builder.apply(link(2, "eth0"));
    builder.apply(route(0, 2));
    builder.forget_links();
    builder.forget_routes();
    builder.apply(link(3, "eth1"));
    const auto network = builder.build();
    CHECK(network.interfaces.size() == 1);
    CHECK(network.routes.empty());
    CHECK(network.routes_total == 0);
}

}  // namespace nw::agent
