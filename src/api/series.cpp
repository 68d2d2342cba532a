#include "api/baseline.hpp"
#include "api/handlers.hpp"
#include "api/probe_view.hpp"
#include "api/ranges.hpp"
#include "api/workspace_settings.hpp"

#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "store/metadata/settings_json.hpp"
#include "store/telemetry/rules.hpp"

#include <algorithm>
#include <array>

namespace nw::api {
namespace {

constexpr std::uint32_t kWidthDefault = 1000;
constexpr std::uint32_t kWidthMax = 4000;
constexpr std::uint32_t kLostSpansMax = 1000;
constexpr std::array<double, 10> kQuantiles{0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1};

using Buckets = std::vector<std::optional<quality::Aggregate>>;

struct SeriesData {
    ProbeAndKind of{};
    store::TimeRange range{};  // whole buckets, not beyond the one of now
    std::int64_t now_us = 0;
    std::int64_t step_us = 0;
    store::Resolution resolution = store::Resolution::Raw;
    Buckets buckets{};
    quality::Aggregate whole{};
    std::vector<store::LostSpan> lost{};
    quality::GradeThresholds thresholds{};
    std::vector<const Metric*> metrics{};
    std::optional<UsualColumn> baseline{};

    std::int64_t start(std::size_t bucket) const { return range.from_us + std::int64_t(bucket) * step_us; }
};

std::int64_t interval_us(const store::Probe& probe)
{
    const auto settings = store::settings_from_text(probe.settings);
    if (!settings || !settings->contains("interval")) return 1'000'000;
    return std::get<std::int64_t>(settings->at("interval")) * 1000;
}

Result<std::vector<const Metric*>> wanted_metrics(const Call& call, const Kind& kind)
{
    std::vector<const Metric*> metrics;
    const auto given = call.request.query.find("metrics");
    if (given == call.request.query.end()) {
        for (const auto& metric : kind.metrics) metrics.push_back(&metric);
        return metrics;
    }
    for (const auto name : split(given->second, ',')) {
        const auto* metric = kind.metric(trimmed(name));
        if (!metric) return fail_field("metrics", "'" + std::string(name) + "' is no metric of " + std::string(kind.name));
        metrics.push_back(metric);
    }
    return metrics;
}

// The step: the one asked for, or the smallest that fits `width` and is not shorter than the probe's interval.
Result<std::int64_t> step_of(const Call& call, store::TimeRange range, std::int64_t interval)
{
    NW_TRY(const auto width, query_integer(call, "width", 1, kWidthMax));
    NW_TRY(const auto exact, query_integer(call, "step_us", 1'000'000, 86'400'000'000));
    if (!exact) return store::buckets_of(range, std::uint32_t(width.value_or(kWidthDefault)), interval).step_us;
    if (store::buckets_of({0, *exact}, 1, *exact).step_us != *exact)
        return fail_field("step_us", "is not one of the allowed steps");
    if ((range.until_us - range.from_us) / *exact > kWidthMax)
        return fail_field("step_us", "would need more than 4000 buckets");
    return *exact;
}

Task<Result<SeriesData>> read_series(Services& services, const Call& call)
{
    SeriesData data{.now_us = to_us(services.clock.wall())};
    NW_CO_TRY(data.of, co_await probe_of(services, call));
    const auto& probe = data.of.probe;
    NW_CO_TRY(const auto asked, range_of(call));
    NW_CO_TRY(data.metrics, wanted_metrics(call, *data.of.kind));
    NW_CO_TRY(const bool baseline, query_flag(call, "baseline"));
    NW_CO_TRY(data.step_us, step_of(call, asked, interval_us(probe)));
    data.range = store::widened(asked, data.step_us);
    const auto buckets_max = std::uint32_t((data.range.until_us - data.range.from_us) / data.step_us);
    NW_CO_TRY(auto series,
              co_await services.telemetry.series(
                  {.probes = {probe.id}, .kind = data.of.kind, .range = data.range, .buckets_max = buckets_max}));
    data.step_us = series.step_us;
    data.range.from_us = series.from_us;
    data.resolution = series.resolution;
    data.buckets = std::move(series.probes.front().buckets);
    data.range.until_us = data.start(data.buckets.size());
    while (!data.buckets.empty() && data.start(data.buckets.size() - 1) > data.now_us) data.buckets.pop_back();
    data.whole = quality::make_aggregate(*data.of.kind);
    for (const auto& bucket : data.buckets)
        if (bucket) quality::merge(*data.of.kind, data.whole, *bucket);
    NW_CO_TRY(data.lost, co_await services.telemetry.lost({probe.agent}, data.range, kLostSpansMax));
    data.thresholds = settings_of(call.workspace).thresholds;
    if (baseline) {
        NW_CO_TRY(data.baseline,
                  co_await read_baseline(services.telemetry, data.of, {data.range.from_us, data.start(data.buckets.size())},
                                         data.step_us));
    }
    co_return data;
}

// Graded by loss alone: the levels of the others are out of reach.
quality::GradeThresholds loss_only(quality::GradeThresholds thresholds)
{
    constexpr quality::Levels never{.good = 1e300, .fair = 1e300, .poor = 1e300, .critical = 1e300};
    thresholds.latency_us = never;
    thresholds.jitter_us = never;
    return thresholds;
}

void write_numbers(JsonWriter& json, const SeriesData& data)
{
    json.key("start_us").array();
    for (std::size_t i = 0; i < data.buckets.size(); ++i) json.number(data.start(i));
    json.end_array().key("runs").array();
    for (const auto& bucket : data.buckets) json.number(bucket ? bucket->runs : std::uint64_t{0});
    json.end_array().key("outcomes").object();
    for (std::size_t outcome = 0; outcome < kOutcomeCount; ++outcome) {
        if (data.whole.outcomes[outcome] == 0) continue;
        json.key(kOutcomeNames[outcome]).array();
        for (const auto& bucket : data.buckets) json.number(bucket ? bucket->outcomes[outcome] : std::uint64_t{0});
        json.end_array();
    }
    json.end_object().key("metrics").object();
    for (const auto* metric : data.metrics) {
        json.key(metric->name).array();
        for (const auto& bucket : data.buckets) {
            const auto value = bucket ? quality::evaluate(*data.of.kind, *metric, *bucket) : std::nullopt;
            if (value) json.number(*value);
            else json.null();
        }
        json.end_array();
    }
    json.end_object();
}

std::optional<double> quantile_of(const Kind& kind, const Column& column, std::size_t histogram,
                                  const quality::Aggregate& aggregate, double q)
{
    const auto& values = aggregate.histograms[histogram];
    if (values.empty()) return std::nullopt;
    // A bucket's middle may lie just outside what was really seen: the exact bounds, where they are known, hold.
    const auto low = exact_bound(kind, aggregate, column.name, "_min");
    const auto high = exact_bound(kind, aggregate, column.name, "_max");
    if (q == 0 && low) return low;
    if (q == 1 && high) return high;
    const auto value = in_unit(values.quantile(q), column.unit);
    return low && high ? std::clamp(value, *low, std::max(*low, *high)) : value;
}

void write_quantiles(JsonWriter& json, const SeriesData& data)
{
    json.key("quantiles").object();
    for (const auto& column : data.of.kind->columns) {
        const auto histogram = quality::histogram_index(*data.of.kind, column.name);
        if (!histogram) continue;
        json.key(column.name).object().key("q").array();
        for (const auto q : kQuantiles) json.number(q);
        json.end_array().key("values").array();
        for (const auto q : kQuantiles) {
            json.array();
            for (const auto& bucket : data.buckets) {
                const auto value = bucket ? quantile_of(*data.of.kind, column, *histogram, *bucket, q) : std::nullopt;
                if (value) json.number(*value);
                else json.null();
            }
            json.end_array();
        }
        json.end_array().end_object();
    }
    json.end_object();
}

void write_grades(JsonWriter& json, const SeriesData& data)
{
    std::vector<quality::Graded> grades;
    for (const auto& bucket : data.buckets)
        grades.push_back(bucket ? quality::grade(*data.of.kind, *bucket, data.thresholds)
                                : quality::Graded{quality::Grade::Unknown, "no data"});
    json.key("grade").array();
    for (const auto& graded : grades) json.text(quality::name_of(graded.grade));
    json.end_array().key("grade_reason").array();
    for (const auto& graded : grades) json.text(shown_reason(graded));
    json.end_array().key("loss_grade").array();
    const auto by_loss = loss_only(data.thresholds);
    for (const auto& bucket : data.buckets)
        json.text(
            quality::name_of(bucket ? quality::grade(*data.of.kind, *bucket, by_loss).grade : quality::Grade::Unknown));
    json.end_array().key("lost_declared").array();
    for (std::size_t i = 0; i < data.buckets.size(); ++i) {
        const auto from = data.start(i);
        const bool lost = std::ranges::any_of(
            data.lost, [&](const auto& span) { return span.from_us < from + data.step_us && span.until_us >= from; });
        json.number(std::int64_t{lost});
    }
    json.end_array();
}

// The median of the bucket against what is usual.
std::optional<double> deviation_of(const SeriesData& data, std::size_t bucket, std::size_t histogram)
{
    const auto& usual = data.baseline->buckets[bucket];
    const auto& found = data.buckets[bucket];
    if (!usual || !found) return std::nullopt;
    const auto median = quantile_of(*data.of.kind, *data.baseline->column, histogram, *found, 0.5);
    if (!median) return std::nullopt;
    return quality::deviation(*usual, *median);
}

void write_baseline(JsonWriter& json, const SeriesData& data)
{
    if (!data.baseline) return;
    const auto& baseline = *data.baseline;
    const auto histogram = quality::histogram_index(*data.of.kind, baseline.column->name);
    const auto column = [&](std::string_view name, auto value_of) {
        json.key(name).array();
        for (std::size_t i = 0; i < baseline.buckets.size(); ++i) {
            const std::optional<double> value = value_of(i);
            if (value) json.number(*value);
            else json.null();
        }
        json.end_array();
    };
    const auto of = [&](double quality::Baseline::* member) {
        return [&baseline, member](std::size_t i) {
            return baseline.buckets[i] ? std::optional((*baseline.buckets[i]).*member) : std::nullopt;
        };
    };
    json.key("baseline").object().field("column", baseline.column->name);
    column("mean", of(&quality::Baseline::mean));
    column("sigma", of(&quality::Baseline::sigma));
    column("deviation", [&](std::size_t i) { return histogram ? deviation_of(data, i, *histogram) : std::nullopt; });
    json.end_object();
}

std::optional<double> coverage(const SeriesData& data)
{
    const auto interval = interval_us(data.of.probe);
    const auto from = std::max(data.range.from_us, data.of.probe.created_us);
    const auto until = std::min(data.range.until_us, data.now_us);
    const auto due = (until - from) / interval;
    if (due < 1) return std::nullopt;
    return std::min(1.0, double(data.whole.runs) / double(due));
}

void write_summary(JsonWriter& json, const SeriesData& data)
{
    const auto graded = quality::grade(*data.of.kind, data.whole, data.thresholds);
    json.key("summary").object().field("runs", data.whole.runs).key("outcomes").object();
    for (std::size_t outcome = 0; outcome < kOutcomeCount; ++outcome)
        if (data.whole.outcomes[outcome] > 0) json.field(kOutcomeNames[outcome], data.whole.outcomes[outcome]);
    json.end_object().key("metrics");
    write_metrics(json, *data.of.kind, data.whole);
    json.field("grade", quality::name_of(graded.grade))
        .field("grade_reason", shown_reason(graded))
        .field("coverage_ratio", coverage(data))
        .end_object();
}

}  // namespace

Task<Reply> get_series(Services& services, Call& call)
{
    NW_CO_TRY(const auto data, co_await read_series(services, call));
    JsonWriter json;
    json.object()
        .field("probe", to_text(data.of.probe.id))
        .field("kind", data.of.kind->name)
        .field("from_us", data.range.from_us)
        .field("to_us", data.range.until_us)
        .field("now_us", data.now_us)
        .field("step_us", data.step_us)
        .field("resolution", store::kResolutionNames[std::size_t(data.resolution)])
        .field("count", std::uint64_t{data.buckets.size()});
    write_numbers(json, data);
    write_quantiles(json, data);
    write_grades(json, data);
    write_baseline(json, data);
    write_summary(json, data);
    json.end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> get_histogram(Services& services, Call& call)
{
    NW_CO_TRY(const auto of, co_await probe_of(services, call));
    NW_CO_TRY(const auto range, range_of(call));
    const auto name = call.request.query["column"];
    const auto histogram = quality::histogram_index(*of.kind, name);
    if (!histogram) co_return fail_field("column", "is no histogram column of " + std::string(of.kind->name));
    NW_CO_TRY(const auto summaries,
              co_await services.telemetry.summaries({.probes = {of.probe.id}, .kind = of.kind, .range = range}));
    const auto unit = of.kind->columns[*of.kind->column_index(name)].unit;
    const auto whole = summaries.probes.front().value_or(quality::make_aggregate(*of.kind));
    const auto& values = whole.histograms[*histogram];
    JsonWriter json;
    json.object()
        .field("column", name)
        .field("unit", unit)
        .field("from_us", summaries.range.from_us)
        .field("to_us", summaries.range.until_us)
        .field("count", values.count())
        .field("min", exact_bound(*of.kind, whole, name, "_min"))
        .field("max", exact_bound(*of.kind, whole, name, "_max"))
        .key("lower")
        .array();
    for (const auto& entry : values.entries()) json.number(in_unit(quality::bucket_low(entry.bucket), unit));
    json.end_array().key("upper").array();
    for (const auto& entry : values.entries()) {
        // The bucket's middle is half its width above its lower end.
        const auto low = quality::bucket_low(entry.bucket);
        json.number(in_unit(low + 2 * (quality::bucket_value(entry.bucket) - low), unit));
    }
    json.end_array().key("counts").array();
    for (const auto& entry : values.entries()) json.number(entry.count);
    json.end_array().end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
