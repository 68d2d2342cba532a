#include "probe/rtnetlink.hpp"

#include "base/testing.hpp"
#include "probe/devices.hpp"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <vector>

namespace nw::probe::rtnetlink {
namespace {

using Bytes = std::vector<std::byte>;

template <class T>
void put(Bytes& bytes, const T& value)
{
    const auto* begin = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), begin, begin + sizeof value);
}

void put_attribute(Bytes& bytes, int type, std::string_view value)
{
    put(bytes, rtattr{std::uint16_t(sizeof(rtattr) + value.size()), std::uint16_t(type)});
    for (const char c : value) bytes.push_back(std::byte(c));
    while (bytes.size() % 4 != 0) bytes.push_back(std::byte{0});
}

std::string number(std::uint32_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }
std::string nul_ended(std::string_view text) { return std::string(text) + '\0'; }
std::string as_text(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Bytes message(std::uint16_t type, const Bytes& body, std::uint16_t flags = 0)
{
    Bytes bytes;
    nlmsghdr head{};
    head.nlmsg_len = std::uint32_t(sizeof head + body.size());
    head.nlmsg_type = type;
    head.nlmsg_flags = flags;
    put(bytes, head);
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
}

Bytes link(std::uint16_t type, int index, std::string_view name, unsigned flags, std::uint8_t family = AF_UNSPEC)
{
    Bytes body;
    ifinfomsg head{};
    head.ifi_family = family;
    head.ifi_index = index;
    head.ifi_type = 1;
    head.ifi_flags = flags;
    put(body, head);
    put_attribute(body, IFLA_IFNAME, nul_ended(name));
    put_attribute(body, IFLA_MTU, number(1492));
    put_attribute(body, IFLA_ADDRESS, std::string("\x02\x11\x22\x33\x44\x55", 6));
    put_attribute(body, IFLA_OPERSTATE, std::string("\x06", 1));
    Bytes info;
    put_attribute(info, IFLA_INFO_KIND, nul_ended("vlan"));
    put_attribute(body, IFLA_LINKINFO, as_text(info));
    put_attribute(body, IFLA_LINK, number(2));
    put_attribute(body, IFLA_MASTER, number(9));
    return message(type, body);
}

Bytes address(std::uint16_t type, int index, std::string_view bytes, std::uint32_t flags = 0)
{
    Bytes body;
    ifaddrmsg head{};
    head.ifa_family = bytes.size() == 4 ? AF_INET : AF_INET6;
    head.ifa_prefixlen = 24;
    head.ifa_index = std::uint32_t(index);
    put(body, head);
    put_attribute(body, IFA_ADDRESS, bytes);
    put_attribute(body, IFA_FLAGS, number(flags));
    return message(type, body);
}

std::vector<Message> read(const Bytes& datagram, bool whole = true)
{
    std::vector<Message> all;
    CHECK(read_messages(datagram, [&](const Message& one) { all.push_back(one); }) == whole);
    return all;
}

constexpr unsigned kUp = IFF_UP | IFF_RUNNING;
const std::string kV4("\xc0\x00\x02\x01", 4);
const std::string kV6(16, '\x20');

}  // namespace

TEST_CASE("a link with everything that is told of it")
{
    const auto all = read(link(RTM_NEWLINK, 7, "eth1.20", kUp));
    REQUIRE(all.size() == 1);
    const auto& found = std::get<LinkMessage>(all[0]);
    CHECK(found.name == "eth1.20");
    CHECK(found.index == 7);
    CHECK(found.kind == "vlan");
    CHECK(found.mtu == 1492);
    CHECK(found.mac.size() == 6);
    CHECK(found.operational == 6);
    CHECK(found.parent == 2);
    CHECK(found.master == 9);
    CHECK(found.running());
    CHECK_FALSE(found.removed);
}

