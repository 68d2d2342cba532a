#include "store/telemetry/memory.hpp"

#include "store/telemetry/rules.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace nw::store {
namespace {

using quality::make_aggregate;

class MemoryTelemetry final : public Telemetry {
public:
    MemoryTelemetry(const Clock& clock, Retention retention)
        : clock_(clock), retention_(std::make_shared<RetentionRules>(RetentionRules{.everything = retention}))
    {}

    Task<Result<Appended>> append(AppendRequest request) override
    {
        const std::lock_guard lock(mutex_);
        co_return append_now(std::move(request));
    }
    Task<Result<Appended>> declare_lost(LostSpan span) override
    {
        const std::lock_guard lock(mutex_);
        co_return declare_now(std::move(span));
    }
    Task<Result<std::uint64_t>> watermark(AgentId agent, StreamId stream) override
    {
        const std::lock_guard lock(mutex_);
        const auto found = watermarks_.find({agent, stream});
        co_return found == watermarks_.end() ? 0 : found->second;
    }
    Task<Result<Series>> series(SeriesQuery query) override
    {
        const std::lock_guard lock(mutex_);
        co_return series_now(query);
    }
    Task<Result<SamplePage>> samples(SamplesQuery query) override
    {
        const std::lock_guard lock(mutex_);
        co_return samples_now(query);
    }
    Task<Result<Summaries>> summaries(SummaryQuery query) override
    {
        const std::lock_guard lock(mutex_);
        co_return summaries_now(query);
    }
    Task<Result<std::vector<LatestPtr>>> latest(LatestQuery query) override
    {
        const std::lock_guard lock(mutex_);
        co_return latest_now(query);
    }
    Task<Result<std::vector<TopEntry>>> top(TopQuery query) override
    {
        const std::lock_guard lock(mutex_);
        co_return top_now(query);
    }
    Task<Result<std::vector<LostSpan>>> lost(std::vector<AgentId> agents, TimeRange range, std::uint32_t limit) override
    {
        const std::lock_guard lock(mutex_);
        std::vector<LostSpan> found;
        for (auto i = lost_.size(); i-- > 0 && found.size() < limit;)
            if (std::ranges::find(agents, lost_[i].agent) != agents.end() && lost_[i].from_us < range.until_us
                && lost_[i].until_us >= range.from_us)
                found.push_back(lost_[i]);
        co_return found;
    }
    Task<Status> set_retention(Retention everything, std::vector<ShorterRetention> shorter) override
    {
        const std::lock_guard lock(mutex_);
        NW_CO_TRY(auto rules, make_rules(everything, shorter));
        retention_ = std::make_shared<RetentionRules>(std::move(rules));
        co_return Status{};
    }
    Task<Status> remove_probe(ProbeId probe) override
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(rows_, [&](const auto& entry) { return entry.first.first == probe; });
        removed_.insert(probe);
        co_return Status{};
    }
    Task<Status> maintain(WallTime) override { co_return Status{}; }
    Task<Status> seal() override { co_return Status{}; }
    Task<Status> backup(std::filesystem::path) override
    {
        co_return fail(Errc::Invalid, "the in-memory store has nothing to back up");
    }
    Task<TelemetryStats> stats() override
    {
        const std::lock_guard lock(mutex_);
        co_return stats_;
    }
    Task<void> close() override { co_return; }

private:
    using Key = std::pair<ProbeId, const Kind*>;

    Result<Appended> append_now(AppendRequest request)
    {
        auto& watermark = watermarks_[{request.agent, request.batch.stream}];
        const auto admission = admit(watermark, request.batch.first_seq, request.batch.last_seq());
        if (admission.gap) return Appended{.acked_seq = watermark, .gap = true};
        watermark = admission.watermark;
        stats_.rows_duplicate += admission.nothing_new() ? request.batch.count : 0;
        if (admission.nothing_new()) return Appended{.acked_seq = watermark};
        const auto stream = request.batch.stream;
        auto taken = take_new_rows(std::move(request.batch), admission.after_seq, request.received_at);
        for (std::size_t i = 0; i < taken.kinds.size(); ++i)
            for (std::size_t row = 0; row < taken.kinds[i].size(); ++row)
                keep(taken.kinds[i], row, request.agent, stream, request.received_at, taken.correction_us[i][row]);
        ++stats_.batches_appended;
        return Appended{.acked_seq = watermark, .new_rows = std::move(taken.kinds)};
    }

    void keep(const Rows& rows, std::size_t row, AgentId agent, StreamId stream, WallTime received_at,
              std::int64_t correction)
    {
        ++stats_.rows_appended;
        if (removed_.contains(rows.probe[row])) return;
        auto& to = rows_[{rows.probe[row], rows.kind}];
        if (!to.rows.kind) to.rows = make_rows(*rows.kind);
        nw::append_row(to.rows, rows, row);
        to.agent.push_back(agent);
        to.stream.push_back(stream);
        to.received_us.push_back(received_ms_us(received_at));
        to.correction_us.push_back(correction);
    }

    Result<Appended> declare_now(LostSpan span)
    {
        if (span.first_seq == 0 || span.last_seq < span.first_seq) return fail(Errc::Invalid, "lost: an empty span");
        auto& watermark = watermarks_[{span.agent, span.stream}];
        const auto admission = admit(watermark, span.first_seq, span.last_seq);
        if (admission.gap) return Appended{.acked_seq = watermark, .gap = true};
        watermark = admission.watermark;
        if (!admission.nothing_new()) {
            span.first_seq = admission.after_seq + 1;
            span.declared_us = to_us(clock_.wall());
            stats_.lost_declared += span.last_seq - span.first_seq + 1;
            lost_.push_back(std::move(span));
        }
        return Appended{.acked_seq = watermark};
    }

