// The map of a workspace: now from memory, at an earlier moment from stored runs, and what happened over a range.
#include "api/feed.hpp"
#include "api/handlers.hpp"
#include "api/map_feed.hpp"
#include "api/path_view.hpp"
#include "api/ranges.hpp"
#include "api/topology_view.hpp"

#include "atlas/atlas.hpp"
#include "atlas/past_map.hpp"
#include "atlas/place_series.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <set>

namespace nw::api {
namespace {

constexpr std::int64_t kWindowMin = 60;
constexpr std::int64_t kWindowMax = 86'400;
constexpr std::int64_t kWindowDefault = std::chrono::seconds(atlas::kWindow).count();
constexpr std::size_t kProbesMax = 2'000;  // of a map of the past
constexpr std::int64_t kBucketsDefault = 96;
constexpr std::int64_t kBucketsMax = 200;
constexpr std::uint32_t kChangesMax = 500;
constexpr std::int64_t kPlaceBucketsDefault = 60;
constexpr std::size_t kProbesNamedMax = 100;

using atlas::PathProbe;

Task<Result<std::vector<PathProbe>>> path_probes(Services& services, WorkspaceId workspace)
{
    NW_CO_TRY(const auto probes,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.probes(workspace).all(); }));
    std::vector<PathProbe> found;
    for (const auto& probe : probes)
        if (auto known = atlas::path_probe(services.kinds, probe)) found.push_back(*std::move(known));
    co_return found;
}

Task<Result<net::Response>> map_of_now(Services& services, const Call& call)
{
    NW_CO_TRY(const auto context, co_await map_context(services, call.workspace.id));
    services.feed.map().bring_up_to_date(services, call.workspace.id, context);
    const auto* graph = services.atlas.graph(call.workspace.id);
    const auto now = to_us(services.clock.wall());
    const MapSpan span{.generation = services.atlas.generation_text(graph ? graph->generation() : 0),
                       .at_us = now,
                       .from_us = now - kWindowDefault * store::kSecondUs,
                       .until_us = now,
                       .live = true};
    co_return json_response(topology_json(graph, span, context));
}

// As the runs in (at - window, at] saw it.
Task<Result<net::Response>> map_of(Services& services, const Call& call, std::int64_t at_us, std::int64_t window_s)
{
    NW_CO_TRY(const auto context, co_await map_context(services, call.workspace.id));
    NW_CO_TRY(auto probes, co_await path_probes(services, call.workspace.id));
    const MapSpan span{.generation = services.atlas.generation_text(0),
                       .at_us = at_us,
                       .from_us = std::max<std::int64_t>(0, at_us - window_s * store::kSecondUs),
                       .until_us = at_us,
                       .truncated = probes.size() > kProbesMax};
    if (span.truncated) probes.resize(kProbesMax);
    auto& pool = services.atlas.pool();
    NW_CO_TRY(const auto graph,
              co_await atlas::read_map(services.telemetry, pool, probes, at_us, std::chrono::seconds(window_s)));
    auto body = co_await run_on(pool, [&] { return topology_json(&graph, span, context); });
    co_return json_response(std::move(body));
}

struct Timeline {
    std::int64_t from_us = 0;
    std::int64_t step_us = 0;
    std::vector<std::optional<quality::Grade>> grades{};
};

// What is unknown is not worse than what is known to be bad.
void note_worst(std::optional<quality::Grade>& worst, quality::Grade grade)
{
    const auto severity = [](quality::Grade one) { return one == quality::Grade::Unknown ? -1 : int(one); };
    if (!worst || severity(grade) > severity(*worst)) worst = grade;
}

