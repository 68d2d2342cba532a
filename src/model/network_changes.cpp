#include "model/network_changes.hpp"

#include <algorithm>
#include <iterator>

namespace nw {
namespace {

using Kind = NetworkChangeKind;

std::string address_text(const InterfaceAddress& address)
{
    return ip_text(address.address) + "/" + std::to_string(address.prefix);
}

std::string joined(const std::vector<std::string>& parts)
{
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

std::string joined_addresses(const std::vector<std::string>& addresses)
{
    std::vector<std::string> texts;
    for (const auto& address : addresses) texts.push_back(ip_text(address));
    return joined(texts);
}

std::string route_text(const RouteEntry& route)
{
    auto text = route.is_default() ? std::string("default") : prefix_text(route.destination, route.prefix, route.v6);
    if (route.type != kUnicastRoute) text = route_type_name(route.type) + " " + text;
    if (!route.gateway.empty()) text += " via " + ip_text(route.gateway);
    if (!route.interface.empty()) text += " dev " + route.interface;
    if (route.table != kMainTable) text += " table " + table_name(route.table);
    if (route.metric != 0) text += " metric " + std::to_string(route.metric);
    return text;
}

std::string state_text(const Interface& interface)
{
    if (!interface.up) return "down";
    return interface.carrier ? "up" : "no carrier";
}

void compare_links(const Interface& before, const Interface& after, std::vector<NetworkChange>& out)
{
    const auto add = [&](Kind kind, std::string what, std::string from, std::string to) {
        out.push_back({kind, after.name, after.name + ": " + what, std::move(from), std::move(to), {}, {}, {}});
    };
    if (before.index != after.index)
        add(Kind::Link, "made anew", "index " + std::to_string(before.index), "index " + std::to_string(after.index));
    if (before.up != after.up)
        add(Kind::Link, after.up ? "switched on" : "switched off", state_text(before), state_text(after));
    else if (before.carrier != after.carrier && after.up)
        add(Kind::Link, after.carrier ? "carrier back" : "carrier lost", state_text(before), state_text(after));
    if (before.speed_mbps != after.speed_mbps && before.speed_mbps && after.speed_mbps)
        add(Kind::Link, "speed " + std::to_string(*after.speed_mbps) + " Mbit/s",
            std::to_string(*before.speed_mbps) + " Mbit/s", std::to_string(*after.speed_mbps) + " Mbit/s");
    if (before.duplex != after.duplex && before.duplex != Duplex::Unknown && after.duplex != Duplex::Unknown) {
        const auto text = [](Duplex duplex) { return std::string(duplex == Duplex::Full ? "full duplex" : "half duplex"); };
        add(Kind::Link, text(after.duplex), text(before.duplex), text(after.duplex));
    }
    if (before.mac != after.mac)
        add(Kind::Link, "hardware address " + mac_text(after.mac), mac_text(before.mac), mac_text(after.mac));
    if (before.master != after.master)
        add(Kind::Link, after.master.empty() ? "no port of " + before.master + " any more" : "port of " + after.master,
            before.master, after.master);
    if (before.mtu != after.mtu)
        add(Kind::Mtu, "MTU " + std::to_string(after.mtu), std::to_string(before.mtu), std::to_string(after.mtu));
}

void compare_addresses(const Interface& before, const Interface& after, std::vector<NetworkChange>& out)
{
    const auto has = [](const Interface& interface, const InterfaceAddress& wanted) {
        return std::ranges::any_of(interface.addresses, [&](const auto& one) {
            return one.address == wanted.address && one.prefix == wanted.prefix;
        });
    };
    for (const auto& address : before.addresses)
        if (!has(after, address))
            out.push_back({Kind::Address,
                           after.name,
                           after.name + ": " + address_text(address) + " removed",
                           address_text(address),
                           "",
                           {},
                           {},
                           {}});
    for (const auto& address : after.addresses)
        if (!has(before, address))
            out.push_back({Kind::Address,
                           after.name,
                           after.name + ": " + address_text(address) + " added",
                           "",
                           address_text(address),
                           {},
                           {},
                           {}});
}

void compare_public(const Interface& after, const PublicAddress& before, const PublicAddress& now,
                    std::vector<NetworkChange>& out)
{
    if (before.address == now.address || (now.address.empty() && !(after.up && after.carrier))) return;
    const auto text =
        now.address.empty() ? "no public address (" + now.problem + ")" : "public address " + ip_text(now.address);
    out.push_back({Kind::Public,
                   after.name,
                   after.name + ": " + text,
                   ip_text(before.address),
                   ip_text(now.address),
                   {},
                   {},
                   now.problem});
}

void compare_dns(const std::string& interface, const std::vector<std::string>& before, const std::vector<std::string>& after,
                 std::vector<NetworkChange>& out)
{
    if (before == after) return;
    const auto text = after.empty() ? std::string("no name servers") : "name servers " + joined_addresses(after);
    out.push_back({Kind::Dns,
                   interface,
                   interface.empty() ? text : interface + ": " + text,
                   joined_addresses(before),
                   joined_addresses(after),
                   {},
                   {},
                   {}});
}

void compare_interfaces(const HostNetwork& before, const HostNetwork& after, std::vector<NetworkChange>& out)
{
    for (const auto& old : before.interfaces)
        if (!after.find(old.name))
            out.push_back({Kind::Removed, old.name, old.name + ": removed", std::string(name_of(old.kind)), "", {}, {}, {}});
    for (const auto& now : after.interfaces) {
        const auto* old = before.find(now.name);
        if (!old) {
            out.push_back({Kind::Added,
                           now.name,
                           now.name + ": added, " + std::string(name_of(now.kind)),
                           "",
                           std::string(name_of(now.kind)),
                           {},
                           {},
                           {}});
            continue;
        }
        compare_links(*old, now, out);
        compare_addresses(*old, now, out);
        compare_dns(now.name, old->dns, now.dns, out);
        compare_public(now, old->public_v4, now.public_v4, out);
        compare_public(now, old->public_v6, now.public_v6, out);
    }
}

std::string gateway_text(const RouteEntry* route)
{
    if (!route) return {};
    return (route->gateway.empty() ? std::string("on link") : ip_text(route->gateway)) + " dev " + route->interface;
}

void compare_gateways(const HostNetwork& before, const HostNetwork& after, std::vector<NetworkChange>& out)
{
    for (const bool v6 : {false, true}) {
        const auto from = gateway_text(best_default(before, v6));
        const auto* route = best_default(after, v6);
        const auto to = gateway_text(route);
        if (from == to) continue;
        const std::string family(v6 ? "IPv6" : "IPv4");
        out.push_back({Kind::Gateway,
                       route ? route->interface : "",
                       to.empty() ? "no " + family + " default route" : family + " default route via " + to,
                       from,
                       to,
                       {},
                       {},
                       {}});
    }
}

// Routes that the kernel makes by itself with every address say nothing that the address does not.
bool is_of_an_address(const RouteEntry& route) { return route.protocol == 2; }

void compare_routes(const HostNetwork& before, const HostNetwork& after, std::vector<NetworkChange>& out)
{
    std::vector<RouteEntry> gone;
    std::vector<RouteEntry> made;
    std::ranges::set_difference(before.routes, after.routes, std::back_inserter(gone));
    std::ranges::set_difference(after.routes, before.routes, std::back_inserter(made));
    std::erase_if(gone, is_of_an_address);
    std::erase_if(made, is_of_an_address);
    if (gone.size() + made.size() > kRouteChangesMax) {
        out.push_back({Kind::Route,
                       "",
                       std::to_string(made.size()) + " routes added, " + std::to_string(gone.size()) + " removed",
                       "",
                       "",
                       {},
                       {},
                       {}});
        return;
    }
    for (const auto& route : gone)
        out.push_back(
            {Kind::Route, route.interface, "route removed: " + route_text(route), route_text(route), "", {}, {}, {}});
    for (const auto& route : made)
        out.push_back(
            {Kind::Route, route.interface, "route added: " + route_text(route), "", route_text(route), {}, {}, {}});
    if (before.rules != after.rules)
        out.push_back({Kind::Route,
                       "",
                       "policy rules changed",
                       std::to_string(before.rules.size()) + " rules",
                       std::to_string(after.rules.size()) + " rules",
                       {},
                       {},
                       {}});
}

}  // namespace

std::vector<NetworkChange> changes_between(const HostNetwork& before, const HostNetwork& after,
                                           std::span<const Failover> failovers)
{
    std::vector<NetworkChange> changes;
    for (const auto& failover : failovers) {
        const std::string family(failover.v6 ? "IPv6" : "IPv4");
        changes.push_back({Kind::Failover,
                           failover.to,
                           family + " default route moved from " + failover.from + " to " + failover.to,
                           failover.from,
                           failover.to,
                           failover.at_us,
                           failover.took_us,
                           {}});
    }
    compare_interfaces(before, after, changes);
    compare_gateways(before, after, changes);
    compare_routes(before, after, changes);
    compare_dns("", before.dns, after.dns, changes);
    return changes;
}

}  // namespace nw
