// The rules that every backend shares, as pure functions: what a batch may add, which time a sample has, how ranges
// become buckets, what retention leaves.
#pragma once

#include "base/result.hpp"
#include "store/telemetry/telemetry.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nw::store {

// What a span of sequences does to a stream whose watermark is given.
struct Admission {
    bool gap = false;
    std::uint64_t watermark = 0;  // afterwards
    std::uint64_t after_seq = 0;  // rows above it are new
    bool nothing_new() const { return gap || watermark == after_seq; }
};
Admission admit(std::uint64_t watermark, std::uint64_t first_seq, std::uint64_t last_seq);

// Samples that claim to be from further ahead than this are dated by their arrival.
inline constexpr std::int64_t kAheadMaxUs = 15 * 60 * kSecondUs;

// Receive times are kept in whole milliseconds.
constexpr std::int64_t received_ms_us(WallTime received_at) { return to_us(received_at) / 1000 * 1000; }

// What turns the agent's time into ours. The clock offset is applied only where it exceeds its own uncertainty:
// below that it would add noise and no truth.
struct TimeCorrection {
    std::int64_t offset_us = 0;
    std::int64_t received_us = 0;

    TimeCorrection(const wire::Batch& batch, WallTime received_at);
    std::int64_t corrected(std::int64_t at_us) const;
};

// Keeps the rows of `batch` above `after_seq`, with corrected times (the corrections parallel to the rows in
// `correction_us`) and without histograms and child rows that do not decode. Deterministic: replay gives the same rows.
struct NewRows {
    std::vector<Rows> kinds{};
    std::vector<std::vector<std::int64_t>> correction_us{};
};
NewRows take_new_rows(wire::Batch batch, std::uint64_t after_seq, WallTime received_at);

// A range as buckets of one width.
struct Buckets {
    std::int64_t from_us = 0;
    std::int64_t step_us = 1;
    std::size_t count = 0;

    std::int64_t until_us() const { return from_us + step_us * std::int64_t(count); }
    std::size_t index(std::int64_t at_us) const { return std::size_t((at_us - from_us) / step_us); }
    bool contains(std::int64_t at_us) const { return at_us >= from_us && at_us < until_us(); }
};

// Start of what retention leaves, per resolution, at `now`: whole days.
struct Horizon {
    std::int64_t raw_us = 0;
    std::int64_t five_minutes_us = 0;
    std::int64_t hour_us = 0;
};
Horizon horizon(const Retention& retention, WallTime now);

struct RetentionRules {
    Retention everything{};
    std::unordered_map<ProbeId, Retention> shorter{};

    friend bool operator==(const RetentionRules&, const RetentionRules&) = default;
};
// Invalid when one of them is less than a day, or less for coarser data.
Result<RetentionRules> make_rules(Retention everything, const std::vector<ShorterRetention>& shorter);

// What the rules leave at one moment.
class Limits {
public:
    Limits(std::shared_ptr<const RetentionRules> rules, WallTime now)
        : rules_(std::move(rules)), now_(now), everything_(horizon(rules_->everything, now))
    {}

    const RetentionRules& rules() const { return *rules_; }
    const std::shared_ptr<const RetentionRules>& shared_rules() const { return rules_; }
    const Horizon& everything() const { return everything_; }
    Horizon of(ProbeId probe) const;
    // Of one that has least.
    Horizon of(const std::vector<ProbeId>& probes) const;

private:
    std::shared_ptr<const RetentionRules> rules_;
    WallTime now_;
    Horizon everything_;
};

Resolution resolution_of(const Horizon& horizon, std::int64_t from_us);
std::int64_t step_min_us(Resolution resolution);
Buckets buckets_of(TimeRange range, std::uint32_t buckets_max, std::int64_t step_min_us);
TimeRange widened(TimeRange range, std::int64_t step_us);
// As summaries() widens: see Summaries. Where 5-minute roll-ups have gone, hours stand for them.
struct SummaryPlan {
    TimeRange range{};
    std::int64_t step_us = 0;
};
SummaryPlan summary_plan(TimeRange range, const Horizon& horizon);

Status check(TimeRange range);
Status check(const SeriesQuery& query);
Status check(const SamplesQuery& query);
Status check(const SummaryQuery& query);
Status check(const LatestQuery& query);
// The metric that is asked for.
Result<const Metric*> check(const TopQuery& query);
Status check(const Retention& retention);

// Where a sample stands in the order of samples().
struct Position {
    std::int64_t at_us = 0;
    std::uint64_t stream = 0;
    std::uint64_t seq = 0;

    friend auto operator<=>(const Position&, const Position&) = default;
};
std::string to_cursor(const Position& position);
// An empty cursor is the position before all samples.
Result<Position> parse_cursor(std::string_view cursor);

void append_row(StoredRows& to, const StoredRows& from, std::size_t row);
Position position_of(const StoredRows& rows, std::size_t row);

// The `count` highest or lowest; probes without a value are left out, equal values are in the order of probes.
std::vector<TopEntry> ranked(std::vector<TopEntry> entries, const TopQuery& query);

}  // namespace nw::store
