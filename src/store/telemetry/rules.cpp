#include "store/telemetry/rules.hpp"

#include "base/text.hpp"
#include "model/child_rows.hpp"
#include "quality/histogram.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace nw::store {
namespace {

constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
constexpr std::array kSteps{kSecondUs,  2 * kSecondUs, 5 * kSecondUs, 10 * kSecondUs, 15 * kSecondUs, 30 * kSecondUs,
                            kMinuteUs,  2 * kMinuteUs, 5 * kMinuteUs, 10 * kMinuteUs, 15 * kMinuteUs, 30 * kMinuteUs,
                            kHourUs,    2 * kHourUs,   3 * kHourUs,   6 * kHourUs,    12 * kHourUs,   kDayUs,
                            2 * kDayUs, 7 * kDayUs,    14 * kDayUs,   28 * kDayUs,    84 * kDayUs,    364 * kDayUs};

std::int64_t floor_to(std::int64_t at_us, std::int64_t step_us) { return at_us - at_us % step_us; }
std::int64_t ceil_to(std::int64_t at_us, std::int64_t step_us) { return floor_to(at_us + step_us - 1, step_us); }

bool is_child_rows(const Column& column, std::string_view bytes)
{
    ChildRows table;
    return append_child_rows(column.children, bytes, table).has_value();
}

bool is_good(const Column& column, std::string_view bytes)
{
    if (column.type == ColumnType::Histogram) return quality::is_compact_histogram(bytes);
    return column.type != ColumnType::Table || is_child_rows(column, bytes);
}

void drop_bad_values(Rows& rows)
{
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        auto& bytes = rows.columns[i].bytes;
        const auto bad = [&](std::size_t row) { return !is_good(rows.kind->columns[i], bytes.at(row)); };
        bool any = false;
        for (std::size_t row = 0; row < bytes.size() && !any; ++row) any = bad(row);
        if (!any) continue;
        BytesColumn good;
        for (std::size_t row = 0; row < bytes.size(); ++row) good.push(bad(row) ? std::string_view{} : bytes.at(row));
        bytes = std::move(good);
    }
}

Rows above(const Rows& rows, std::uint64_t after_seq)
{
    auto kept = make_rows(*rows.kind);
    for (std::size_t row = 0; row < rows.size(); ++row)
        if (rows.seq[row] > after_seq) nw::append_row(kept, rows, row);
    return kept;
}

Status check_probes(const std::vector<ProbeId>& probes, const Kind* kind)
{
    if (!kind) return fail(Errc::Invalid, "no probe kind");
    if (probes.size() > kProbesPerQueryMax) return fail(Errc::Invalid, "too many probes in one query");
    return {};
}

}  // namespace

Admission admit(std::uint64_t watermark, std::uint64_t first_seq, std::uint64_t last_seq)
{
    if (first_seq > watermark + 1) return {.gap = true, .watermark = watermark, .after_seq = watermark};
    return {.gap = false, .watermark = std::max(watermark, last_seq), .after_seq = watermark};
}

TimeCorrection::TimeCorrection(const wire::Batch& batch, WallTime received_at) : received_us(to_us(received_at))
{
    const auto offset = batch.clock_offset_us;
    const auto size = offset < 0 ? 0 - std::uint64_t(offset) : std::uint64_t(offset);
    if (batch.clock_uncertainty_us > 0 && size > batch.clock_uncertainty_us && size < std::uint64_t(kTimeMaxUs))
        offset_us = offset;
}

std::int64_t TimeCorrection::corrected(std::int64_t at_us) const
{
    const auto at = std::clamp<std::int64_t>(at_us + offset_us, 0, kTimeMaxUs);
    return at > received_us + kAheadMaxUs ? received_us : at;
}

NewRows take_new_rows(wire::Batch batch, std::uint64_t after_seq, WallTime received_at)
{
    const TimeCorrection time(batch, received_at);
    NewRows taken;
    for (auto& rows : batch.kinds) {
        if (batch.first_seq <= after_seq) rows = above(rows, after_seq);
        if (rows.size() == 0) continue;
        drop_bad_values(rows);
        std::vector<std::int64_t> corrections(rows.size());
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const auto at = time.corrected(rows.at_us[row]);
            corrections[row] = at - rows.at_us[row];
            rows.at_us[row] = at;
        }
        taken.kinds.push_back(std::move(rows));
        taken.correction_us.push_back(std::move(corrections));
    }
    return taken;
}

Horizon horizon(const Retention& retention, WallTime now)
{
    const auto start = [&](Seconds keep) {
        const auto at = to_us(now) - std::min<std::int64_t>(keep.count(), kTimeMaxUs / kSecondUs) * kSecondUs;
        return floor_to(std::max<std::int64_t>(0, at), kDayUs);
    };
    return {start(retention.raw), start(retention.five_minutes), start(retention.hour)};
}

Result<RetentionRules> make_rules(Retention everything, const std::vector<ShorterRetention>& shorter)
{
    NW_CHECK(check(everything));
    RetentionRules rules{.everything = everything};
    for (const auto& [keep, probes] : shorter) {
        NW_CHECK(check(keep));
        const Retention least{.raw = std::min(keep.raw, everything.raw),
                              .five_minutes = std::min(keep.five_minutes, everything.five_minutes),
                              .hour = std::min(keep.hour, everything.hour)};
        if (least == everything) continue;
        for (const auto probe : probes) rules.shorter[probe] = least;
    }
    return rules;
}

Horizon Limits::of(ProbeId probe) const
{
    const auto found = rules_->shorter.find(probe);
    return found == rules_->shorter.end() ? everything_ : horizon(found->second, now_);
}

