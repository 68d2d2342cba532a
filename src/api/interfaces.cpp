// What an agent says of its host's network: now, at a moment of the past, and what changed.
#include "api/handlers.hpp"

#include "base/json_writer.hpp"
#include "enrich/vendors.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace nw::api {
namespace {

constexpr std::int64_t kLatestUs = 4'102'444'800'000'000;  // 2100-01-01

struct Shown {
    store::Agent agent{};
    std::optional<store::NetworkReport> report{};
    std::map<std::string, std::int64_t> bound{};
    std::vector<std::optional<std::string>> vendors{};  // in the order of the interfaces
};

// Vendors are looked up here as well: the first question reads files, and this runs on the readers' pool.
Result<Shown> read_shown(store::MetadataTx& tx, enrich::Vendors& vendors, WorkspaceId workspace, AgentId agent,
                         std::int64_t at_us)
{
    Shown shown;
    NW_TRY(shown.agent, tx.agents(workspace).get(agent));
    NW_TRY(shown.report, tx.agents(workspace).network(agent, at_us));
    NW_TRY(shown.bound, tx.agents(workspace).bound_probes(agent));
    if (shown.report)
        for (const auto& interface : shown.report->network.interfaces)
            shown.vendors.push_back(vendors.vendor(interface.mac));
    return shown;
}

std::optional<std::string> text_or_null(std::string text)
{
    if (text.empty()) return std::nullopt;
    return text;
}

std::string_view family_of(bool v6) { return v6 ? "v6" : "v4"; }

void write_addresses(JsonWriter& json, const std::vector<std::string>& addresses)
{
    json.array();
    for (const auto& address : addresses) json.text(ip_text(address));
    json.end_array();
}

void write_interface_addresses(JsonWriter& json, const Interface& interface)
{
    json.key("addresses").array();
    for (const auto& address : interface.addresses)
        json.object()
            .field("address", ip_text(address.address))
            .field("prefix", std::uint32_t{address.prefix})
            .field("family", family_of(address.address.size() == 16))
            .field("scope", name_of(address.scope))
            .field("temporary", address.temporary)
            .field("deprecated", address.deprecated)
            .field("tentative", address.tentative)
            .end_object();
    json.end_array();
}

void write_gateways(JsonWriter& json, const HostNetwork& network, const Interface& interface)
{
    json.key("gateways").array();
    for (const auto& route : network.routes) {
        if (!route.is_default() || route.interface != interface.name || route.gateway.empty()) continue;
        json.object()
            .field("address", ip_text(route.gateway))
            .field("family", family_of(route.v6))
            .field("metric", route.metric)
            .field("table", table_name(route.table))
            .end_object();
    }
    json.end_array();
    const auto carries = [&](bool v6) {
        const auto* best = best_default(network, v6);
        return best && best->interface == interface.name;
    };
    json.field("default", carries(false) || carries(true));
}

void write_public(JsonWriter& json, const Interface& interface)
{
    const auto& v4 = interface.public_v4;
    const auto& v6 = interface.public_v6;
    const auto seen = std::max(v4.seen_us, v6.seen_us);
    json.field("public_v4", text_or_null(ip_text(v4.address)))
        .field("public_v6", text_or_null(ip_text(v6.address)))
        .field("public_seen_us", seen == 0 ? std::nullopt : std::optional(seen));
}

std::optional<std::string> duplex_text(Duplex duplex)
{
    if (duplex == Duplex::Unknown) return std::nullopt;
    return duplex == Duplex::Full ? "full" : "half";
}

void write_interface(JsonWriter& json, const Shown& shown, std::size_t index)
{
    const auto& network = shown.report->network;
    const auto& interface = network.interfaces[index];
    const auto bound = shown.bound.find(interface.name);
    json.object()
        .field("name", interface.name)
        .field("index", interface.index)
        .field("kind", name_of(interface.kind))
        .field("mac", text_or_null(mac_text(interface.mac)))
        .field("vendor", shown.vendors[index])
        .field("mac_local", enrich::is_local(interface.mac))
        .field("mtu", interface.mtu)
        .field("speed_mbps", interface.speed_mbps)
        .field("duplex", duplex_text(interface.duplex))
        .field("up", interface.up)
        .field("carrier", interface.carrier)
        .field("state", name_of(interface.state))
        .field("parent", text_or_null(interface.parent))
        .field("master", text_or_null(interface.master));
    write_interface_addresses(json, interface);
    write_gateways(json, network, interface);
    json.key("dns");
    write_addresses(json, interface.dns);
    write_public(json, interface);
    json.field("probes", bound == shown.bound.end() ? std::int64_t{0} : bound->second).end_object();
}

void write_route(JsonWriter& json, const RouteEntry& route)
{
    json.object()
        .field("family", family_of(route.v6))
        .field("table", table_name(route.table))
        .field("destination", prefix_text(route.destination, route.prefix, route.v6))
        .field("gateway", text_or_null(ip_text(route.gateway)))
        .field("interface", text_or_null(route.interface))
        .field("metric", route.metric)
        .field("protocol", route_protocol_name(route.protocol))
        .field("scope", route_scope_name(route.scope))
        .field("type", route_type_name(route.type))
        .field("source", text_or_null(ip_text(route.source)))
        .end_object();
}

std::optional<std::string> rule_prefix(const std::string& address, std::uint8_t prefix, bool v6)
{
    if (address.empty()) return std::nullopt;
    return prefix_text(address, prefix, v6);
}

void write_rule(JsonWriter& json, const RoutingRule& rule)
{
    json.object()
        .field("family", family_of(rule.v6))
        .field("priority", rule.priority)
        .field("from", rule_prefix(rule.from, rule.from_prefix, rule.v6))
        .field("to", rule_prefix(rule.to, rule.to_prefix, rule.v6))
        .field("iif", text_or_null(rule.iif))
        .field("oif", text_or_null(rule.oif))
        .field("fwmark", rule.fwmark)
        .field("table", table_name(rule.table))
        .field("action", rule_action_name(rule.action))
        .end_object();
}

void write_network(JsonWriter& json, const Shown& shown)
{
    const auto& network = shown.report->network;
    json.key("interfaces").array();
    for (std::size_t i = 0; i < network.interfaces.size(); ++i) write_interface(json, shown, i);
    json.end_array().key("routes").array();
    for (const auto& route : network.routes) write_route(json, route);
    json.end_array().key("rules").array();
    for (const auto& rule : network.rules) write_rule(json, rule);
    json.end_array().key("dns");
    write_addresses(json, network.dns);
    json.key("valid_names").array();
    for (const auto& name : bindable_names(network)) json.text(name);
    json.end_array().field("truncated", network.truncated());
}

void write_change(JsonWriter& json, const store::NetworkHistoryEntry& entry)
{
    const auto& change = entry.change;
    json.object()
        .field("at_us", entry.at_us)
        .field("text", change.text)
        .field("interface", text_or_null(change.interface))
        .field("kind", name_of(change.kind))
        .field("before", text_or_null(change.before))
        .field("after", text_or_null(change.after))
        .key("detail")
        .object()
        .key("took_ms");
    if (change.took_us) json.number(double(*change.took_us) / 1e3);
    else json.null();
    json.field("reason", text_or_null(change.reason)).end_object().end_object();
}

}  // namespace

