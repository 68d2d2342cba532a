#include "api/probe_view.hpp"

#include "api/workspace_settings.hpp"

#include "model/rows.hpp"
#include "store/metadata/settings_json.hpp"

namespace nw::api {
namespace {

struct Context {
    std::map<TargetId, store::Target> targets{};
    std::map<AgentId, store::Agent> agents{};
};

// What a handful of probes refers to is read one by one, what a page of them refers to at once.
constexpr std::size_t kReadOneByOneMax = 32;

template <class Id, class Value>
Status read_one(std::map<Id, Value>& known, Id id, Result<Value> found)
{
    if (found) known.emplace(id, *std::move(found));
    else if (found.error().code != Errc::NotFound) return std::unexpected(std::move(found).error());
    return {};
}

Result<Context> read_context(store::MetadataTx& tx, WorkspaceId workspace, std::span<const store::Probe> probes)
{
    Context context;
    if (probes.size() <= kReadOneByOneMax) {
        for (const auto& probe : probes) {
            if (!context.agents.contains(probe.agent))
                NW_CHECK(read_one(context.agents, probe.agent, tx.agents(workspace).get(probe.agent)));
            if (probe.target && !context.targets.contains(*probe.target))
                NW_CHECK(read_one(context.targets, *probe.target, tx.probes(workspace).target(*probe.target)));
        }
        return context;
    }
    NW_TRY(auto targets, tx.probes(workspace).targets());
    for (auto& target : targets) context.targets.emplace(target.id, std::move(target));
    NW_TRY(auto agents, tx.agents(workspace).all());
    for (auto& agent : agents) context.agents.emplace(agent.id, std::move(agent));
    return context;
}

ProbeView make_view(Services& services, const Context& context, store::Probe probe)
{
    ProbeView view{.probe = std::move(probe)};
    view.kind = services.kinds.by_name(view.probe.kind);
    if (view.probe.target) {
        const auto target = context.targets.find(*view.probe.target);
        if (target != context.targets.end()) view.target = target->second;
    }
    const auto agent = context.agents.find(view.probe.agent);
    const auto state = services.agents.state(view.probe.agent);
    if (agent != context.agents.end()) view.agent_status = status_of(agent->second, state);
    for (const auto& [id, what] : state.problems)
        if (id == view.probe.id) view.problem = what;
    return view;
}

quality::Aggregate aggregate_of(const Sample& sample)
{
    auto rows = make_rows(*sample.kind);
    append(rows, 1, sample);
    auto aggregate = quality::make_aggregate(*sample.kind);
    quality::add(aggregate, rows, 0);
    return aggregate;
}

// A probe that answers less often than every 15 minutes is graded by its newest run while that is not yet overdue.
quality::Graded grade_latest(const Kind& kind, const store::Latest& latest, const store::Probe& probe, WallTime now,
                             const quality::GradeThresholds& thresholds)
{
    if (!latest.recent.empty()) return quality::grade(kind, latest.recent, thresholds);
    if (!latest.sample) return {quality::Grade::Unknown, "no result yet"};
    const auto settings = store::settings_from_text(probe.settings);
    const auto interval = settings && settings->contains("interval") ? std::get<std::int64_t>(settings->at("interval")) : 0;
    if (now - latest.sample->at <= Millis(2 * interval))
        return quality::grade(kind, aggregate_of(*latest.sample), thresholds);
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(now - latest.sample->at).count();
    return {quality::Grade::Unknown, "no result for " + std::to_string(minutes) + " min"};
}

Task<Status> add_latest(Services& services, const store::Workspace& workspace, const Kind& kind,
                        std::vector<ProbeView*> views)
{
    std::vector<ProbeId> ids;
    for (const auto* view : views) ids.push_back(view->probe.id);
    const auto now = services.clock.wall();
    NW_CO_TRY(auto latest, co_await services.telemetry.latest({.probes = std::move(ids), .kind = &kind, .now = now}));
    const auto thresholds = settings_of(workspace).thresholds;
    for (std::size_t i = 0; i < views.size(); ++i) {
        views[i]->graded = grade_latest(kind, *latest[i], views[i]->probe, now, thresholds);
        views[i]->latest = latest[i]->sample;
    }
    co_return Status{};
}

void write_target(JsonWriter& json, const std::optional<store::Target>& target)
{
    if (!target) {
        json.null();
        return;
    }
    json.object()
        .field("id", to_text(target->id))
        .field("address", target->address)
        .field("name", target->name)
        .end_object();
}

void write_latest(JsonWriter& json, const ProbeView& view)
{
    if (!view.latest) {
        json.null();
        return;
    }
    const auto& sample = *view.latest;
    json.object()
        .field("at_us", to_us(sample.at))
        .field("outcome", name_of(sample.outcome))
        .field("reason", sample.reason)
        .field("grade", quality::name_of(view.graded.grade))
        .field("grade_reason", shown_reason(view.graded))
        .key("metrics");
    write_metrics(json, *view.kind, aggregate_of(sample));
    json.end_object();
}

}  // namespace

Task<Result<std::vector<ProbeView>>> views_of(Services& services, const store::Workspace& workspace,
                                              std::vector<store::Probe> probes)
{
    NW_CO_TRY(const auto context, co_await services.metadata.read(
                                      [&](store::MetadataTx& tx) { return read_context(tx, workspace.id, probes); }));
    std::vector<ProbeView> views;
    views.reserve(probes.size());
    for (auto& probe : probes) views.push_back(make_view(services, context, std::move(probe)));
    std::map<const Kind*, std::vector<ProbeView*>> by_kind;
    for (auto& view : views)
        if (view.kind) by_kind[view.kind].push_back(&view);
    for (auto& [kind, of_kind] : by_kind) NW_CO_CHECK(co_await add_latest(services, workspace, *kind, std::move(of_kind)));
    co_return views;
}

Task<Result<std::vector<ProbeView>>> views_of_workspace(Services& services, const store::Workspace& workspace)
{
    NW_CO_TRY(auto probes,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.probes(workspace.id).all(); }));
    co_return co_await views_of(services, workspace, std::move(probes));
}

