#include "quality/aggregate.hpp"

#include "quality/roll_up.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nw::quality {
namespace {

__extension__ using Wide = __int128;

void widen(Aggregate& to, std::int64_t first_at, std::int64_t last_at)
{
    to.first_at_us = to.first_at_us == kAbsent ? first_at : std::min(to.first_at_us, first_at);
    to.last_at_us = std::max(to.last_at_us, last_at);
}

std::optional<std::int64_t> number(const Kind& kind, const Aggregate& aggregate, std::string_view column)
{
    const auto index = kind.column_index(column);
    if (!index || *index >= aggregate.numbers.size()) return std::nullopt;
    const auto value = aggregate.numbers[*index];
    if (value == kAbsent || value == kSaturated) return std::nullopt;
    return value;
}

std::optional<double> quotient(std::optional<std::int64_t> a, std::optional<std::int64_t> b)
{
    if (!a || !b || *b <= 0) return std::nullopt;
    return double(*a) / double(*b);
}

// Exact up to the root: c*b and a*a are taken in 128 bits, so nothing cancels.
std::optional<double> deviation(std::optional<std::int64_t> a, std::optional<std::int64_t> b, std::optional<std::int64_t> c)
{
    if (!a || !b || !c || *b <= 0) return std::nullopt;
    const auto scaled = Wide(*c) * *b - Wide(*a) * *a;
    if (scaled <= 0) return 0.0;
    return double(std::sqrt(static_cast<long double>(scaled)) / static_cast<long double>(*b));
}

double nanos_per(std::string_view unit)
{
    if (unit == "us") return 1e3;
    if (unit == "ms") return 1e6;
    if (unit == "s") return 1e9;
    return 1;
}

std::optional<double> quantile(const Kind& kind, const Metric& metric, const Aggregate& aggregate)
{
    const auto index = histogram_index(kind, metric.a);
    if (!index || *index >= aggregate.histograms.size() || aggregate.histograms[*index].empty()) return std::nullopt;
    return double(aggregate.histograms[*index].quantile(metric.q).count()) / nanos_per(metric.unit);
}

}  // namespace

Aggregate make_aggregate(const Kind& kind)
{
    Aggregate aggregate;
    aggregate.numbers.assign(kind.columns.size(), kAbsent);
    aggregate.measured_us.assign(kind.columns.size(), kAbsent);
    aggregate.histograms.resize(std::size_t(std::ranges::count(kind.columns, ColumnType::Histogram, &Column::type)));
    return aggregate;
}

void clear(Aggregate& aggregate)
{
    aggregate.runs = 0;
    aggregate.outcomes = {};
    aggregate.first_at_us = aggregate.last_at_us = kAbsent;
    std::ranges::fill(aggregate.numbers, kAbsent);
    std::ranges::fill(aggregate.measured_us, kAbsent);
    for (auto& histogram : aggregate.histograms) histogram.clear();
}

void add(Aggregate& to, const Rows& rows, std::size_t row)
{
    const auto& kind = *rows.kind;
    const auto at = rows.at_us[row];
    ++to.runs;
    ++to.outcomes[std::size_t(rows.outcome[row])];
    widen(to, at, at);
    std::size_t histogram = 0;
    for (std::size_t i = 0; i < kind.columns.size(); ++i) {
        const auto& column = kind.columns[i];
        if (column.type == ColumnType::Integer)
            roll_up(column.rollup, to.numbers[i], to.measured_us[i], rows.columns[i].numbers[row], at);
        else if (column.type == ColumnType::Histogram)
            (void)to.histograms[histogram++].merge_compact(rows.columns[i].bytes.at(row));
    }
}

void merge(const Kind& kind, Aggregate& to, const Aggregate& from)
{
    if (from.empty()) return;
    to.runs += from.runs;
    for (std::size_t i = 0; i < to.outcomes.size(); ++i) to.outcomes[i] += from.outcomes[i];
    widen(to, from.first_at_us, from.last_at_us);
    for (std::size_t i = 0; i < kind.columns.size(); ++i)
        if (kind.columns[i].type == ColumnType::Integer)
            roll_up(kind.columns[i].rollup, to.numbers[i], to.measured_us[i], from.numbers[i], from.measured_us[i]);
    for (std::size_t i = 0; i < to.histograms.size(); ++i) to.histograms[i].merge(from.histograms[i]);
}

std::optional<std::size_t> histogram_index(const Kind& kind, std::string_view column)
{
    std::size_t index = 0;
    for (const auto& declared : kind.columns) {
        if (declared.type != ColumnType::Histogram) continue;
        if (declared.name == column) return index;
        ++index;
    }
    return std::nullopt;
}

std::optional<double> evaluate(const Kind& kind, const Metric& metric, const Aggregate& aggregate)
{
    const auto a = number(kind, aggregate, metric.a);
    switch (metric.formula) {
    case Formula::Value: return a ? std::optional(double(*a)) : std::nullopt;
    case Formula::Ratio:
    case Formula::Mean: return quotient(a, number(kind, aggregate, metric.b));
    case Formula::Complement: {
        const auto share = quotient(a, number(kind, aggregate, metric.b));
        return share ? std::optional(std::clamp(1 - *share, 0.0, 1.0)) : std::nullopt;
    }
    case Formula::Deviation: return deviation(a, number(kind, aggregate, metric.b), number(kind, aggregate, metric.c));
    case Formula::Quantile: return quantile(kind, metric, aggregate);
    }
    return std::nullopt;
}

}  // namespace nw::quality
