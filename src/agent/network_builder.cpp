#include "agent/network_builder.hpp"

#include "base/text.hpp"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <utility>

namespace nw::agent {
namespace {

using namespace probe::rtnetlink;

constexpr std::array<std::pair<std::string_view, LinkKind>, 28> kByName{
    {{"vlan", LinkKind::Vlan},           {"bridge", LinkKind::Bridge},    {"bond", LinkKind::Bond},
     {"team", LinkKind::Bond},           {"macvlan", LinkKind::Macvlan},  {"macvtap", LinkKind::Macvlan},
     {"ipvlan", LinkKind::Macvlan},      {"veth", LinkKind::Veth},        {"ppp", LinkKind::Ppp},
     {"wireguard", LinkKind::Wireguard}, {"dummy", LinkKind::Dummy},      {"tun", LinkKind::Tunnel},
     {"ipip", LinkKind::Tunnel},         {"sit", LinkKind::Tunnel},       {"gre", LinkKind::Tunnel},
     {"gretap", LinkKind::Tunnel},       {"ip6gre", LinkKind::Tunnel},    {"ip6gretap", LinkKind::Tunnel},
     {"ip6tnl", LinkKind::Tunnel},       {"vti", LinkKind::Tunnel},       {"vti6", LinkKind::Tunnel},
     {"xfrm", LinkKind::Tunnel},         {"vxlan", LinkKind::Tunnel},     {"geneve", LinkKind::Tunnel},
     {"erspan", LinkKind::Tunnel},       {"ip6erspan", LinkKind::Tunnel}, {"gtp", LinkKind::Tunnel},
     {"openvpn", LinkKind::Tunnel}}};

LinkState state_of(const LinkMessage& link)
{
    constexpr std::uint8_t kDormant = 5;  // IF_OPER_DORMANT (RFC 2863)
    if (!link.up()) return LinkState::Down;
    if ((link.flags & IFF_LOWER_UP) == 0) return LinkState::NoCarrier;
    if (link.operational == kDormant) return LinkState::Dormant;
    return link.running() ? LinkState::Up : LinkState::Unknown;
}

AddressScope scope_of(std::uint8_t scope)
{
    switch (scope) {
    case RT_SCOPE_SITE: return AddressScope::Site;
    case RT_SCOPE_LINK: return AddressScope::Link;
    case RT_SCOPE_HOST: return AddressScope::Host;
    default: return AddressScope::Global;
    }
}

InterfaceAddress address_of(const AddressMessage& address)
{
    const bool v6 = address.address.size() == 16;
    return {.address = address.address,
            .prefix = address.prefix,
            .scope = scope_of(address.scope),
            // The same bit means something else for IPv4.
            .temporary = v6 && (address.flags & IFA_F_TEMPORARY) != 0,
            .deprecated = (address.flags & IFA_F_DEPRECATED) != 0,
            .tentative = !address.usable()};
}

}  // namespace

LinkKind kind_of(const LinkMessage& link)
{
    if ((link.flags & IFF_LOOPBACK) != 0) return LinkKind::Loopback;
    const auto found =
        std::ranges::find(kByName, std::string_view(link.kind), &std::pair<std::string_view, LinkKind>::first);
    if (found != kByName.end()) return found->second;
    switch (link.hardware) {
    case ARPHRD_ETHER: return LinkKind::Ethernet;
    case ARPHRD_PPP: return LinkKind::Ppp;
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case ARPHRD_IP6GRE: return LinkKind::Tunnel;
    default: return LinkKind::Other;
    }
}

void NetworkBuilder::apply(const Message& message)
{
    if (const auto* link = std::get_if<LinkMessage>(&message)) {
        // A name that cannot be shown as text cannot be bound to by name either.
        if (!link->removed && is_clean_text(link->name)) links_.insert_or_assign(link->index, *link);
    } else if (const auto* address = std::get_if<AddressMessage>(&message)) {
        if (!address->removed) addresses_[address->index].push_back(address_of(*address));
    } else if (const auto* route = std::get_if<RouteMessage>(&message)) {
        if (!route->removed && !route->cached) add(*route);
    } else if (const auto* rule = std::get_if<RuleMessage>(&message)) {
        if (!rule->removed && is_clean_text(rule->iif) && is_clean_text(rule->oif)) rules_.push_back(*rule);
    }
}

void NetworkBuilder::forget_links() { links_.clear(); }

void NetworkBuilder::forget_routes()
{
    defaults_.clear();
    routes_.clear();
    routes_total_ = 0;
}

void NetworkBuilder::add(const RouteMessage& route)
{
    routes_total_ += route.hops.size();
    auto& kept = route.prefix == 0 ? defaults_ : routes_;
    if (kept.size() < kRoutesMax) kept.push_back(route);
}

std::string NetworkBuilder::name_of_link(std::uint32_t index) const
{
    const auto found = links_.find(index);
    return found == links_.end() ? std::string() : found->second.name;
}

Interface NetworkBuilder::interface_of(const LinkMessage& link) const
{
    Interface interface{.name = link.name,
                        .index = link.index,
                        .kind = kind_of(link),
                        .mac = link.mac.size() == 6 && link.hardware != ARPHRD_LOOPBACK ? link.mac : std::string(),
                        .mtu = link.mtu,
                        .up = link.up(),
                        .carrier = link.up() && (link.flags & IFF_LOWER_UP) != 0,
                        .state = state_of(link),
                        .parent = name_of_link(link.parent),
                        .master = name_of_link(link.master)};
    if (const auto own = addresses_.find(link.index); own != addresses_.end()) interface.addresses = own->second;
    std::ranges::sort(interface.addresses, {}, [](const auto& one) { return std::pair(one.address.size(), one.address); });
    if (interface.addresses.size() > kAddressesPerInterfaceMax) interface.addresses.resize(kAddressesPerInterfaceMax);
    return interface;
}

HostNetwork NetworkBuilder::build() const
{
    HostNetwork network{
        .interfaces_total = links_.size(), .routes_total = routes_total_, .rules_total = std::uint64_t{rules_.size()}};
    for (const auto& [index, link] : links_) {
        if (network.interfaces.size() < kInterfacesMax) network.interfaces.push_back(interface_of(link));
    }
    for (const auto* routes : {&defaults_, &routes_})
        for (const auto& route : *routes)
            for (const auto& hop : route.hops) {
                if (network.routes.size() >= kRoutesMax) break;
                network.routes.push_back({.v6 = route.v6,
                                          .table = route.table,
                                          .destination = route.prefix == 0 ? std::string() : route.destination,
                                          .prefix = route.prefix,
                                          .gateway = hop.gateway,
                                          .interface = name_of_link(hop.index),
                                          .metric = route.metric,
                                          .protocol = route.protocol,
                                          .scope = route.scope,
                                          .type = route.type,
                                          .source = route.source});
            }
    std::ranges::sort(network.routes);
    for (const auto& rule : rules_) {
        if (network.rules.size() >= kRulesMax) break;
        network.rules.push_back({.v6 = rule.v6,
                                 .priority = rule.priority,
                                 .from = rule.from,
                                 .from_prefix = rule.from_prefix,
                                 .to = rule.to,
                                 .to_prefix = rule.to_prefix,
                                 .iif = rule.iif,
                                 .oif = rule.oif,
                                 .fwmark = rule.fwmark,
                                 .fwmask = rule.fwmask,
                                 .table = rule.table,
                                 .action = rule.action});
    }
    std::ranges::sort(network.rules);
    return network;
}

}  // namespace nw::agent
