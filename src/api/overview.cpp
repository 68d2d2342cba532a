#include "api/audit_view.hpp"
#include "api/handlers.hpp"
#include "api/path_view.hpp"
#include "api/probe_view.hpp"
#include "api/ranges.hpp"
#include "api/workspace_settings.hpp"

#include "base/json_writer.hpp"
#include "store/telemetry/rules.hpp"

#include <algorithm>
#include <array>

namespace nw::api {
namespace {

constexpr std::size_t kWorstMax = 10;
constexpr std::size_t kListMax = 20;
constexpr std::uint32_t kStripBuckets = 96;
constexpr std::uint32_t kSparkBuckets = 48;

// Worse first; what is unknown is not worse than what is known to be bad.
int severity(const ProbeView& view) { return view.graded.grade == quality::Grade::Unknown ? -1 : int(view.graded.grade); }

std::string_view spark_metric(const Kind& kind)
{
    const auto& tiles = kind.presentation.tiles;
    const auto& lines = kind.presentation.lines;
    return !tiles.empty() ? tiles.front() : !lines.empty() ? lines.front() : kind.metrics.front().name;
}

std::vector<const ProbeView*> worst_of(const std::vector<ProbeView>& views)
{
    std::vector<const ProbeView*> worst;
    for (const auto& view : views)
        if (view.kind && view.probe.enabled && severity(view) >= int(quality::Grade::Fair)) worst.push_back(&view);
    // By name among equals: `views` is sorted by it, so that ids of the same severity keep their place.
    std::ranges::sort(
        worst, [](const auto* a, const auto* b) { return std::pair(-severity(*a), a) < std::pair(-severity(*b), b); });
    if (worst.size() > kWorstMax) worst.resize(kWorstMax);
    return worst;
}

Task<Status> write_worst(JsonWriter& json, Services& services, const ProbeView& view, store::TimeRange range,
                         const quality::GradeThresholds& thresholds)
{
    NW_CO_TRY(const auto series,
              co_await services.telemetry.series(
                  {.probes = {view.probe.id}, .kind = view.kind, .range = range, .buckets_max = kSparkBuckets}));
    const auto& kind = *view.kind;
    const auto name = spark_metric(kind);
    const auto& buckets = series.probes.front().buckets;
    auto whole = quality::make_aggregate(kind);
    for (const auto& bucket : buckets)
        if (bucket) quality::merge(kind, whole, *bucket);
    json.object().key("probe");
    write_probe(json, view);
    json.field("grade", quality::name_of(view.graded.grade)).field("grade_reason", shown_reason(view.graded)).key("metrics");
    write_metrics(json, kind, whole);
    json.field("metric", name).key("values").array();
    for (const auto& bucket : buckets) {
        const auto value = bucket ? quality::evaluate(kind, *kind.metric(name), *bucket) : std::nullopt;
        if (value) json.number(*value);
        else json.null();
    }
    json.end_array().key("grades").array();
    std::vector<quality::Grade> grades;
    for (const auto& bucket : buckets) {
        grades.push_back(bucket ? quality::grade(kind, *bucket, thresholds).grade : quality::Grade::Unknown);
        json.text(quality::name_of(grades.back()));
    }
    json.end_array().key("degraded_since_us");
    if (const auto since = quality::degraded_since_us(buckets, grades)) json.number(*since);
    else json.null();
    json.end_object();
    co_return Status{};
}

struct Strip {
    std::int64_t from_us = 0;
    std::int64_t step_us = 0;
    std::vector<std::array<std::int64_t, quality::kGradeNames.size()>> counts{};
};

// Number of probes by grade in every bucket. Kinds are read one after the other, probes of a kind together.
Task<Result<Strip>> health_strip(Services& services, const std::vector<ProbeView>& views, store::TimeRange range,
                                 const quality::GradeThresholds& thresholds)
{
    Strip strip;
    strip.step_us = store::buckets_of(range, kStripBuckets, 1'000'000).step_us;
    strip.from_us = range.from_us - range.from_us % strip.step_us;
    strip.counts.resize(std::size_t((range.until_us - strip.from_us + strip.step_us - 1) / strip.step_us));
    for (const auto* kind : services.kinds.all()) {
        store::SeriesQuery query{.kind = kind, .range = range, .buckets_max = std::uint32_t(strip.counts.size())};
        for (const auto& view : views)
            if (view.kind == kind && view.probe.enabled) query.probes.push_back(view.probe.id);
        if (query.probes.empty()) continue;
        NW_CO_TRY(const auto series, co_await services.telemetry.series(std::move(query)));
        for (const auto& probe : series.probes)
            for (std::size_t i = 0; i < std::min(probe.buckets.size(), strip.counts.size()); ++i) {
                const auto& bucket = probe.buckets[i];
                const auto grade = bucket ? quality::grade(*kind, *bucket, thresholds).grade : quality::Grade::Unknown;
                ++strip.counts[i][std::size_t(grade)];
            }
        strip.step_us = series.step_us;
        strip.from_us = series.from_us;
    }
    co_return strip;
}

void write_strip(JsonWriter& json, const Strip& strip)
{
    json.key("health").object().field("step_us", strip.step_us).key("start_us").array();
    for (std::size_t i = 0; i < strip.counts.size(); ++i) json.number(strip.from_us + std::int64_t(i) * strip.step_us);
    json.end_array().key("grades").object();
    for (std::size_t grade = 0; grade < quality::kGradeNames.size(); ++grade) {
        json.key(quality::kGradeNames[grade]).array();
        for (const auto& counts : strip.counts) json.number(counts[grade]);
        json.end_array();
    }
    json.end_object().end_object();
}

Task<Status> write_changes(JsonWriter& json, Services& services, const Call& call)
{
    json.key("changes").array();
    if (call.holds(identity::Permission::AuditRead)) {
        NW_CO_TRY(const auto page, co_await services.metadata.read([&](store::MetadataTx& tx) {
            return tx.audit().list({.workspace = call.workspace.id}, {.limit = 100});
        }));
        std::size_t written = 0;
        for (const auto& row : page.items) {
            // Sign-ins and denials are in the audit log; here is what changed the network's picture.
            if (row.entry.outcome != store::AuditOutcome::Done || row.entry.action.starts_with("session.")) continue;
            if (written++ == kListMax) break;
            write_audit_entry(json, row);
        }
    }
    json.end_array();
    co_return Status{};
}

// Newest first.
Task<Status> write_route_changes(JsonWriter& json, Services& services, const Call& call, const std::vector<ProbeView>& views,
                                 store::TimeRange range)
{
    NW_CO_TRY(const auto changes, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return tx.path_changes(call.workspace.id).list(std::nullopt, range.from_us, range.until_us, kListMax);
    }));
    json.key("route_changes").array();
    for (const auto& change : changes) {
        const auto view = std::ranges::find_if(views, [&](const ProbeView& one) { return one.probe.id == change.probe; });
        if (view == views.end()) continue;
        json.object()
            .field("probe", to_text(change.probe))
            .field("name", display_name(*view))
            .field("text", summary_of(change))
            .key("change");
        write_path_change(json, change);
        json.end_object();
    }
    json.end_array();
    co_return Status{};
}

}  // namespace