Task<Result<Timeline>> read_timeline(Services& services, const std::vector<PathProbe>& probes, store::TimeRange range,
                                     std::uint32_t buckets, const quality::GradeThresholds& thresholds)
{
    Timeline timeline{.from_us = range.from_us, .step_us = range.until_us - range.from_us};
    for (const auto* kind : services.kinds.all()) {
        if (!topology::has_paths(*kind)) continue;
        store::SeriesQuery query{.kind = kind, .range = range, .buckets_max = buckets};
        for (const auto& probe : probes)
            if (probe.kind == kind) query.probes.push_back(probe.id);
        if (query.probes.empty()) continue;
        NW_CO_TRY(const auto series, co_await services.telemetry.series(std::move(query)));
        timeline.from_us = series.from_us;
        timeline.step_us = series.step_us;
        for (const auto& probe : series.probes) {
            timeline.grades.resize(std::max(timeline.grades.size(), probe.buckets.size()));
            for (std::size_t i = 0; i < probe.buckets.size(); ++i)
                if (probe.buckets[i])
                    note_worst(timeline.grades[i], quality::grade(*kind, *probe.buckets[i], thresholds).grade);
        }
    }
    co_return timeline;
}

void write_timeline_change(JsonWriter& json, const store::PathChange& change, const PathProbe& probe)
{
    json.object()
        .field("at_us", change.at_us)
        .field("probe", to_text(change.probe))
        .field("agent_name", probe.agent_name)
        .field("target", probe.ends.target_name)
        .field("added", std::uint64_t{change.added.size()})
        .field("removed", std::uint64_t{change.removed.size()})
        .end_object();
}

// Probes that the caller knows to pass there, at a moment that is shown.
Result<std::set<ProbeId>> named_probes(const Call& call)
{
    std::set<ProbeId> named;
    const auto given = call.request.query.find("probes");
    if (given == call.request.query.end()) return named;
    for (const auto text : split(given->second, ',')) {
        const auto id = parse_id<ProbeId>(trimmed(text));
        if (!id) return fail_field("probes", "'" + std::string(text) + "' is no probe");
        named.insert(*id);
    }
    if (named.size() > kProbesNamedMax) return fail_field("probes", "are at most " + std::to_string(kProbesNamedMax));
    return named;
}

// Of the workspace the probes that pass there now, are said to, or have changed their route there since `from_us`.
Task<Result<std::vector<PathProbe>>> probes_there(Services& services, WorkspaceId workspace, const atlas::Place& place,
                                                  std::set<ProbeId> wanted, std::int64_t from_us)
{
    NW_CO_TRY(auto probes, co_await path_probes(services, workspace));
    NW_CO_TRY(const auto changes, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return tx.path_changes(workspace).list(std::nullopt, from_us, store::kTimeMaxUs, kChangesMax);
    }));
    if (const auto* graph = services.atlas.graph(workspace))
        for (const auto probe : atlas::probes_through(*graph, place)) wanted.insert(probe);
    const auto there = [&](const store::PathChangeHop& hop) { return atlas::touches(place, hop.address); };
    for (const auto& change : changes)
        if (std::ranges::any_of(change.added, there) || std::ranges::any_of(change.removed, there))
            wanted.insert(change.probe);
    std::erase_if(probes, [&](const PathProbe& probe) { return !wanted.contains(probe.id); });
    co_return probes;
}

struct PlaceValues {
    std::int64_t sent = 0;
    std::optional<double> loss{};
    std::optional<double> delay_us{};
    quality::Grade grade = quality::Grade::Unknown;
};

PlaceValues values_of(const atlas::Place& place, const atlas::PlaceBucket& bucket,
                      const quality::GradeThresholds& thresholds)
{
    if (place.is_link()) {
        const topology::Edge edge{.near = bucket.near, .far = bucket.far};
        return {bucket.far.sent, edge.loss_ratio(), edge.delay_us(), grade_of(edge, thresholds)};
    }
    const auto kind = place.node.starts_with('t') ? topology::NodeKind::Target : topology::NodeKind::Router;
    return {bucket.far.sent, bucket.far.forwarding_loss_ratio(), bucket.far.delay_mean_us(),
            grade_of(topology::Node{.kind = kind, .traffic = bucket.far}, thresholds).grade};
}

