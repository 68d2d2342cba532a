#include "quality/accumulator.hpp"

#include "base/varint.hpp"
#include "quality/roll_up.hpp"

#include <algorithm>
#include <utility>

namespace nw::quality {

Accumulator::Accumulator(const Kind& kind) : kind_(kind), sum_(make_aggregate(kind)), counts_(sum_.histograms.size())
{
    for (auto& counts : counts_) counts.buckets.resize(kBucketCount);
    for (std::size_t i = 0; i < kind.columns.size(); ++i)
        if (kind.columns[i].type == ColumnType::Integer || kind.columns[i].type == ColumnType::Histogram)
            layout_.push_back({i, kind.columns[i].type});
}

void Accumulator::roll_up(std::size_t column, std::int64_t value, std::int64_t at_us)
{
    quality::roll_up(kind_.columns[column].rollup, sum_.numbers[column], sum_.measured_us[column], value, at_us);
}

void Accumulator::begin_run(std::int64_t at_us, Outcome outcome)
{
    at_us_ = at_us;
    sum_.first_at_us = sum_.runs == 0 ? at_us : std::min(sum_.first_at_us, at_us);
    sum_.last_at_us = std::max(sum_.last_at_us, at_us);
    ++sum_.runs;
    ++sum_.outcomes[std::size_t(outcome)];
}

void Accumulator::histogram(std::size_t histogram, std::string_view compact)
{
    if (compact.empty()) return;
    auto& counts = counts_[histogram];
    const auto* at = compact.data();
    const auto* const end = at + compact.size();
    std::uint64_t bucket = 0;
    std::uint64_t delta = 0;
    std::uint64_t count = 0;
    for (bool first = true; at != end; first = false) {
        if (!take_varint(at, end, delta) || !take_varint(at, end, count) || delta >= kBucketCount) return;
        bucket += delta;
        if (bucket >= kBucketCount) return;
        counts.buckets[bucket] += count;
        if (first) counts.low = std::min(counts.low, std::uint32_t(bucket));
        counts.high = std::max(counts.high, std::uint32_t(bucket));
    }
}

void Accumulator::add(const Rows& rows, std::size_t row)
{
    begin_run(rows.at_us[row], rows.outcome[row]);
    std::size_t next = 0;
    for (const auto& [column, type] : layout_) {
        if (type == ColumnType::Integer) number(column, rows.columns[column].numbers[row]);
        else histogram(next++, rows.columns[column].bytes.at(row));
    }
}

void Accumulator::add(const Aggregate& from)
{
    if (from.empty()) return;
    sum_.first_at_us = empty() ? from.first_at_us : std::min(sum_.first_at_us, from.first_at_us);
    sum_.last_at_us = std::max(sum_.last_at_us, from.last_at_us);
    sum_.runs += from.runs;
    for (std::size_t i = 0; i < kOutcomeCount; ++i) sum_.outcomes[i] += from.outcomes[i];
    for (const auto& [column, type] : layout_)
        if (type == ColumnType::Integer) roll_up(column, from.numbers[column], from.measured_us[column]);
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        const auto entries = from.histograms[i].entries();
        if (entries.empty()) continue;
        for (const auto& entry : entries) counts_[i].buckets[entry.bucket] += entry.count;
        counts_[i].low = std::min(counts_[i].low, entries.front().bucket);
        counts_[i].high = std::max(counts_[i].high, entries.back().bucket);
    }
}

// The counts as entries, and all counts zero again.
void Accumulator::put_down(std::size_t histogram, std::vector<Histogram::Entry>& entries)
{
    auto& counts = counts_[histogram];
    for (auto bucket = counts.low; bucket <= counts.high; ++bucket)
        if (const auto count = std::exchange(counts.buckets[bucket], 0)) entries.push_back({bucket, count});
    counts.low = kBucketCount;
    counts.high = 0;
}

Aggregate Accumulator::take()
{
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        const auto& counts = counts_[i];
        if (counts.low > counts.high) continue;
        const auto begin = counts.buckets.begin() + counts.low;
        const auto end = counts.buckets.begin() + counts.high + 1;
        std::vector<Histogram::Entry> entries;
        entries.reserve(std::size_t(end - begin - std::count(begin, end, std::uint64_t{0})));
        put_down(i, entries);
        sum_.histograms[i] = Histogram::from_entries(std::move(entries));
    }
    return std::exchange(sum_, make_aggregate(kind_));
}

void Accumulator::take(Aggregate& into)
{
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        auto entries = std::move(into.histograms[i]).take_entries();
        entries.clear();
        put_down(i, entries);
        into.histograms[i] = Histogram::from_entries(std::move(entries));
    }
    std::swap(into.histograms, sum_.histograms);
    std::swap(into, sum_);
    clear(sum_);
}

}  // namespace nw::quality
