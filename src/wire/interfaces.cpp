#include "wire/interfaces.hpp"

#include "base/text.hpp"
#include "wire/interfaces_pb.hpp"

#include <algorithm>
#include <initializer_list>

namespace nw::wire {
namespace {

constexpr std::size_t kNameMax = 64;
constexpr std::size_t kTextMax = 256;
constexpr std::size_t kMacMax = 32;
constexpr std::size_t kReportBytesMax = 4 << 20;

auto corrupt(std::string_view what) { return fail(Errc::Corrupt, "interfaces: " + std::string(what)); }

bool is_ip(const std::string& bytes) { return bytes.empty() || bytes.size() == 4 || bytes.size() == 16; }
bool are_ips(std::initializer_list<const std::string*> all)
{
    return std::ranges::all_of(all, [](const auto* one) { return is_ip(*one); });
}
bool are_names(std::initializer_list<const std::string*> all)
{
    return std::ranges::all_of(all, [](const auto* one) { return one->size() <= kNameMax && is_clean_text(*one); });
}
bool is_small(std::uint32_t value) { return value <= UINT8_MAX; }

void put(const PublicAddress& from, pb::PublicAddress& to)
{
    to.set_address(from.address);
    to.set_seen_us(from.seen_us);
    to.set_problem(from.problem);
}

void put(const Interface& from, pb::Interface& to)
{
    to.set_name(from.name);
    to.set_index(from.index);
    to.set_kind(std::uint32_t(from.kind));
    to.set_mac(from.mac);
    to.set_mtu(from.mtu);
    to.set_speed_mbps(from.speed_mbps.value_or(0));
    to.set_duplex(std::uint32_t(from.duplex));
    to.set_up(from.up);
    to.set_carrier(from.carrier);
    to.set_state(std::uint32_t(from.state));
    to.set_parent(from.parent);
    to.set_master(from.master);
    for (const auto& address : from.addresses) {
        auto& entry = *to.add_addresses();
        entry.set_address(address.address);
        entry.set_prefix(address.prefix);
        entry.set_scope(std::uint32_t(address.scope));
        entry.set_flags((address.temporary ? 1U : 0U) | (address.deprecated ? 2U : 0U) | (address.tentative ? 4U : 0U));
    }
    for (const auto& server : from.dns) to.add_dns(server);
    if (from.public_v4 != PublicAddress{}) put(from.public_v4, *to.mutable_public_v4());
    if (from.public_v6 != PublicAddress{}) put(from.public_v6, *to.mutable_public_v6());
}

void put(const RouteEntry& from, pb::Route& to)
{
    to.set_v6(from.v6);
    to.set_table(from.table);
    to.set_destination(from.destination);
    to.set_prefix(from.prefix);
    to.set_gateway(from.gateway);
    to.set_interface(from.interface);
    to.set_metric(from.metric);
    to.set_protocol(from.protocol);
    to.set_scope(from.scope);
    to.set_type(from.type);
    to.set_source(from.source);
}

void put(const RoutingRule& from, pb::Rule& to)
{
    to.set_v6(from.v6);
    to.set_priority(from.priority);
    to.set_from(from.from);
    to.set_from_prefix(from.from_prefix);
    to.set_to(from.to);
    to.set_to_prefix(from.to_prefix);
    to.set_iif(from.iif);
    to.set_oif(from.oif);
    if (from.fwmark) to.set_fwmark(*from.fwmark);
    to.set_fwmask(from.fwmask);
    to.set_table(from.table);
    to.set_action(from.action);
}

Result<std::vector<std::string>> take_servers(const google::protobuf::RepeatedPtrField<std::string>& in)
{
    if (std::size_t(in.size()) > kNameServersMax) return corrupt("too many name servers");
    if (!std::ranges::all_of(in, [](const auto& server) { return server.size() == 4 || server.size() == 16; }))
        return corrupt("a name server without an address");
    return std::vector<std::string>(in.begin(), in.end());
}

Result<PublicAddress> take(const pb::PublicAddress& in)
{
    if (!is_ip(in.address()) || in.problem().size() > kTextMax || !is_clean_text(in.problem()))
        return corrupt("a public address that is none");
    return PublicAddress{.address = in.address(), .seen_us = in.seen_us(), .problem = in.problem()};
}

Result<InterfaceAddress> take(const pb::InterfaceAddress& in)
{
    if (!is_ip(in.address()) || in.address().empty() || in.prefix() > in.address().size() * 8
        || in.scope() > std::uint32_t(AddressScope::Host) || in.flags() > 7)
        return corrupt("an address that is none");
    return InterfaceAddress{.address = in.address(),
                            .prefix = std::uint8_t(in.prefix()),
                            .scope = AddressScope(in.scope()),
                            .temporary = (in.flags() & 1) != 0,
                            .deprecated = (in.flags() & 2) != 0,
                            .tentative = (in.flags() & 4) != 0};
}

Result<Interface> take(const pb::Interface& in)
{
    if (in.name().empty() || !are_names({&in.name(), &in.parent(), &in.master()})) return corrupt("a name that is none");
    if (in.mac().size() > kMacMax || std::size_t(in.addresses_size()) > kAddressesPerInterfaceMax)
        return corrupt("an interface with too much");
    if (in.duplex() > std::uint32_t(Duplex::Full)) return corrupt("an unknown duplex");
    // A newer agent may know more kinds and states.
    const auto kind = in.kind() < kLinkKindNames.size() ? LinkKind(in.kind()) : LinkKind::Other;
    const auto state = in.state() < kLinkStateNames.size() ? LinkState(in.state()) : LinkState::Unknown;
    Interface interface{.name = in.name(),
                        .index = in.index(),
                        .kind = kind,
                        .mac = in.mac(),
                        .mtu = in.mtu(),
                        .speed_mbps = in.speed_mbps() == 0 ? std::nullopt : std::optional(in.speed_mbps()),
                        .duplex = Duplex(in.duplex()),
                        .up = in.up(),
                        .carrier = in.carrier(),
                        .state = state,
                        .parent = in.parent(),
                        .master = in.master()};
    for (const auto& entry : in.addresses()) {
        NW_TRY(auto address, take(entry));
        interface.addresses.push_back(std::move(address));
    }
    NW_TRY(interface.dns, take_servers(in.dns()));
    NW_TRY(interface.public_v4, take(in.public_v4()));
    NW_TRY(interface.public_v6, take(in.public_v6()));
    return interface;
}

Result<RouteEntry> take(const pb::Route& in)
{
    const std::size_t bytes = in.v6() ? 16 : 4;
    const bool fits = in.destination().empty() || in.destination().size() == bytes;
    if (!fits || !are_ips({&in.gateway(), &in.source()}) || in.prefix() > bytes * 8 || !are_names({&in.interface()})
        || !is_small(in.protocol()) || !is_small(in.scope()) || !is_small(in.type()))
        return corrupt("a route that is none");
    return RouteEntry{.v6 = in.v6(),
                      .table = in.table(),
                      .destination = in.destination(),
                      .prefix = std::uint8_t(in.prefix()),
                      .gateway = in.gateway(),
                      .interface = in.interface(),
                      .metric = in.metric(),
                      .protocol = std::uint8_t(in.protocol()),
                      .scope = std::uint8_t(in.scope()),
                      .type = std::uint8_t(in.type()),
                      .source = in.source()};
}

Result<RoutingRule> take(const pb::Rule& in)
{
    const std::size_t bits = in.v6() ? 128 : 32;
    if (!are_ips({&in.from(), &in.to()}) || !are_names({&in.iif(), &in.oif()}) || in.from_prefix() > bits
        || in.to_prefix() > bits || !is_small(in.action()))
        return corrupt("a rule that is none");
    return RoutingRule{.v6 = in.v6(),
                       .priority = in.priority(),
                       .from = in.from(),
                       .from_prefix = std::uint8_t(in.from_prefix()),
                       .to = in.to(),
                       .to_prefix = std::uint8_t(in.to_prefix()),
                       .iif = in.iif(),
                       .oif = in.oif(),
                       .fwmark = in.has_fwmark() ? std::optional(in.fwmark()) : std::nullopt,
                       .fwmask = in.fwmask(),
                       .table = in.table(),
                       .action = std::uint8_t(in.action())};
}

Result<Failover> take(const pb::Failover& in)
{
    if (!are_names({&in.from(), &in.to()}) || (in.has_took_us() && in.took_us() < 0))
        return corrupt("a failover that is none");
    return Failover{.at_us = in.at_us(),
                    .v6 = in.v6(),
                    .from = in.from(),
                    .to = in.to(),
                    .took_us = in.has_took_us() ? std::optional(in.took_us()) : std::nullopt};
}

template <class Value, class Messages>
Status take_all(const Messages& in, std::size_t max, std::vector<Value>& out)
{
    if (std::size_t(in.size()) > max) return corrupt("more than a report may hold");
    out.reserve(std::size_t(in.size()));
    for (const auto& entry : in) {
        NW_TRY(auto value, take(entry));
        out.push_back(std::move(value));
    }
    return {};
}

}  // namespace

void to_pb(const Interfaces& from, pb::Interfaces& to)
{
    const auto& network = from.network;
    to.set_number(from.number);
    to.set_at_us(from.at_us);
    to.set_hostname(network.hostname);
    for (const auto& interface : network.interfaces) put(interface, *to.add_interfaces());
    for (const auto& route : network.routes) put(route, *to.add_routes());
    for (const auto& rule : network.rules) put(rule, *to.add_rules());
    for (const auto& server : network.dns) to.add_dns(server);
    to.set_interfaces_total(network.interfaces_total);
    to.set_routes_total(network.routes_total);
    to.set_rules_total(network.rules_total);
    for (const auto& failover : from.failovers) {
        auto& entry = *to.add_failovers();
        entry.set_at_us(failover.at_us);
        entry.set_v6(failover.v6);
        entry.set_from(failover.from);
        entry.set_to(failover.to);
        if (failover.took_us) entry.set_took_us(*failover.took_us);
    }
}

Result<Interfaces> from_pb(const pb::Interfaces& in)
{
    if (in.hostname().size() > kTextMax || !is_clean_text(in.hostname())) return corrupt("a host name that is none");
    Interfaces report{.number = in.number(), .at_us = in.at_us()};
    auto& network = report.network;
    network.hostname = in.hostname();
    network.interfaces_total = in.interfaces_total();
    network.routes_total = in.routes_total();
    network.rules_total = in.rules_total();
    NW_CHECK(take_all(in.interfaces(), kInterfacesMax, network.interfaces));
    NW_CHECK(take_all(in.routes(), kRoutesMax, network.routes));
    NW_CHECK(take_all(in.rules(), kRulesMax, network.rules));
    NW_CHECK(take_all(in.failovers(), kFailoversMax, report.failovers));
    NW_TRY(network.dns, take_servers(in.dns()));
    return report;
}

std::string encode_interfaces(const Interfaces& interfaces)
{
    pb::Interfaces out;
    to_pb(interfaces, out);
    return out.SerializeAsString();
}

Result<Interfaces> decode_interfaces(std::string_view bytes)
{
    pb::Interfaces in;
    if (bytes.size() > kReportBytesMax || !in.ParseFromArray(bytes.data(), int(bytes.size())))
        return corrupt("not a protobuf message");
    return from_pb(in);
}

}  // namespace nw::wire