std::string place_json(std::string_view of, const atlas::Place& place, const atlas::PlaceSeries& series, std::size_t probes,
                       const quality::GradeThresholds& thresholds)
{
    std::vector<std::optional<PlaceValues>> values;
    for (const auto& bucket : series.buckets)
        values.push_back(bucket ? std::optional(values_of(place, *bucket, thresholds)) : std::nullopt);
    JsonWriter json;
    json.object().field("of", of).field("from_us", series.from_us).field("step_us", series.step_us);
    const auto column = [&](std::string_view name, const auto& write) {
        json.key(name).array();
        for (const auto& value : values) {
            if (value) write(*value);
            else json.null();
        }
        json.end_array();
    };
    const auto number = [&](std::optional<double> value) { value ? json.number(*value) : json.null(); };
    column("sent", [&](const PlaceValues& value) { json.number(value.sent); });
    column("loss_ratio", [&](const PlaceValues& value) { number(value.loss); });
    column("delay_us", [&](const PlaceValues& value) { number(value.delay_us); });
    column("grades", [&](const PlaceValues& value) { json.text(quality::name_of(value.grade)); });
    json.field("probes", std::uint64_t{probes})
        .field("probes_read", std::uint64_t{series.probes})
        .field("runs", std::uint64_t{series.runs})
        .field("sampled", series.sampled)
        .end_object();
    return std::move(json).str();
}

}  // namespace

Task<Reply> get_topology(Services& services, Call& call)
{
    NW_CO_TRY(const auto at, query_integer(call, "at", 0, store::kTimeMaxUs));
    NW_CO_TRY(const auto window, query_integer(call, "window", kWindowMin, kWindowMax));
    // What is kept of now is of the usual window.
    if (!at && window.value_or(kWindowDefault) == kWindowDefault) co_return co_await map_of_now(services, call);
    co_return co_await map_of(services, call, at.value_or(to_us(services.clock.wall())), window.value_or(kWindowDefault));
}

Task<Reply> get_topology_timeline(Services& services, Call& call)
{
    NW_CO_TRY(const auto range, range_of(call));
    NW_CO_TRY(const auto buckets, query_integer(call, "buckets", 1, kBucketsMax));
    NW_CO_TRY(const auto context, co_await map_context(services, call.workspace.id));
    NW_CO_TRY(const auto probes, co_await path_probes(services, call.workspace.id));
    NW_CO_TRY(const auto timeline,
              co_await read_timeline(services, probes, range, std::uint32_t(buckets.value_or(kBucketsDefault)),
                                     context.thresholds));
    NW_CO_TRY(auto changes, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return tx.path_changes(call.workspace.id).list(std::nullopt, range.from_us, range.until_us, kChangesMax);
    }));
    JsonWriter json;
    json.object().field("from_us", timeline.from_us).field("step_us", timeline.step_us).key("grades").array();
    for (const auto& grade : timeline.grades) {
        if (grade) json.text(quality::name_of(*grade));
        else json.null();
    }
    json.end_array().key("changes").array();
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
        const auto probe = std::ranges::find(probes, change->probe, &PathProbe::id);
        if (probe != probes.end()) write_timeline_change(json, *change, *probe);
    }
    json.end_array().field("truncated", changes.size() == kChangesMax).end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> get_topology_series(Services& services, Call& call)
{
    NW_CO_TRY(const auto range, range_of(call));
    NW_CO_TRY(const auto buckets, query_integer(call, "buckets", 1, atlas::kPlaceBucketsMax));
    NW_CO_TRY(auto named, named_probes(call));
    const auto of = call.request.query.find("of");
    if (of == call.request.query.end()) co_return fail_field("of", "is needed: the id of a node or a link of the map");
    const auto place = atlas::place_of(of->second);
    if (!place) co_return fail_field("of", "is no router, target or link between them");
    NW_CO_TRY(const auto context, co_await map_context(services, call.workspace.id));
    NW_CO_TRY(const auto probes,
              co_await probes_there(services, call.workspace.id, *place, std::move(named), range.from_us));
    NW_CO_TRY(const auto series, co_await atlas::read_place(services.telemetry, services.atlas.pool(), *place, probes, range,
                                                            std::uint32_t(buckets.value_or(kPlaceBucketsDefault))));
    co_return json_response(place_json(of->second, *place, series, probes.size(), context.thresholds));
}

}  // namespace nw::api