Task<Reply> get_overview(Services& services, Call& call)
{
    NW_CO_TRY(const auto range, range_of(call));
    const auto thresholds = settings_of(call.workspace).thresholds;
    NW_CO_TRY(const auto agents,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.agents(call.workspace.id).all(); }));
    NW_CO_TRY(const auto views, co_await views_of_workspace(services, call.workspace));
    NW_CO_TRY(const auto strip, co_await health_strip(services, views, range, thresholds));
    JsonWriter json;
    json.object()
        .field("from_us", range.from_us)
        .field("to_us", range.until_us)
        .field("now_us", to_us(services.clock.wall()))
        .field("probes", std::uint64_t{views.size()})
        .key("agents");
    NW_CO_CHECK(co_await write_agent_counts(json, services, call.workspace.id));
    json.key("grades");
    write_grade_counts(json, counts_of(views));
    json.key("worst").array();
    for (const auto* view : worst_of(views)) NW_CO_CHECK(co_await write_worst(json, services, *view, range, thresholds));
    json.end_array();
    write_strip(json, strip);
    json.key("agents_offline").array();
    std::size_t written = 0;
    for (const auto& agent : agents) {
        const auto status = status_of(agent, services.agents.state(agent.id));
        if (status != AgentStatus::Offline && status != AgentStatus::Stale) continue;
        if (written++ == kListMax) break;
        write_agent(json, services, agent);
    }
    json.end_array();
    NW_CO_CHECK(co_await write_changes(json, services, call));
    NW_CO_CHECK(co_await write_route_changes(json, services, call, views, range));
    json.end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