Task<Result<ProbeView>> view_of(Services& services, const store::Workspace& workspace, store::Probe probe)
{
    std::vector<store::Probe> one;
    one.push_back(std::move(probe));
    NW_CO_TRY(auto views, co_await views_of(services, workspace, std::move(one)));
    co_return std::move(views.front());
}

std::string display_name(const ProbeView& view)
{
    if (!view.probe.name.empty()) return view.probe.name;
    const auto target =
        view.target ? (view.target->name.empty() ? view.target->address : view.target->name) : view.probe.kind;
    return view.probe.agent_name + " → " + target;
}

void write_metrics(JsonWriter& json, const Kind& kind, const quality::Aggregate& aggregate)
{
    json.object();
    for (const auto& metric : kind.metrics) json.field(metric.name, quality::evaluate(kind, metric, aggregate));
    json.end_object();
}

void write_probe(JsonWriter& json, const ProbeView& view)
{
    const auto& probe = view.probe;
    json.object()
        .field("id", to_text(probe.id))
        .field("name", display_name(view))
        .field("kind", probe.kind)
        .key("agent")
        .object()
        .field("id", to_text(probe.agent))
        .field("name", probe.agent_name)
        .field("status", name_of(view.agent_status))
        .end_object()
        .key("target");
    write_target(json, view.target);
    json.field("enabled", probe.enabled).key("settings");
    const auto settings = store::settings_from_text(probe.settings);
    if (view.kind && settings) json.raw(store::to_json(*view.kind, *settings, false));
    else json.object().end_object();
    json.field("revision", probe.revision)
        .field("created_us", probe.created_us)
        .field("updated_us", probe.updated_us)
        .key("latest");
    write_latest(json, view);
    json.field("problem", view.problem).end_object();
}

GradeCounts counts_of(std::span<const ProbeView> views)
{
    GradeCounts counts;
    for (const auto& view : views) {
        if (view.probe.enabled) ++counts.by_grade[std::size_t(view.graded.grade)];
        else ++counts.paused;
    }
    return counts;
}

Task<Result<GradeCounts>> count_grades(Services& services, const store::Workspace& workspace)
{
    NW_CO_TRY(const auto probes,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.probes(workspace.id).all(); }));
    const auto thresholds = settings_of(workspace).thresholds;
    const auto now = services.clock.wall();
    GradeCounts counts;
    std::map<const Kind*, std::vector<const store::Probe*>> by_kind;
    for (const auto& probe : probes) {
        const auto* kind = services.kinds.by_name(probe.kind);
        if (!probe.enabled) ++counts.paused;
        else if (kind) by_kind[kind].push_back(&probe);
        else ++counts.by_grade[std::size_t(quality::Grade::Unknown)];
    }
    for (const auto& [kind, of_kind] : by_kind) {
        std::vector<ProbeId> ids;
        for (const auto* probe : of_kind) ids.push_back(probe->id);
        NW_CO_TRY(const auto latest,
                  co_await services.telemetry.latest({.probes = std::move(ids), .kind = kind, .now = now}));
        for (std::size_t i = 0; i < of_kind.size(); ++i)
            ++counts.by_grade[std::size_t(grade_latest(*kind, *latest[i], *of_kind[i], now, thresholds).grade)];
    }
    co_return counts;
}

void write_grade_counts(JsonWriter& json, const GradeCounts& counts)
{
    json.object();
    for (std::size_t i = 0; i < counts.by_grade.size(); ++i) json.field(quality::kGradeNames[i], counts.by_grade[i]);
    json.field("paused", counts.paused).end_object();
}

std::string_view shown_reason(const quality::Graded& graded)
{
    return graded.grade == quality::Grade::Excellent ? std::string_view() : graded.reason;
}

}  // namespace nw::api