Horizon Limits::of(const std::vector<ProbeId>& probes) const
{
    auto least = everything_;
    if (rules_->shorter.empty()) return least;
    for (const auto probe : probes) {
        const auto one = of(probe);
        least = {std::max(least.raw_us, one.raw_us), std::max(least.five_minutes_us, one.five_minutes_us),
                 std::max(least.hour_us, one.hour_us)};
    }
    return least;
}

Resolution resolution_of(const Horizon& horizon, std::int64_t from_us)
{
    if (from_us >= horizon.raw_us) return Resolution::Raw;
    return from_us >= horizon.five_minutes_us ? Resolution::FiveMinutes : Resolution::Hour;
}

std::int64_t step_min_us(Resolution resolution)
{
    switch (resolution) {
    case Resolution::Raw: return kSecondUs;
    case Resolution::FiveMinutes: return kFiveMinutesUs;
    case Resolution::Hour: return kHourUs;
    }
    return kHourUs;
}

TimeRange widened(TimeRange range, std::int64_t step_us)
{
    return {floor_to(range.from_us, step_us), ceil_to(range.until_us, step_us)};
}

Buckets buckets_of(TimeRange range, std::uint32_t buckets_max, std::int64_t step_min)
{
    const auto with_step = [&](std::int64_t step) {
        const auto wide = widened(range, step);
        return Buckets{wide.from_us, step, std::size_t((wide.until_us - wide.from_us) / step)};
    };
    for (const auto step : kSteps)
        if (const auto buckets = with_step(step); step >= step_min && buckets.count <= buckets_max) return buckets;
    auto step = kSteps.back();
    while (with_step(step).count > buckets_max) step *= 2;
    return with_step(step);
}

SummaryPlan summary_plan(TimeRange range, const Horizon& horizon)
{
    const bool brief = range.until_us - range.from_us <= 6 * kHourUs;
    const auto step = brief && resolution_of(horizon, range.from_us) != Resolution::Hour ? kFiveMinutesUs : kHourUs;
    return {widened(range, step), step};
}

Status check(TimeRange range)
{
    if (range.from_us < 0 || range.until_us > kTimeMaxUs + 365 * kDayUs)
        return fail(Errc::Invalid, "a time outside 1970 to 2100");
    if (range.from_us >= range.until_us) return fail(Errc::Invalid, "the range ends before it begins");
    return {};
}

Status check(const SeriesQuery& query)
{
    NW_CHECK(check_probes(query.probes, query.kind));
    if (query.buckets_max < 1 || query.buckets_max > kBucketsMax) return fail(Errc::Invalid, "1 to 5000 buckets");
    return check(query.range);
}

Status check(const SamplesQuery& query)
{
    if (!query.kind) return fail(Errc::Invalid, "no probe kind");
    if (query.limit < 1 || query.limit > kSamplesPerPageMax) return fail(Errc::Invalid, "1 to 10000 samples per page");
    return check(query.range);
}

Status check(const SummaryQuery& query)
{
    NW_CHECK(check_probes(query.probes, query.kind));
    return check(query.range);
}

Status check(const LatestQuery& query) { return check_probes(query.probes, query.kind); }

Result<const Metric*> check(const TopQuery& query)
{
    NW_CHECK(check_probes(query.probes, query.kind));
    NW_CHECK(check(query.range));
    const auto* metric = query.kind->metric(query.metric);
    if (!metric) return fail(Errc::Invalid, "no such metric: " + query.metric);
    return metric;
}

Status check(const Retention& retention)
{
    if (retention.raw < Seconds(86'400) || retention.five_minutes < retention.raw || retention.hour < retention.five_minutes)
        return fail(Errc::Invalid, "retention: at least a day, and no less for coarser data");
    return {};
}

std::string to_cursor(const Position& position)
{
    return to_base32(std::uint64_t(position.at_us)) + to_base32(position.stream) + to_base32(position.seq);
}

Result<Position> parse_cursor(std::string_view cursor)
{
    if (cursor.empty()) return Position{.at_us = -1};
    constexpr std::size_t width = 13;
    if (cursor.size() != 3 * width) return fail(Errc::Invalid, "not a cursor");
    const auto at = from_base32(cursor.substr(0, width));
    const auto stream = from_base32(cursor.substr(width, width));
    const auto seq = from_base32(cursor.substr(2 * width));
    if (!at || !stream || !seq || *at > std::uint64_t(kTimeMaxUs)) return fail(Errc::Invalid, "not a cursor");
    return Position{std::int64_t(*at), *stream, *seq};
}

void append_row(StoredRows& to, const StoredRows& from, std::size_t row)
{
    nw::append_row(to.rows, from.rows, row);
    to.agent.push_back(from.agent[row]);
    to.stream.push_back(from.stream[row]);
    to.received_us.push_back(from.received_us[row]);
    to.correction_us.push_back(from.correction_us[row]);
}

Position position_of(const StoredRows& rows, std::size_t row)
{
    return {rows.rows.at_us[row], std::uint64_t(rows.stream[row]), rows.rows.seq[row]};
}

std::vector<TopEntry> ranked(std::vector<TopEntry> entries, const TopQuery& query)
{
    const auto before = [&](const TopEntry& a, const TopEntry& b) {
        if (a.value != b.value) return (a.value > b.value) != query.lowest;
        return a.probe < b.probe;
    };
    const auto count = std::min<std::size_t>(query.count, entries.size());
    std::partial_sort(entries.begin(), entries.begin() + std::ptrdiff_t(count), entries.end(), before);
    entries.resize(count);
    return entries;
}

}  // namespace nw::store
