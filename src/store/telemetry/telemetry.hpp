// Where samples live. Every backend passes store/telemetry/telemetry_contract.hpp; that suite is the full contract.
// docs/storage.md describes how the embedded engine keeps them.
//
// - A sample's identity is (agent, stream, seq). append() stores each at most once and resolves only when what it
//   acknowledges is durable. What was acknowledged is never dropped, except by retention and remove_probe().
// - Times are the agent's, corrected by its clock offset; receive time and the correction are kept beside them.
// - Ranges are half open: [from_us, until_us). Roll-ups and raw rows give the same answer where both exist.
// - Every member may be called from any loop; results arrive on the caller's loop.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "model/ids.hpp"
#include "model/kind.hpp"
#include "model/rows.hpp"
#include "quality/aggregate.hpp"
#include "wire/batch.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nw::store {

struct AppendRequest {
    AgentId agent{};
    wire::Batch batch{};  // may lack rows (of probes that are not the agent's); their sequences count as stored
    std::string bytes{};  // encode_batch(batch), or the bytes it was decoded from
    WallTime received_at{};
};

struct Appended {
    std::uint64_t acked_seq = 0;   // watermark of the stream: everything up to it is durable or declared lost
    bool gap = false;              // the batch began beyond the watermark and was not stored
    std::vector<Rows> new_rows{};  // as stored (times corrected), without duplicates: what to publish
};

// Sequences that their agent no longer has.
struct LostSpan {
    AgentId agent{};
    StreamId stream{};
    std::uint64_t first_seq = 0;
    std::uint64_t last_seq = 0;
    std::string reason{};
    std::int64_t from_us = 0;  // when the missing samples would have been measured
    std::int64_t until_us = 0;
    std::int64_t declared_us = 0;

    friend bool operator==(const LostSpan&, const LostSpan&) = default;
};

struct TimeRange {
    std::int64_t from_us = 0;
    std::int64_t until_us = 0;

    bool contains(std::int64_t at_us) const { return at_us >= from_us && at_us < until_us; }
    friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

inline constexpr std::int64_t kSecondUs = 1'000'000;
inline constexpr std::int64_t kFiveMinutesUs = 300 * kSecondUs;
inline constexpr std::int64_t kHourUs = 3'600 * kSecondUs;
inline constexpr std::int64_t kDayUs = 86'400 * kSecondUs;
inline constexpr std::int64_t kTimeMaxUs = 4'102'444'800 * kSecondUs;  // the year 2100

inline constexpr std::uint32_t kBucketsMax = 5'000;
inline constexpr std::size_t kProbesPerQueryMax = 50'000;
inline constexpr std::uint32_t kSamplesPerPageMax = 10'000;

struct SeriesQuery {
    std::vector<ProbeId> probes{};
    const Kind* kind = nullptr;
    TimeRange range{};
    std::uint32_t buckets_max = 300;
    // What will be evaluated: other columns may be missing from the answer, which is then quicker. Empty: everything.
    std::vector<const Metric*> metrics{};
};

// The finest data that the whole range still has.
enum class Resolution : std::uint8_t { Raw, FiveMinutes, Hour };
inline constexpr std::array<std::string_view, 3> kResolutionNames{"raw", "5min", "1h"};

struct ProbeSeries {
    ProbeId probe{};
    std::uint64_t runs = 0;
    std::int64_t first_at_us = kAbsent;  // of the samples found; kAbsent when there are none
    std::int64_t last_at_us = kAbsent;
    std::vector<std::optional<quality::Aggregate>> buckets{};  // nothing: no data
};

// Buckets are whole: the range is widened to multiples of the step, which is a number people count in (1 s, 5 s,
// ... 1 h, 1 d) and large enough for at most buckets_max of them.
struct Series {
    std::int64_t from_us = 0;
    std::int64_t step_us = 0;
    Resolution resolution = Resolution::Raw;
    std::vector<ProbeSeries> probes{};  // in the order of the query
};

struct SamplesQuery {
    ProbeId probe{};
    const Kind* kind = nullptr;
    TimeRange range{};
    std::uint32_t limit = 1'000;
    std::string cursor{};  // SamplePage::next of the page before, or empty
};

// Rows and, parallel to them, where they came from.
struct StoredRows {
    Rows rows{};
    std::vector<AgentId> agent{};
    std::vector<StreamId> stream{};
    std::vector<std::int64_t> received_us{};    // in whole milliseconds
    std::vector<std::int64_t> correction_us{};  // at_us - correction_us is the time by the agent's clock

