// Answers queries from the hot window, chunk files and roll-ups. Blocking; one Reader per query and thread.
//
// Every row is in exactly one place at each moment, but moves on while a query runs. The order of looking makes the
// answer exact without locks: first the hot window is read, then the files are opened. A row that was sealed in
// between is seen in both, and dropped from the hot rows because the file's snapshot names the epochs it contains;
// a row cannot be missed, because it leaves the hot window only after its file is committed and in the catalogue.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "quality/accumulator.hpp"
#include "store/telemetry/catalogue.hpp"
#include "store/telemetry/hot_window.hpp"
#include "store/telemetry/rules.hpp"
#include "store/telemetry/telemetry.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_set>
#include <vector>

namespace nw::store {

// What readers share; outlives them.
struct ReadSources {
    HotWindow& hot;
    const Catalogue& catalogue;
    // Newest time of any row that is sealed and no longer in the hot window.
    const std::atomic<std::int64_t>& forgotten_us;
    std::atomic<std::uint64_t>& corrupt_chunks;
    Log log{};
};

class Reader {
public:
    using Removed = std::shared_ptr<const std::unordered_set<ProbeId>>;

    Reader(const ReadSources& sources, Limits limits, Removed removed)
        : sources_(sources), limits_(std::move(limits)), removed_(std::move(removed))
    {}

    Result<Series> series(const SeriesQuery& query);
    Result<SamplePage> samples(const SamplesQuery& query);
    Result<Summaries> summaries(const SummaryQuery& query);
    Result<std::vector<LatestPtr>> latest(const LatestQuery& query);
    Result<std::vector<TopEntry>> top(const TopQuery& query);

private:
    // One day's files, open at one moment.
    struct DayView {
        std::unique_ptr<ChunkFile::Snapshot> closed{};
        std::unique_ptr<ChunkFile::Snapshot> open{};
        std::uint64_t generation = 0;
        std::uint64_t epoch = 0;
    };
    // Takes rows and aggregates in any order.
    class Sink {
    public:
        virtual ~Sink() = default;
        virtual void row(const Rows& rows, std::size_t row) = 0;
        virtual void aggregate(std::int64_t at_us, quality::Aggregate&& aggregate) = 0;
    };
    class BucketSink;
    class SumSink;
    struct SumJob;

    bool is_removed(ProbeId probe) const { return removed_ && removed_->contains(probe); }
    Result<DayView*> day_view(const Kind& kind, std::int64_t day);
    // The roll-ups of a day when they say the same as its closed file, else nothing.
    Result<RollupFile::Snapshot*> rollups(const Kind& kind, std::int64_t day, const DayView& view, Width width);
    // Forgets the files that are open, so that the next look is at the present.
    void look_anew();

    Status fill(ProbeKey probe, TimeRange range, std::int64_t step_us, ChunkParts parts,
                const std::vector<HotWindow::Rows>& hot, Sink& sink);
    Status fill_closed(ProbeKey probe, std::int64_t day, TimeRange piece, std::int64_t step_us, ChunkParts parts,
                       DayView& view, Sink& sink);
    Status fill_chunks(ProbeKey probe, TimeRange piece, ChunkParts parts, ChunkFile::Snapshot& file, Sink& sink);
    Status fill_hot(ProbeKey probe, TimeRange range, const std::vector<HotWindow::Rows>& hot, Sink& sink);
    // A chunk that does not decode is counted and passed over.
    void pass_over(const Error& error, ProbeKey probe);

    Status sum_day(SumJob& job, std::int64_t day);
    Status sum_open(SumJob& job, TimeRange piece, ChunkFile::Snapshot& file);
    void sum_hot(SumJob& job);
    Status page_day(const SamplesQuery& query, const Position& after, std::int64_t day,
                    const std::vector<HotWindow::Rows>& hot, StoredRows& out);
    Result<quality::Aggregate> recent_with_files(ProbeKey probe, std::int64_t since_us);
    Result<LatestPtr> latest_of(ProbeKey probe, std::int64_t now);
    Status newest_in(ChunkFile::Snapshot& file, ProbeKey probe, TimeRange range, StoredRows& newest);
    Result<StoredRows> newest_on_disk(ProbeKey probe, std::int64_t now);

    const ReadSources& sources_;
    Limits limits_;
    Removed removed_;
    Codec codec_{};
    std::shared_ptr<const Contents> contents_{};
    std::map<DayKey, DayView> views_{};
    std::map<RollupKey, std::unique_ptr<RollupFile::Snapshot>> rollups_{};
    std::optional<quality::Accumulator> accumulator_{};  // kept from probe to probe: it is large
};

}  // namespace nw::store
