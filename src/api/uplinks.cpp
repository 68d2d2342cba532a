// The same target measured from the same agent through different uplinks, side by side.
#include "api/handlers.hpp"
#include "api/interface_check.hpp"
#include "api/probe_view.hpp"
#include "api/ranges.hpp"
#include "api/workspace_settings.hpp"

#include "base/json_writer.hpp"
#include "store/metadata/settings_json.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace nw::api {
namespace {

constexpr std::size_t kGroupsMax = 200;
constexpr std::uint32_t kFailoversMax = 100;
constexpr std::uint32_t kSparkBuckets = 48;

struct Member {
    const ProbeView* view = nullptr;
    std::string interface{};
};
// By agent, target and kind.
using GroupKey = std::tuple<AgentId, TargetId, std::string>;
using Groups = std::map<GroupKey, std::vector<Member>>;

struct AgentNetwork {
    std::optional<store::NetworkReport> report{};
    std::vector<store::NetworkHistoryEntry> failovers{};
};

Groups groups_of(const std::vector<ProbeView>& views, bool& truncated)
{
    Groups groups;
    for (const auto& view : views) {
        if (!view.kind || !view.probe.enabled || !view.probe.target) continue;
        const auto settings = store::settings_from_text(view.probe.settings);
        if (!settings) continue;
        groups[{view.probe.agent, *view.probe.target, view.probe.kind}].push_back(
            {&view, bound_interface(*view.kind, *settings)});
    }
    std::erase_if(groups, [](const auto& group) {
        std::set<std::string_view> different;
        for (const auto& member : group.second) different.insert(member.interface);
        return different.size() < 2;
    });
    truncated = groups.size() > kGroupsMax;
    if (truncated) groups.erase(std::next(groups.begin(), kGroupsMax), groups.end());
    for (auto& [key, members] : groups)
        std::ranges::sort(members, {}, [](const Member& one) { return std::pair(one.interface, one.view->probe.id); });
    return groups;
}

Result<std::map<AgentId, AgentNetwork>> read_networks(store::MetadataTx& tx, WorkspaceId workspace, const Groups& groups,
                                                      store::TimeRange range)
{
    std::map<AgentId, AgentNetwork> networks;
    for (const auto& [key, members] : groups) {
        const auto agent = std::get<AgentId>(key);
        if (networks.contains(agent)) continue;
        auto& network = networks[agent];
        NW_TRY(network.report, tx.agents(workspace).network(agent));
        NW_TRY(auto history,
               tx.agents(workspace).network_history(agent, {range.from_us, range.until_us, NetworkChangeKind::Failover},
                                                    {.limit = kFailoversMax}));
        network.failovers = std::move(history.items);
    }
    return networks;
}

using Charts = std::map<ProbeId, std::vector<std::optional<quality::Aggregate>>>;

Task<Result<Charts>> read_charts(Services& services, const Groups& groups, store::TimeRange range)
{
    std::map<const Kind*, std::vector<ProbeId>> by_kind;
    for (const auto& [key, members] : groups)
        for (const auto& member : members) by_kind[member.view->kind].push_back(member.view->probe.id);
    Charts charts;
    for (auto& [kind, probes] : by_kind) {
        const auto asked = probes;
        NW_CO_TRY(auto series,
                  co_await services.telemetry.series(
                      {.probes = std::move(probes), .kind = kind, .range = range, .buckets_max = kSparkBuckets}));
        for (std::size_t i = 0; i < asked.size(); ++i) {
            auto& chart = charts[asked[i]];
            for (auto& bucket : series.probes[i].buckets)
                chart.push_back(bucket ? std::optional(quality::Aggregate(*bucket)) : std::nullopt);
        }
    }
    co_return charts;
}

// Which uplink a probe uses: the one that it is bound to, or that of the default route.
const Interface* uplink_of(const HostNetwork& network, const std::string& interface, bool v6)
{
    if (!interface.empty()) return network.find(interface);
    const auto* route = best_default(network, v6);
    return route ? network.find(route->interface) : nullptr;
}

void write_uplink(JsonWriter& json, const Member& member, const AgentNetwork& network)
{
    const bool v6 = member.view->latest && member.view->latest->address.size() == 16;
    json.key("public_address");
    const auto* uplink = network.report ? uplink_of(network.report->network, member.interface, v6) : nullptr;
    const auto seen = uplink ? ip_text((v6 ? uplink->public_v6 : uplink->public_v4).address) : std::string();
    if (seen.empty()) json.null();
    else json.text(seen);
    json.key("up");
    if (!network.report) json.null();
    else json.boolean(uplink && uplink->up && uplink->carrier);
}

void write_member(JsonWriter& json, const Member& member, const AgentNetwork& network,
                  const std::vector<std::optional<quality::Aggregate>>& chart, const quality::GradeThresholds& thresholds)
{
    const auto& kind = *member.view->kind;
    auto whole = quality::make_aggregate(kind);
    bool any = false;
    for (const auto& bucket : chart) {
        if (bucket) quality::merge(kind, whole, *bucket);
        any = any || bucket;
    }
    const auto graded =
        any ? quality::grade(kind, whole, thresholds) : quality::Graded{quality::Grade::Unknown, "no result in this range"};
    const auto value = [&](std::string_view name, const quality::Aggregate& of) {
        const auto* metric = kind.metric(name);
        return metric ? quality::evaluate(kind, *metric, of) : std::nullopt;
    };
    json.object().key("probe");
    write_probe(json, *member.view);
    json.field("interface", member.interface);
    write_uplink(json, member, network);
    json.field("grade", quality::name_of(graded.grade))
        .field("reason", shown_reason(graded))
        .field("loss_ratio", value("loss_ratio", whole))
        .field("rtt_p50_us", value("rtt_p50", whole))
        .field("rtt_p95_us", value("rtt_p95", whole))
        .field("jitter_us", value("jitter", whole))
        .key("sparkline")
        .array();
    for (const auto& bucket : chart) {
        const auto point = bucket ? value("rtt_p50", *bucket) : std::nullopt;
        if (point) json.number(*point);
        else json.null();
    }
    json.end_array().end_object();
}

void write_group_head(JsonWriter& json, const ProbeView& view)
{
    json.object()
        .key("agent")
        .object()
        .field("id", to_text(view.probe.agent))
        .field("name", view.probe.agent_name)
        .field("status", name_of(view.agent_status))
        .end_object()
        .key("target");
    if (view.target)
        json.object()
            .field("id", to_text(view.target->id))
            .field("address", view.target->address)
            .field("name", view.target->name)
            .end_object();
    else json.null();
    json.field("kind", view.probe.kind);
}

void write_failovers(JsonWriter& json, const AgentNetwork& network)
{
    json.key("failovers").array();
    for (const auto& entry : network.failovers) {
        json.object()
            .field("at_us", entry.at_us)
            .field("from", entry.change.before)
            .field("to", entry.change.after)
            .key("took_ms");
        if (entry.change.took_us) json.number(double(*entry.change.took_us) / 1e3);
        else json.null();
        json.end_object();
    }
    json.end_array();
}

}  // namespace

Task<Reply> compare_uplinks(Services& services, Call& call)
{
    NW_CO_TRY(const auto range, range_of(call));
    NW_CO_TRY(const auto views, co_await views_of_workspace(services, call.workspace));
    bool truncated = false;
    const auto groups = groups_of(views, truncated);
    NW_CO_TRY(const auto networks, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return read_networks(tx, call.workspace.id, groups, range);
    }));
    NW_CO_TRY(const auto charts, co_await read_charts(services, groups, range));
    const auto thresholds = settings_of(call.workspace).thresholds;
    JsonWriter json;
    json.object().field("from_us", range.from_us).field("to_us", range.until_us).key("groups").array();
    for (const auto& [key, members] : groups) {
        const auto& network = networks.at(std::get<AgentId>(key));
        write_group_head(json, *members.front().view);
        json.key("probes").array();
        for (const auto& member : members) write_member(json, member, network, charts.at(member.view->probe.id), thresholds);
        json.end_array();
        write_failovers(json, network);
        json.end_object();
    }
    json.end_array().field("truncated", truncated).end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