Task<Reply> get_interfaces(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AgentId>(call, "agent"));
    NW_CO_TRY(const auto at, query_integer(call, "at", 0, kLatestUs));
    NW_CO_TRY(const auto shown, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return read_shown(tx, services.vendors, call.workspace.id, id, at.value_or(kLatestUs));
    }));
    JsonWriter json;
    json.object();
    if (shown.report) {
        json.field("at_us", shown.report->at_us)
            .field("current", !at && services.agents.state(id).connected)
            .field("hostname", shown.report->network.hostname);
        write_network(json, shown);
    } else {
        json.key("at_us").null().field("current", false).field("hostname", shown.agent.facts.hostname);
        for (const auto* list : {"interfaces", "routes", "rules", "dns", "valid_names"}) json.key(list).array().end_array();
        json.field("truncated", false);
    }
    json.end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> list_interface_changes(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AgentId>(call, "agent"));
    NW_CO_TRY(const auto page, page_of(call));
    NW_CO_TRY(const auto from, query_integer(call, "from", 0, kLatestUs));
    NW_CO_TRY(const auto to, query_integer(call, "to", 0, kLatestUs));
    NW_CO_TRY(const auto found, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return tx.agents(call.workspace.id).network_history(id, {from.value_or(0), to.value_or(kLatestUs), {}}, page);
    }));
    JsonWriter json;
    json.object().key("changes").array();
    for (const auto& entry : found.items) write_change(json, entry);
    json.end_array().field("next", text_or_null(found.next)).end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