    // Calls `use(rows, row)` for each sample of the probe in the range, in order.
    template <class Use>
    void each(ProbeId probe, const Kind* kind, TimeRange range, Use use) const
    {
        const auto found = rows_.find({probe, kind});
        if (found == rows_.end()) return;
        const auto& rows = found->second;
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (rows.rows.at_us[i] >= range.from_us && rows.rows.at_us[i] < range.until_us) order.push_back(i);
        std::ranges::sort(order, {}, [&](std::size_t i) { return position_of(rows, i); });
        for (const auto i : order) use(rows, i);
    }

    Result<Series> series_now(const SeriesQuery& query) const
    {
        NW_CHECK(check(query));
        const auto limits = limits_of(query);
        Series series{.resolution = resolution_of(limits, query.range.from_us)};
        const auto buckets = buckets_of(query.range, query.buckets_max, step_min_us(series.resolution));
        series.from_us = buckets.from_us;
        series.step_us = buckets.step_us;
        for (const auto probe : query.probes) {
            ProbeSeries one{.probe = probe};
            one.buckets.resize(buckets.count);
            each(probe, query.kind, clipped({buckets.from_us, buckets.until_us()}, limits.hour_us),
                 [&](const StoredRows& rows, std::size_t row) {
                     auto& bucket = one.buckets[buckets.index(rows.rows.at_us[row])];
                     if (!bucket) bucket = make_aggregate(*query.kind);
                     add(*bucket, rows.rows, row);
                     ++one.runs;
                     if (one.first_at_us == kAbsent) one.first_at_us = rows.rows.at_us[row];
                     one.last_at_us = rows.rows.at_us[row];
                 });
            series.probes.push_back(std::move(one));
        }
        return series;
    }

    template <class Query>
    Horizon limits_of(const Query& query) const
    {
        const Limits limits(retention_, clock_.wall());
        if constexpr (requires { query.probes; }) return limits.of(query.probes);
        else return limits.of(query.probe);
    }
    static TimeRange clipped(TimeRange range, std::int64_t from) { return {std::max(range.from_us, from), range.until_us}; }

    Result<SamplePage> samples_now(const SamplesQuery& query) const
    {
        NW_CHECK(check(query));
        NW_TRY(const auto after, parse_cursor(query.cursor));
        const auto limits = limits_of(query);
        SamplePage page{.rows = {.rows = make_rows(*query.kind)}};
        bool more = false;
        each(query.probe, query.kind, clipped(query.range, limits.raw_us), [&](const StoredRows& rows, std::size_t row) {
            if (position_of(rows, row) <= after) return;
            if (page.rows.size() == query.limit) more = true;
            else store::append_row(page.rows, rows, row);
        });
        if (more) page.next = to_cursor(position_of(page.rows, page.rows.size() - 1));
        return page;
    }

    Result<Summaries> summaries_now(const SummaryQuery& query) const
    {
        NW_CHECK(check(query));
        const auto limits = limits_of(query);
        Summaries summaries{.range = summary_plan(query.range, limits).range};
        for (const auto probe : query.probes) {
            auto sum = make_aggregate(*query.kind);
            each(probe, query.kind, clipped(summaries.range, limits.hour_us),
                 [&](const StoredRows& rows, std::size_t row) { add(sum, rows.rows, row); });
            summaries.probes.push_back(sum.empty() ? std::nullopt : std::optional(std::move(sum)));
        }
        return summaries;
    }

    Result<std::vector<LatestPtr>> latest_now(const LatestQuery& query) const
    {
        NW_CHECK(check(query));
        const auto now = to_us(query.now);
        std::vector<LatestPtr> all;
        for (const auto probe : query.probes) {
            Latest latest{.recent = make_aggregate(*query.kind)};
            each(probe, query.kind, {now - 2 * kDayUs, kTimeMaxUs + 1}, [&](const StoredRows& rows, std::size_t row) {
                latest.sample = sample_at(rows.rows, row);
                latest.received_us = rows.received_us[row];
                if (rows.rows.at_us[row] >= now - 15 * 60 * kSecondUs) add(latest.recent, rows.rows, row);
            });
            all.push_back(std::make_shared<Latest>(std::move(latest)));
        }
        return all;
    }

    Result<std::vector<TopEntry>> top_now(const TopQuery& query) const
    {
        NW_TRY(const auto* metric, check(query));
        NW_TRY(const auto sums, summaries_now({.probes = query.probes, .kind = query.kind, .range = query.range}));
        std::vector<TopEntry> entries;
        for (std::size_t i = 0; i < query.probes.size(); ++i) {
            const auto value = sums.probes[i] ? evaluate(*query.kind, *metric, *sums.probes[i]) : std::nullopt;
            if (value) entries.push_back({query.probes[i], *value});
        }
        return ranked(std::move(entries), query);
    }

    const Clock& clock_;
    std::mutex mutex_;
    std::shared_ptr<const RetentionRules> retention_;
    std::map<std::pair<AgentId, StreamId>, std::uint64_t> watermarks_{};
    std::map<Key, StoredRows> rows_{};
    std::set<ProbeId> removed_{};
    std::vector<LostSpan> lost_{};
    TelemetryStats stats_{};
};

}  // namespace

std::unique_ptr<Telemetry> make_memory_telemetry(const Clock& clock, Retention retention)
{
    return std::make_unique<MemoryTelemetry>(clock, retention);
}

}  // namespace nw::store
