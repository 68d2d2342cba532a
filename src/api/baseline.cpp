#include "api/baseline.hpp"

#include "store/telemetry/rules.hpp"

#include <algorithm>
#include <span>

namespace nw::api {
namespace {

constexpr std::int64_t kBackUs = 7 * store::kDayUs;

// Five-minute medians, moved forward by a week.
struct Medians {
    std::int64_t from_us = 0;
    std::vector<std::optional<double>> values{};

    // Of the whole hours that the bucket touches.
    std::span<const std::optional<double>> around(std::int64_t from, std::int64_t until) const
    {
        const auto hours = store::widened({from, until}, store::kHourUs);
        const auto first = std::min(std::size_t((hours.from_us - from_us) / store::kFiveMinutesUs), values.size());
        const auto count = std::size_t((hours.until_us - hours.from_us) / store::kFiveMinutesUs);
        return std::span(values).subspan(first, std::min(count, values.size() - first));
    }
};

const Metric* median_of(const Kind& kind)
{
    const auto found = std::ranges::find_if(kind.metrics, [&](const Metric& metric) {
        return metric.formula == Formula::Quantile && metric.a == kind.presentation.distribution && metric.q == 0.5;
    });
    return found == kind.metrics.end() ? nullptr : &*found;
}

}  // namespace

Task<Result<std::optional<UsualColumn>>> read_baseline(store::Telemetry& telemetry, const ProbeAndKind& of,
                                                       store::TimeRange range, std::int64_t step_us)
{
    const auto* median = median_of(*of.kind);
    const auto index = of.kind->column_index(of.kind->presentation.distribution);
    const auto hours = store::widened(range, store::kHourUs);
    const auto count = (hours.until_us - hours.from_us) / store::kFiveMinutesUs;
    if (!median || !index || count < 1 || count > store::kBucketsMax || hours.from_us < kBackUs) co_return std::nullopt;
    NW_CO_TRY(const auto before, co_await telemetry.series({.probes = {of.probe.id},
                                                            .kind = of.kind,
                                                            .range = {hours.from_us - kBackUs, hours.until_us - kBackUs},
                                                            .buckets_max = std::uint32_t(count),
                                                            .metrics = {median}}));
    if (before.step_us != store::kFiveMinutesUs) co_return std::nullopt;
    Medians medians{.from_us = hours.from_us};
    for (const auto& bucket : before.probes.front().buckets)
        medians.values.push_back(bucket ? quality::evaluate(*of.kind, *median, *bucket) : std::nullopt);
    UsualColumn usual{.column = &of.kind->columns[*index]};
    for (auto from = range.from_us; from < range.until_us; from += step_us)
        usual.buckets.push_back(quality::baseline_of(medians.around(from, from + step_us)));
    co_return usual;
}

}  // namespace nw::api