TEST_CASE("a bridge that lets go of a port does not end the device; a radio's events are not the link's")
{
    CHECK(read(link(RTM_DELLINK, 7, "eth1", kUp, AF_BRIDGE)).empty());
    Bytes body;
    ifinfomsg head{};
    head.ifi_index = 7;
    put(body, head);
    put_attribute(body, IFLA_IFNAME, nul_ended("wlan0"));
    put_attribute(body, IFLA_WIRELESS, "scan");
    CHECK(read(message(RTM_NEWLINK, body)).empty());
}

TEST_CASE("the other end of a pair in another namespace is no parent")
{
    Bytes body;
    ifinfomsg head{};
    head.ifi_index = 7;
    put(body, head);
    put_attribute(body, IFLA_IFNAME, nul_ended("veth0"));
    put_attribute(body, IFLA_LINK, number(3));
    put_attribute(body, IFLA_LINK_NETNSID, number(0));
    CHECK(std::get<LinkMessage>(read(message(RTM_NEWLINK, body)).at(0)).parent == 0);
}

TEST_CASE("addresses: the own one of a point-to-point link, and which can be used")
{
    Bytes body;
    ifaddrmsg head{};
    head.ifa_family = AF_INET;
    head.ifa_prefixlen = 32;
    head.ifa_index = 4;
    put(body, head);
    put_attribute(body, IFA_ADDRESS, std::string("\x0a\0\0\x02", 4));
    put_attribute(body, IFA_LOCAL, std::string("\x0a\0\0\x01", 4));
    CHECK(std::get<AddressMessage>(read(message(RTM_NEWADDR, body)).at(0)).address == std::string("\x0a\0\0\x01", 4));
    const auto usable = [](std::uint32_t flags) {
        return std::get<AddressMessage>(read(address(RTM_NEWADDR, 4, kV6, flags)).at(0)).usable();
    };
    CHECK(usable(IFA_F_PERMANENT));
    CHECK_FALSE(usable(IFA_F_TENTATIVE));
    CHECK(usable(IFA_F_TENTATIVE | IFA_F_OPTIMISTIC));
    CHECK_FALSE(usable(IFA_F_DADFAILED));
}

TEST_CASE("routes: a gateway of the other family, several next hops, tables beyond 255")
{
    Bytes body;
    rtmsg head{};
    head.rtm_family = AF_INET;
    head.rtm_table = RT_TABLE_COMPAT;
    head.rtm_type = RTN_UNICAST;
    put(body, head);
    put_attribute(body, RTA_TABLE, number(1000));
    put_attribute(body, RTA_PRIORITY, number(50));
    put_attribute(body, RTA_OIF, number(3));
    put_attribute(body, RTA_VIA, std::string("\x0a\0", 2) + kV6);
    const auto route = std::get<RouteMessage>(read(message(RTM_NEWROUTE, body)).at(0));
    CHECK(route.table == 1000);
    CHECK(route.metric == 50);
    REQUIRE(route.hops.size() == 1);
    CHECK(route.hops[0].gateway == kV6);

    Bytes several;
    put(several, head);
    Bytes hops;
    for (const int index : {3, 4}) {
        Bytes hop;
        put_attribute(hop, RTA_GATEWAY, kV4);
        rtnexthop next{};
        next.rtnh_len = std::uint16_t(sizeof next + hop.size());
        next.rtnh_ifindex = index;
        put(hops, next);
        hops.insert(hops.end(), hop.begin(), hop.end());
    }
    put_attribute(several, RTA_MULTIPATH, as_text(hops));
    const auto multipath = std::get<RouteMessage>(read(message(RTM_NEWROUTE, several)).at(0));
    REQUIRE(multipath.hops.size() == 2);
    CHECK(multipath.hops[1].index == 4);
    CHECK(multipath.hops[1].gateway == kV4);
}

