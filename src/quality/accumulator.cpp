#include "quality/accumulator.hpp"

#include "quality/roll_up.hpp"

#include <algorithm>
#include <utility>

namespace nw::quality {
namespace {

// As take_varint, for the two numbers of each bucket; nothing is lost by stopping at damage.
bool take_number(const char*& at, const char* end, std::uint64_t& value)
{
    if (at == end) return false;
    auto byte = std::uint8_t(*at++);
    value = byte & 0x7f;
    for (unsigned shift = 7; byte >= 0x80; shift += 7) {
        if (at == end || shift > 56) return false;
        byte = std::uint8_t(*at++);
        value |= std::uint64_t(byte & 0x7f) << shift;
    }
    return true;
}

}  // namespace

Accumulator::Accumulator(const Kind& kind) : kind_(kind), sum_(make_aggregate(kind)), counts_(sum_.histograms.size())
{
    for (auto& counts : counts_) counts.buckets.resize(kBucketCount);
    for (std::size_t i = 0; i < kind.columns.size(); ++i)
        if (kind.columns[i].type != ColumnType::Text) layout_.push_back({i, kind.columns[i].type});
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
        if (!take_number(at, end, delta) || !take_number(at, end, count) || delta >= kBucketCount) return;
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

Aggregate Accumulator::take()
{
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        auto& counts = counts_[i];
        if (counts.low > counts.high) continue;
        // Exactly as much room as it takes: thousands of these are held at a time.
        const auto begin = counts.buckets.begin() + counts.low;
        const auto end = counts.buckets.begin() + counts.high + 1;
        std::vector<Histogram::Entry> entries;
        entries.reserve(std::size_t(end - begin - std::count(begin, end, std::uint64_t{0})));
        for (auto bucket = counts.low; bucket <= counts.high; ++bucket)
            if (const auto count = std::exchange(counts.buckets[bucket], 0)) entries.push_back({bucket, count});
        sum_.histograms[i] = Histogram::from_entries(std::move(entries));
        counts.low = kBucketCount;
        counts.high = 0;
    }
    return std::exchange(sum_, make_aggregate(kind_));
}

}  // namespace nw::quality
