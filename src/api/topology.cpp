// The map of a workspace: now from memory, at an earlier moment from stored runs, and what happened over a range.
#include "api/feed.hpp"
#include "api/handlers.hpp"
#include "api/map_feed.hpp"
#include "api/path_view.hpp"
#include "api/ranges.hpp"
#include "api/topology_view.hpp"

#include "atlas/atlas.hpp"
#include "atlas/stored_runs.hpp"
#include "store/metadata/settings_json.hpp"

#include <algorithm>

namespace nw::api {
namespace {

constexpr std::int64_t kWindowMin = 60;
constexpr std::int64_t kWindowMax = 86'400;
constexpr std::int64_t kWindowDefault = std::chrono::seconds(atlas::kWindow).count();
constexpr std::size_t kProbesMax = 2'000;  // of a map of the past
constexpr std::int64_t kBucketsDefault = 96;
constexpr std::int64_t kBucketsMax = 200;
constexpr std::uint32_t kChangesMax = 500;

struct PathProbe {
    store::Probe probe{};
    const Kind* kind = nullptr;
    topology::ProbeEnds ends{};
};

std::string setting_text(const Settings& settings, std::string_view name)
{
    const auto found = settings.find(name);
    const auto* text = found == settings.end() ? nullptr : std::get_if<std::string>(&found->second);
    return text ? *text : std::string();
}

Task<Result<std::vector<PathProbe>>> path_probes(Services& services, WorkspaceId workspace)
{
    NW_CO_TRY(auto probes,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.probes(workspace).all(); }));
    std::vector<PathProbe> found;
    for (auto& probe : probes) {
        const auto* kind = services.kinds.by_name(probe.kind);
        const auto settings = store::settings_from_text(probe.settings);
        if (!kind || !topology::has_paths(*kind) || !settings) continue;
        topology::ProbeEnds ends{.agent = probe.agent,
                                 .target_name = setting_text(*settings, "target"),
                                 .protocol = setting_text(*settings, "protocol")};
        found.push_back({std::move(probe), kind, std::move(ends)});
    }
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
    MapSpan span{.generation = services.atlas.generation_text(0),
                 .at_us = at_us,
                 .from_us = std::max<std::int64_t>(0, at_us - window_s * store::kSecondUs),
                 .until_us = at_us,
                 .truncated = probes.size() > kProbesMax};
    if (span.truncated) probes.resize(kProbesMax);
    topology::Graph graph;
    auto& pool = services.atlas.pool();
    for (const auto& probe : probes) {
        NW_CO_TRY(const auto found, co_await atlas::read_runs(services.telemetry, pool, probe.probe.id, *probe.kind,
                                                              {span.from_us + 1, at_us + 1}, atlas::kRunsKept));
        if (found.runs.empty()) continue;
        co_await run_on(pool, [&] {
            atlas::RecentRuns recent{std::chrono::seconds(window_s)};
            for (const auto& run : found.runs) recent.add(run);
            graph.replace(probe.probe.id, probe.ends, recent.merged());
            return true;
        });
    }
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
            if (probe.kind == kind) query.probes.push_back(probe.probe.id);
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
        .field("agent_name", probe.probe.agent_name)
        .field("target", probe.ends.target_name)
        .field("added", std::uint64_t{change.added.size()})
        .field("removed", std::uint64_t{change.removed.size()})
        .end_object();
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
        const auto probe = std::ranges::find_if(probes, [&](const PathProbe& one) { return one.probe.id == change->probe; });
        if (probe != probes.end()) write_timeline_change(json, *change, *probe);
    }
    json.end_array().field("truncated", changes.size() == kChangesMax).end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
