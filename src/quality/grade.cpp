#include "quality/grade.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace nw::quality {
namespace {

struct Verdict {
    Grade grade = Grade::Excellent;
    std::string reason{};
};

struct Level {
    Grade grade = Grade::Excellent;
    double bound = 0;
};

Level level_of(double value, const Levels& levels)
{
    if (value >= levels.critical) return {Grade::Critical, levels.critical};
    if (value >= levels.poor) return {Grade::Poor, levels.poor};
    if (value >= levels.fair) return {Grade::Fair, levels.fair};
    if (value >= levels.good) return {Grade::Good, levels.good};
    return {Grade::Excellent, levels.good};
}

// Lower end of the Wilson score interval at 95 %: the share that `hits` of `count` prove at the least.
double proven_ratio(double hits, double count)
{
    constexpr double z = 1.96;
    const double p = hits / count;
    const double centre = p + z * z / (2 * count);
    const double margin = z * std::sqrt(p * (1 - p) / count + z * z / (4 * count * count));
    return std::max(0.0, (centre - margin) / (1 + z * z / count));
}

std::string relation(const Level& level, std::string_view bound)
{
    if (level.grade == Grade::Excellent) return fmt::format("below {}", bound);
    return fmt::format("{} at {}", name_of(level.grade), bound);
}

Verdict grade_share(std::string_view what, std::int64_t hits, std::int64_t count, const GradeThresholds& thresholds)
{
    const bool few = std::uint64_t(count) < thresholds.packets_min;
    const double ratio = few ? proven_ratio(double(hits), double(count)) : double(hits) / double(count);
    const auto level = level_of(ratio, thresholds.loss_ratio);
    auto reason = fmt::format("{} {} of {}", what, hits, count);
    if (hits > 0) reason += ", " + relation(level, fmt::format("{:g} %", level.bound * 100));
    return {level.grade, std::move(reason)};
}

Verdict grade_time(std::string_view what, double us, const Levels& levels)
{
    const auto level = level_of(us, levels);
    return {level.grade,
            fmt::format("{} {:.3g} ms, {}", what, us / 1e3, relation(level, fmt::format("{:g} ms", level.bound / 1e3)))};
}

std::optional<std::int64_t> column(const Kind& kind, const Aggregate& aggregate, std::string_view name)
{
    const auto index = kind.column_index(name);
    if (!index || *index >= aggregate.numbers.size() || aggregate.numbers[*index] == kAbsent) return std::nullopt;
    return aggregate.numbers[*index];
}

std::optional<Verdict> loss(const Kind& kind, const Aggregate& aggregate, const GradeThresholds& thresholds)
{
    const auto* metric = kind.metric(kind.presentation.loss);
    if (!metric || metric->formula != Formula::Complement) return std::nullopt;
    const auto received = column(kind, aggregate, metric->a).value_or(0);
    const auto sent = column(kind, aggregate, metric->b);
    if (!sent || *sent <= 0) return std::nullopt;
    return grade_share("loss", std::clamp<std::int64_t>(*sent - received, 0, *sent), *sent, thresholds);
}

std::optional<Verdict> latency(const Kind& kind, const Aggregate& aggregate, const GradeThresholds& thresholds)
{
    const auto index = histogram_index(kind, kind.presentation.distribution);
    if (!index) return std::nullopt;
    const auto& histogram = aggregate.histograms[*index];
    if (histogram.count() < std::max<std::uint64_t>(1, thresholds.latency_count_min)) return std::nullopt;
    return grade_time("median latency", double(histogram.quantile(0.5).count()) / 1e3, thresholds.latency_us);
}

std::optional<Verdict> jitter(const Kind& kind, const Aggregate& aggregate, const GradeThresholds& thresholds)
{
    const auto* metric = kind.metric("jitter");
    if (!metric || metric->unit != "us") return std::nullopt;
    const auto count = column(kind, aggregate, metric->b);
    const auto value = evaluate(kind, *metric, aggregate);
    if (!value || (metric->formula == Formula::Mean && std::uint64_t(count.value_or(0)) < thresholds.latency_count_min))
        return std::nullopt;
    return grade_time("jitter", *value, thresholds.jitter_us);
}

// Outcomes that prevent packets from being sent or counted at all; losses show in the packet counts.
constexpr std::array kFailures{Outcome::Refused, Outcome::DnsError, Outcome::TlsError, Outcome::ProtocolError,
                               Outcome::AssertionFailed};

Verdict failures(const Aggregate& aggregate, std::int64_t about_target, bool packets_counted,
                 const GradeThresholds& thresholds)
{
    std::int64_t failed = 0;
    auto worst = Outcome::Ok;
    const auto count = [&](Outcome outcome) {
        const auto runs = std::int64_t(aggregate.outcomes[std::size_t(outcome)]);
        if (runs > 0 && (worst == Outcome::Ok || runs > std::int64_t(aggregate.outcomes[std::size_t(worst)])))
            worst = outcome;
        failed += runs;
    };
    for (const auto outcome : kFailures) count(outcome);
    if (!packets_counted) {
        count(Outcome::Lost);
        count(Outcome::Unreachable);
    }
    if (failed == 0) return {Grade::Excellent, fmt::format("{} of {} runs ok", about_target, about_target)};
    return grade_share(fmt::format("{} in", name_of(worst)), failed, about_target, thresholds);
}

}  // namespace