    std::size_t size() const { return rows.size(); }
    friend bool operator==(const StoredRows&, const StoredRows&) = default;
};

// Ordered by (time, stream, seq).
struct SamplePage {
    StoredRows rows{};
    std::string next{};  // empty: the end
};

struct SummaryQuery {
    std::vector<ProbeId> probes{};
    const Kind* kind = nullptr;
    TimeRange range{};
    std::vector<const Metric*> metrics{};  // as in SeriesQuery
};

// The range that was summed up: the one asked for, widened to whole roll-up buckets so that raw rows need not be
// read: to 5 minutes for up to 6 hours, to hours for longer ranges.
struct Summaries {
    TimeRange range{};
    std::vector<std::optional<quality::Aggregate>> probes{};  // in the order of the query; nothing: no data
};

struct LatestQuery {
    std::vector<ProbeId> probes{};
    const Kind* kind = nullptr;
    WallTime now{};
};

struct Latest {
    std::optional<Sample> sample{};  // the newest one, as far back as two days
    std::int64_t received_us = 0;
    quality::Aggregate recent{};  // everything since 15 minutes before LatestQuery::now
};
// Shared, because most probes are as they were when somebody last asked.
using LatestPtr = std::shared_ptr<const Latest>;

struct TopQuery {
    std::vector<ProbeId> probes{};
    const Kind* kind = nullptr;
    std::string metric{};
    TimeRange range{};
    std::uint32_t count = 20;
    bool lowest = false;
};

struct TopEntry {
    ProbeId probe{};
    double value = 0;

    friend bool operator==(const TopEntry&, const TopEntry&) = default;
};

struct Retention {
    Seconds raw{30 * 86'400};
    Seconds five_minutes{180 * 86'400};
    Seconds hour{3 * 365 * 86'400};

    friend bool operator==(const Retention&, const Retention&) = default;
};

// Probes that are kept for less time than everything else is.
struct ShorterRetention {
    Retention keep{};
    std::vector<ProbeId> probes{};
};

struct TelemetryStats {
    std::uint64_t rows_appended = 0;  // since start, without duplicates
    std::uint64_t rows_duplicate = 0;
    std::uint64_t batches_appended = 0;
    std::uint64_t appends_refused = 0;  // back-pressure: queue full, disk nearly full, intake too large
    std::uint64_t commits = 0;
    std::uint64_t commit_us_max = 0;   // slowest group commit since start
    std::uint64_t intake_batches = 0;  // not yet sealed
    std::uint64_t intake_bytes = 0;
    std::uint64_t hot_rows = 0;
    std::uint64_t hot_bytes = 0;
    std::uint64_t seals = 0;
    std::uint64_t seal_us_max = 0;
    std::uint64_t compactions = 0;
    std::uint64_t files = 0;
    std::uint64_t disk_bytes = 0;
    std::uint64_t disk_free_bytes = 0;
    std::uint64_t corrupt_chunks = 0;  // skipped by readers; the rest of the data is served
    std::uint64_t lost_declared = 0;   // sequences declared lost by agents, in all
};

class Telemetry {
public:
    virtual ~Telemetry() = default;

    // Unavailable: under back-pressure; the agent keeps the batch and sends it again later.
    virtual Task<Result<Appended>> append(AppendRequest request) = 0;
    // Moves the watermark past the span when that begins at or below it; otherwise answers like a gap.
    virtual Task<Result<Appended>> declare_lost(LostSpan span) = 0;
    virtual Task<Result<std::uint64_t>> watermark(AgentId agent, StreamId stream) = 0;

    virtual Task<Result<Series>> series(SeriesQuery query) = 0;
    virtual Task<Result<SamplePage>> samples(SamplesQuery query) = 0;
    virtual Task<Result<Summaries>> summaries(SummaryQuery query) = 0;
    virtual Task<Result<std::vector<LatestPtr>>> latest(LatestQuery query) = 0;
    virtual Task<Result<std::vector<TopEntry>>> top(TopQuery query) = 0;
    // Spans of any of the agents that touch the range, newest first, at most `limit`.
    virtual Task<Result<std::vector<LostSpan>>> lost(std::vector<AgentId> agents, TimeRange range, std::uint32_t limit) = 0;

    // What is older is invisible at once, and gone from the disk with the next maintenance. `shorter` replaces what was
    // said before; where it says longer, `everything` holds.
    virtual Task<Status> set_retention(Retention everything, std::vector<ShorterRetention> shorter = {}) = 0;
    // Forgets the probe's samples: at once for readers, on disk with the next rewriting of each file.
    virtual Task<Status> remove_probe(ProbeId probe) = 0;
    // Whatever is due at `now`: sealing, compaction, roll-ups, retention. Backends also do this by themselves.
    virtual Task<Status> maintain(WallTime now) = 0;
    // Moves everything acknowledged out of the intake now (tests, shutdown, before a backup).
    virtual Task<Status> seal() = 0;
    // A consistent copy into the empty or absent directory `to`, while appends go on.
    virtual Task<Status> backup(std::filesystem::path to) = 0;
    virtual Task<TelemetryStats> stats() = 0;
    // Waits for work in flight; afterwards every call answers Unavailable.
    virtual Task<void> close() = 0;
};

}  // namespace nw::store
