// The path of a probe: at a moment, its changes over a range, and what differs between two moments.
#include "api/handlers.hpp"
#include "api/path_view.hpp"
#include "api/ranges.hpp"
#include "api/route_history.hpp"
#include "api/workspace_settings.hpp"

#include "atlas/atlas.hpp"
#include "atlas/stored_runs.hpp"
#include "store/metadata/settings_json.hpp"

#include <algorithm>

namespace nw::api {
namespace {

constexpr std::int64_t kWindowDefault = 600;
constexpr std::int64_t kWindowMin = 60;
constexpr std::int64_t kWindowMax = 86'400;
constexpr std::size_t kRunsMax = 2'000;  // merged into one path
constexpr std::uint64_t kRunsOfHistoryMax = 20'000;
constexpr std::uint32_t kBucketsOfHistory = 500;
constexpr std::uint32_t kChangesMax = 500;
constexpr std::size_t kRoutesMax = 50;

struct Subject {
    store::Probe probe{};
    const Kind* kind = nullptr;
    PathSubject shown{};
    std::int64_t interval_us = 0;
};

Task<Result<Subject>> subject_of(Services& services, const Call& call)
{
    NW_CO_TRY(const auto of, co_await probe_of(services, call));
    if (!topology::has_paths(*of.kind)) co_return fail(Errc::Conflict, "the probe's kind has no paths");
    Subject subject{.probe = of.probe, .kind = of.kind};
    subject.shown = {.agent = of.probe.agent, .agent_name = of.probe.agent_name};
    NW_CO_CHECK(co_await services.metadata.read([&](store::MetadataTx& tx) -> Status {
        const auto agent = tx.agents(call.workspace.id).get(of.probe.agent);
        if (agent) subject.shown.agent_status = status_of(*agent, services.agents.state(agent->id));
        if (!of.probe.target) return {};
        NW_TRY(const auto target, tx.probes(call.workspace.id).target(*of.probe.target));
        subject.shown.target = target.name.empty() ? target.address : target.name;
        return {};
    }));
    if (const auto settings = store::settings_from_text(of.probe.settings)) {
        subject.shown.protocol = text_setting(*settings, "protocol");
        if (const auto interval = number_setting(*settings, "interval")) subject.interval_us = *interval * 1'000;
    }
    co_return subject;
}

struct Moment {
    PathSpan span{};
    std::vector<topology::Run> runs{};
};

// The runs in (at - window, at]; without any, the newest one before.
Task<Result<Moment>> runs_at(Services& services, const Subject& subject, std::int64_t at_us, std::int64_t window_s)
{
    const auto from = std::max<std::int64_t>(0, at_us - window_s * store::kSecondUs);
    Moment moment{.span = {.at_us = at_us, .from_us = from, .until_us = at_us}};
    auto& pool = services.atlas.pool();
    NW_CO_TRY(auto found, co_await atlas::read_runs(services.telemetry, pool, subject.probe.id, *subject.kind,
                                                    {from + 1, at_us + 1}, kRunsMax));
    if (found.truncated) moment.span.from_us = found.runs.front().at_us;
    moment.runs = std::move(found.runs);
    const bool any = std::ranges::any_of(moment.runs, [](const topology::Run& run) { return !run.hops.empty(); });
    if (!any) {
        NW_CO_TRY(moment.runs,
                  co_await atlas::read_run_before(services.telemetry, pool, subject.probe.id, *subject.kind, from + 1));
    }
    co_return moment;
}

struct Wanted {
    std::int64_t at_us = 0;
    std::int64_t window_s = 0;
};

Result<Wanted> wanted_moment(const Services& services, const Call& call, std::string_view name, bool required)
{
    NW_TRY(const auto at, query_integer(call, name, 0, store::kTimeMaxUs));
    if (!at && required) return fail_field(std::string(name), "is required");
    NW_TRY(const auto window, query_integer(call, "window", kWindowMin, kWindowMax));
    return Wanted{at.value_or(to_us(services.clock.wall())), window.value_or(kWindowDefault)};
}

void write_names(JsonWriter& json, std::string_view name, const topology::PathSet& set, const std::vector<std::size_t>& hops)
{
    json.key(name).array();
    for (const auto hop : hops) json.text(hop_id(set.hops[hop]));
    json.end_array();
}

void write_changed(JsonWriter& json, const topology::PathSet& before, const topology::PathSet& after,
                   const std::vector<topology::HopPair>& pairs)
{
    json.key("changed").array();
    for (const auto& pair : pairs) {
        const auto& old = before.hops[pair.before];
        const auto& now = after.hops[pair.after];
        const auto was = old.delay.mean_us(), is = now.delay.mean_us();
        json.object()
            .field("before", hop_id(old))
            .field("after", hop_id(now))
            .field("loss_ratio_delta", now.loss_ratio() - old.loss_ratio())
            .field("rtt_mean_delta_us", was && is ? std::optional(*is - *was) : std::nullopt)
            .end_object();
    }
    json.end_array();
}

// Where the newest runs of the range begin that are no more than can be looked through.
Task<Result<std::int64_t>> begin_of_history(Services& services, const Subject& subject, store::TimeRange range)
{
    NW_CO_TRY(const auto series, co_await services.telemetry.series({.probes = {subject.probe.id},
                                                                     .kind = subject.kind,
                                                                     .range = range,
                                                                     .buckets_max = kBucketsOfHistory,
                                                                     .metrics = {&subject.kind->metrics.front()}}));
    const auto& buckets = series.probes.front().buckets;
    std::uint64_t runs = 0;
    for (auto i = buckets.size(); i-- > 0;) {
        runs += buckets[i] ? buckets[i]->runs : 0;
        if (runs > kRunsOfHistoryMax) co_return series.from_us + std::int64_t(i + 1) * series.step_us;
    }
    co_return range.from_us;
}

void write_route(JsonWriter& json, const RouteHistory::Known& route, std::int64_t time_us)
{
    json.object().field("id", route.id).key("hops").array();
    for (const auto& hop : route.route.hops) {
        json.array();
        for (const auto& address : hop) json.text(ip_text(address));
        json.end_array();
    }
    json.end_array()
        .field("runs", route.runs)
        .field("share_of_time", time_us <= 0 ? 0.0 : double(route.time_us) / double(time_us))
        .field("first_us", route.first_us)
        .field("last_us", route.last_us)
        .end_object();
}

std::string history_json(const RouteHistory& history, store::TimeRange range, std::int64_t now_us, bool truncated)
{
    JsonWriter json;
    json.object().key("changes").array();
    const auto& changes = history.changes();
    for (std::size_t i = 0; i < changes.size(); ++i)
        write_path_change(json, changes[i], history.before(i), history.after(i));
    json.end_array().key("routes").array();
    const auto& routes = history.routes();
    for (std::size_t i = 0; i < std::min(routes.size(), kRoutesMax); ++i) write_route(json, routes[i], history.time_us());
    const auto lasted = double(std::min(range.until_us, now_us) - range.from_us) / double(store::kDayUs);
    const bool any = history.time_us() > 0;
    json.end_array()
        .field("stability", any ? std::optional(double(routes.front().time_us) / double(history.time_us())) : std::nullopt)
        .field("flaps_per_day", any && lasted > 0 ? std::optional(double(changes.size()) / lasted) : std::nullopt)
        .field("runs", history.runs())
        .field("truncated", truncated || routes.size() > kRoutesMax)
        .end_object();
    return std::move(json).str();
}

}  // namespace

Task<Reply> get_path(Services& services, Call& call)
{
    NW_CO_TRY(const auto wanted, wanted_moment(services, call, "at", false));
    NW_CO_TRY(const auto subject, co_await subject_of(services, call));
    NW_CO_TRY(const auto moment, co_await runs_at(services, subject, wanted.at_us, wanted.window_s));
    const auto thresholds = settings_of(call.workspace).thresholds;
    auto body = co_await run_on(services.atlas.pool(), [&] {
        JsonWriter json;
        write_path(json, subject.shown, moment.span, topology::merge(moment.runs), thresholds);
        return std::move(json).str();
    });
    co_return json_response(std::move(body));
}

Task<Reply> get_path_diff(Services& services, Call& call)
{
    NW_CO_TRY(const auto first, wanted_moment(services, call, "before", true));
    NW_CO_TRY(const auto second, wanted_moment(services, call, "after", true));
    NW_CO_TRY(const auto subject, co_await subject_of(services, call));
    NW_CO_TRY(const auto earlier, co_await runs_at(services, subject, first.at_us, first.window_s));
    NW_CO_TRY(const auto later, co_await runs_at(services, subject, second.at_us, second.window_s));
    const auto thresholds = settings_of(call.workspace).thresholds;
    auto body = co_await run_on(services.atlas.pool(), [&] {
        const auto before = topology::merge(earlier.runs), after = topology::merge(later.runs);
        const auto difference = topology::difference(before, after);
        JsonWriter json;
        json.object().key("before");
        write_path(json, subject.shown, earlier.span, before, thresholds);
        json.key("after");
        write_path(json, subject.shown, later.span, after, thresholds);
        write_names(json, "added", after, difference.added);
        write_names(json, "removed", before, difference.removed);
        write_changed(json, before, after, difference.kept);
        json.field("same", difference.same).end_object();
        return std::move(json).str();
    });
    co_return json_response(std::move(body));
}

Task<Reply> list_path_changes(Services& services, Call& call)
{
    NW_CO_TRY(const auto range, range_of(call));
    NW_CO_TRY(const auto subject, co_await subject_of(services, call));
    NW_CO_TRY(auto changes, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return tx.path_changes(call.workspace.id).list(subject.probe.id, range.from_us, range.until_us, kChangesMax);
    }));
    std::ranges::reverse(changes);
    NW_CO_TRY(const auto begin, co_await begin_of_history(services, subject, range));
    const bool truncated = begin > range.from_us || changes.size() == kChangesMax;
    RouteHistory history(std::move(changes), std::max<std::int64_t>(subject.interval_us, store::kSecondUs));
    if (begin < range.until_us)
        NW_CO_CHECK(co_await atlas::each_run(services.telemetry, services.atlas.pool(), subject.probe.id, *subject.kind,
                                             {begin, range.until_us}, [&](const auto& run) { history.add(run); }));
    history.finish();
    co_return json_response(history_json(history, range, to_us(services.clock.wall()), truncated));
}

}  // namespace nw::api