TEST_CASE("rules, ends of dumps, and several messages in one datagram")
{
    Bytes body;
    fib_rule_hdr head{};
    head.family = AF_INET;
    head.src_len = 32;
    head.action = 1;
    put(body, head);
    put_attribute(body, FRA_PRIORITY, number(100));
    put_attribute(body, FRA_TABLE, number(200));
    put_attribute(body, FRA_SRC, kV4);
    put_attribute(body, FRA_OIFNAME, nul_ended("eth1"));
    auto datagram = message(RTM_NEWRULE, body);
    const auto done = message(NLMSG_DONE, Bytes(4), NLM_F_DUMP_INTR);
    datagram.insert(datagram.end(), done.begin(), done.end());
    const auto all = read(datagram);
    REQUIRE(all.size() == 2);
    const auto& rule = std::get<RuleMessage>(all[0]);
    CHECK(rule.priority == 100);
    CHECK(rule.table == 200);
    CHECK(rule.from == kV4);
    CHECK(rule.oif == "eth1");
    CHECK(std::get<DumpEnd>(all[1]).interrupted);
}

TEST_CASE("whatever is cut off is left out, and nothing behind the end is read")
{
    const auto whole = link(RTM_NEWLINK, 7, "eth1", kUp);
    for (std::size_t size = 1; size < whole.size(); ++size)
        CHECK(read(Bytes(whole.begin(), whole.begin() + long(size)), false).empty());
    // An attribute that says it is longer than the message ends the attributes.
    auto lying = whole;
    const std::uint16_t length = 60'000;
    std::memcpy(lying.data() + sizeof(nlmsghdr) + sizeof(ifinfomsg), &length, sizeof length);
    CHECK(read(lying).empty());
}

TEST_CASE("a device table follows the kernel's messages")
{
    DeviceTable table;
    const auto apply = [&](const Bytes& datagram) {
        bool changed = false;
        read_messages(datagram, [&](const Message& one) { changed = table.apply(one) || changed; });
        return changed;
    };
    const auto problem = [&](packet::Family family) { return table.state("eth1", family).problem.value_or("none"); };
    CHECK(problem(packet::Family::V4) == "interface eth1 does not exist");
    CHECK(apply(link(RTM_NEWLINK, 7, "eth1", kUp)));
    CHECK_FALSE(apply(link(RTM_NEWLINK, 7, "eth1", kUp)));
    CHECK(problem(packet::Family::V4) == "interface eth1 has no IPv4 address");
    CHECK(apply(address(RTM_NEWADDR, 7, kV4)));
    CHECK(problem(packet::Family::V4) == "none");
    CHECK(problem(packet::Family::V6) == "interface eth1 has no IPv6 address");
    CHECK_FALSE(apply(address(RTM_NEWADDR, 7, kV6, IFA_F_TENTATIVE)));
    CHECK(apply(address(RTM_NEWADDR, 7, kV6)));
    CHECK(problem(packet::Family::V6) == "none");
    CHECK(apply(link(RTM_NEWLINK, 7, "eth1", IFF_UP)));
    CHECK(problem(packet::Family::V4) == "interface eth1 has no carrier");
    CHECK(apply(link(RTM_NEWLINK, 7, "eth1", 0)));
    CHECK(problem(packet::Family::V4) == "interface eth1 is down");
    CHECK(apply(link(RTM_NEWLINK, 7, "lan0", kUp)));  // renamed
    CHECK(problem(packet::Family::V4) == "interface eth1 does not exist");
    CHECK(table.state("lan0", packet::Family::V4).index == 7);
    CHECK(apply(link(RTM_DELLINK, 7, "lan0", 0)));
    // Made anew under its name: another index, and none of the addresses.
    CHECK(apply(link(RTM_NEWLINK, 12, "lan0", kUp)));
    CHECK(table.state("lan0", packet::Family::V4)
          == DeviceState{.problem = "interface lan0 has no IPv4 address", .index = 12});
}

}  // namespace nw::probe::rtnetlink
