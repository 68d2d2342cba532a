#include "model/host_network.hpp"

#include <algorithm>
#include <span>

namespace nw {
namespace {

struct Name {
    unsigned number = 0;
    std::string_view text{};
};

std::string name_in(std::span<const Name> names, unsigned number)
{
    const auto found = std::ranges::find(names, number, &Name::number);
    return found == names.end() ? std::to_string(number) : std::string(found->text);
}

// linux/rtnetlink.h and the file rt_protos of iproute2.
constexpr std::array<Name, 17> kProtocols{{{0, "unspec"},
                                           {1, "redirect"},
                                           {2, "kernel"},
                                           {3, "boot"},
                                           {4, "static"},
                                           {8, "gated"},
                                           {9, "ra"},
                                           {10, "mrt"},
                                           {11, "zebra"},
                                           {12, "bird"},
                                           {16, "dhcp"},
                                           {42, "babel"},
                                           {186, "bgp"},
                                           {187, "isis"},
                                           {188, "ospf"},
                                           {189, "rip"},
                                           {192, "eigrp"}}};
constexpr std::array<Name, 5> kScopes{{{0, "global"}, {200, "site"}, {253, "link"}, {254, "host"}, {255, "nowhere"}}};
constexpr std::array<Name, 10> kTypes{{{1, "unicast"},
                                       {2, "local"},
                                       {3, "broadcast"},
                                       {4, "anycast"},
                                       {5, "multicast"},
                                       {6, "blackhole"},
                                       {7, "unreachable"},
                                       {8, "prohibit"},
                                       {9, "throw"},
                                       {10, "nat"}}};
constexpr std::array<Name, 3> kTables{{{253, "default"}, {254, "main"}, {255, "local"}}};
constexpr std::array<Name, 6> kActions{
    {{1, "lookup"}, {2, "goto"}, {3, "nop"}, {6, "blackhole"}, {7, "unreachable"}, {8, "prohibit"}}};

}  // namespace

const Interface* HostNetwork::find(std::string_view name) const
{
    const auto found = std::ranges::find(interfaces, name, &Interface::name);
    return found == interfaces.end() ? nullptr : &*found;
}

std::string table_name(std::uint32_t table) { return name_in(kTables, table); }
std::string route_protocol_name(std::uint8_t protocol) { return name_in(kProtocols, protocol); }
std::string route_scope_name(std::uint8_t scope) { return name_in(kScopes, scope); }
std::string route_type_name(std::uint8_t type) { return name_in(kTypes, type); }
std::string rule_action_name(std::uint8_t action) { return name_in(kActions, action); }

std::string prefix_text(std::string_view bytes, unsigned prefix, bool v6)
{
    const std::string any(v6 ? "::" : "0.0.0.0");
    return (bytes.empty() ? any : ip_text(bytes)) + "/" + std::to_string(prefix);
}

std::string mac_text(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        if (!text.empty()) text += ':';
        text += digits[std::uint8_t(byte) >> 4];
        text += digits[std::uint8_t(byte) & 15];
    }
    return text;
}

std::vector<std::string> bindable_names(const HostNetwork& network)
{
    std::vector<std::string> names;
    for (const auto& interface : network.interfaces)
        if (interface.kind != LinkKind::Loopback) names.push_back(interface.name);
    std::ranges::sort(names);
    return names;
}

const RouteEntry* best_default(const HostNetwork& network, bool v6)
{
    const RouteEntry* best = nullptr;
    for (const auto& route : network.routes) {
        if (!route.is_default() || route.v6 != v6 || route.table != kMainTable || route.interface.empty()) continue;
        if (!best || route.metric < best->metric) best = &route;
    }
    return best;
}

}  // namespace nw