Graded grade(const Kind& kind, const Aggregate& aggregate, const GradeThresholds& thresholds)
{
    if (aggregate.empty()) return {Grade::Unknown, "no data"};
    std::uint64_t about_target = 0;
    std::size_t own = std::size_t(Outcome::NotMeasured);
    for (std::size_t i = 0; i < kOutcomeCount; ++i) {
        if (is_about_target(Outcome(i))) about_target += aggregate.outcomes[i];
        else if (aggregate.outcomes[i] > aggregate.outcomes[own]) own = i;
    }
    if (about_target == 0)
        return {Grade::Unknown,
                fmt::format("agent: {} in {} of {} runs", name_of(Outcome(own)), aggregate.outcomes[own], aggregate.runs)};
    const auto packets = loss(kind, aggregate, thresholds);
    auto worst = failures(aggregate, std::int64_t(about_target), packets.has_value(), thresholds);
    if (packets && packets->grade >= worst.grade) worst = *packets;
    for (const auto& verdict : {latency(kind, aggregate, thresholds), jitter(kind, aggregate, thresholds)})
        if (verdict && verdict->grade > worst.grade) worst = *verdict;
    return {worst.grade, std::move(worst.reason)};
}

Graded grade(const PacketCounts& counts, const GradeThresholds& thresholds)
{
    if (counts.sent <= 0) return {Grade::Unknown, "no data"};
    auto worst = grade_share(counts.what, std::clamp<std::int64_t>(counts.lost, 0, counts.sent), counts.sent, thresholds);
    const bool enough = counts.delays >= std::max<std::uint64_t>(1, thresholds.latency_count_min);
    const auto consider = [&](std::string_view what, const std::optional<double>& value, const Levels& levels) {
        if (!value || !enough) return;
        if (auto verdict = grade_time(what, *value, levels); verdict.grade > worst.grade) worst = std::move(verdict);
    };
    consider("mean latency", counts.delay_us, thresholds.latency_us);
    consider("jitter", counts.jitter_us, thresholds.jitter_us);
    return {worst.grade, std::move(worst.reason)};
}

std::optional<std::int64_t> degraded_since_us(const std::vector<std::optional<Aggregate>>& buckets,
                                              const std::vector<Grade>& grades)
{
    std::optional<std::size_t> first;
    for (auto i = grades.size(); i-- > 0;) {
        if (grades[i] == Grade::Unknown) continue;
        if (grades[i] < Grade::Fair) break;
        first = i;
    }
    if (!first || *first == 0 || !buckets[*first]) return std::nullopt;
    return buckets[*first]->first_at_us;
}

}  // namespace nw::quality
