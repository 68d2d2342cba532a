#include "store/telemetry/reader.hpp"

#include "quality/accumulator.hpp"

#include <algorithm>
#include <utility>

namespace nw::store {
namespace {

using quality::Accumulator;
using quality::Aggregate;

// Hot rows of so many probes are held at a time.
constexpr std::size_t kProbesPerLook = 256;

TimeRange day_range(std::int64_t day) { return {day * kDayUs, (day + 1) * kDayUs}; }
TimeRange clip(TimeRange a, TimeRange b) { return {std::max(a.from_us, b.from_us), std::min(a.until_us, b.until_us)}; }
bool is_empty(TimeRange range) { return range.from_us >= range.until_us; }
std::int64_t last_day(TimeRange range) { return (range.until_us - 1) / kDayUs; }

}  // namespace

// Collects one probe's series. Times mostly ascend, so one accumulator serves and is put down when the bucket changes.
class Reader::BucketSink final : public Reader::Sink {
public:
    BucketSink(const Kind& kind, const Buckets& buckets, ProbeSeries& out)
        : kind_(kind), buckets_(buckets), out_(out), accumulator_(kind)
    {
        out_.buckets.assign(buckets.count, std::nullopt);
    }
    void row(const Rows& rows, std::size_t row) override
    {
        turn_to(rows.at_us[row]);
        accumulator_.add(rows, row);
    }
    void aggregate(std::int64_t at_us, Aggregate&& aggregate) override
    {
        turn_to(at_us);
        // Often it is the only one of its bucket.
        auto& bucket = out_.buckets[index_];
        if (!bucket && accumulator_.empty()) bucket = std::move(aggregate);
        else accumulator_.add(aggregate);
    }
    void finish()
    {
        put_down();
        for (const auto& bucket : out_.buckets) {
            if (!bucket) continue;
            out_.runs += bucket->runs;
            if (out_.first_at_us == kAbsent) out_.first_at_us = bucket->first_at_us;
            out_.last_at_us = bucket->last_at_us;
        }
    }

private:
    void turn_to(std::int64_t at_us)
    {
        const auto index = buckets_.index(at_us);
        if (index == index_) return;
        put_down();
        index_ = index;
    }
    void put_down()
    {
        if (accumulator_.empty()) return;
        auto& bucket = out_.buckets[index_];
        if (bucket) merge(kind_, *bucket, accumulator_.take());
        else bucket = accumulator_.take();
    }

    const Kind& kind_;
    Buckets buckets_;
    ProbeSeries& out_;
    Accumulator accumulator_;
    std::size_t index_ = 0;
};

class Reader::SumSink final : public Reader::Sink {
public:
    explicit SumSink(Accumulator& accumulator) : accumulator_(accumulator) {}
    void row(const Rows& rows, std::size_t row) override { accumulator_.add(rows, row); }
    void aggregate(std::int64_t, Aggregate&& aggregate) override { accumulator_.add(aggregate); }

private:
    Accumulator& accumulator_;
};

void Reader::look_anew()
{
    views_.clear();
    rollups_.clear();
    contents_ = sources_.catalogue.contents();
}

Result<Reader::DayView*> Reader::day_view(const Kind& kind, std::int64_t day)
{
    const DayKey key{kind.number, day};
    if (const auto found = views_.find(key); found != views_.end()) return &found->second;
    DayView view;
    if (const auto* files = contents_->day(kind, day)) {
        view.generation = files->generation;
        view.epoch = files->epoch;
        if (files->closed) {
            NW_TRY(view.closed, ChunkFile::snapshot(files->closed));
        }
        if (files->open) {
            NW_TRY(view.open, ChunkFile::snapshot(files->open));
            view.epoch = std::max(view.epoch, view.open->epoch());
        }
    }
    return &views_.emplace(key, std::move(view)).first->second;
}

Result<RollupFile::Snapshot*> Reader::rollups(const Kind& kind, std::int64_t day, const DayView& view, Width width)
{
    const RollupKey key{kind.number, month_of(day), width};
    auto found = rollups_.find(key);
    if (found == rollups_.end()) {
        std::unique_ptr<RollupFile::Snapshot> snapshot;
        if (auto file = contents_->rollup(kind, std::get<1>(key), width)) {
            NW_TRY(snapshot, RollupFile::snapshot(std::move(file)));
        }
        found = rollups_.emplace(key, std::move(snapshot)).first;
    }
    auto* snapshot = found->second.get();
    if (!snapshot) return nullptr;
    const auto generation = snapshot->days().find(day);
    if (generation == snapshot->days().end() || (view.closed && generation->second != view.generation)) return nullptr;
    return snapshot;
}

void Reader::pass_over(const Error& error, ProbeKey probe)
{
    ++sources_.corrupt_chunks;
    sources_.log.error("passed over damaged data of {}: {}", to_text(probe.probe), error.what);
}

Status Reader::fill_chunks(ProbeKey probe, TimeRange piece, ChunkParts parts, ChunkFile::Snapshot& file, Sink& sink)
{
    return file.chunks(probe.probe, piece, [&](const ChunkView& chunk) -> Status {
        auto rows = make_stored_rows(*probe.kind);
        if (const auto decoded = decode_chunk(codec_, *probe.kind, probe.probe, chunk, parts, rows); !decoded) {
            pass_over(decoded.error(), probe);
            return {};
        }
        for (std::size_t row = 0; row < rows.size(); ++row)
            if (piece.contains(rows.rows.at_us[row])) sink.row(rows.rows, row);
        return {};
    });
}

Status Reader::fill_closed(ProbeKey probe, std::int64_t day, TimeRange piece, std::int64_t step_us, ChunkParts parts,
                           DayView& view, Sink& sink)
{
    for (const auto width : {Width::Hour, Width::FiveMinutes}) {
        if (step_us % width_us(width) != 0) continue;
        NW_TRY(auto* rolled, rollups(*probe.kind, day, view, width));
        if (!rolled) continue;
        auto read = rolled->read(codec_, *probe.kind, day, probe.probe);
        if (!read) {
            pass_over(read.error(), probe);
            continue;
        }
        for (auto& [index, aggregate] : *read) {
            const auto at = day * kDayUs + std::int64_t(index) * width_us(width);
            if (piece.contains(at)) sink.aggregate(at, std::move(aggregate));
        }
        return {};
    }
    return view.closed ? fill_chunks(probe, piece, parts, *view.closed, sink) : Status{};
}

Status Reader::fill_hot(ProbeKey probe, TimeRange range, const std::vector<HotWindow::Rows>& hot, Sink& sink)
{
    for (const auto& part : hot) {
        for (std::size_t row = 0; row < part.rows.size(); ++row) {
            const auto at = part.rows.rows.at_us[row];
            if (!range.contains(at)) continue;
            NW_TRY(const auto* view, day_view(*probe.kind, at / kDayUs));
            if (part.epoch > view->epoch) sink.row(part.rows.rows, row);
        }
    }
    return {};
}

Status Reader::fill(ProbeKey probe, TimeRange range, std::int64_t step_us, ChunkParts parts,
                    const std::vector<HotWindow::Rows>& hot, Sink& sink)
{
    // Years of days without files are passed over by looking at the catalogue.
    for (auto day = range.from_us / kDayUs; day <= last_day(range); ++day) {
        const bool rolled = contents_->rollup(*probe.kind, month_of(day), Width::Hour) != nullptr;
        if (!rolled && !contents_->day(*probe.kind, day)) continue;
        const auto piece = clip(range, day_range(day));
        NW_TRY(auto* view, day_view(*probe.kind, day));
        NW_CHECK(fill_closed(probe, day, piece, step_us, parts, *view, sink));
        if (view->open) NW_CHECK(fill_chunks(probe, piece, parts, *view->open, sink));
    }
    return fill_hot(probe, range, hot, sink);
}

Result<Series> Reader::series(const SeriesQuery& query)
{
    NW_CHECK(check(query));
    const auto horizon = limits_.of(query.probes);
    Series series{.resolution = resolution_of(horizon, query.range.from_us)};
    const auto buckets = buckets_of(query.range, query.buckets_max, step_min_us(series.resolution));
    series.from_us = buckets.from_us;
    series.step_us = buckets.step_us;
    const auto range = clip({buckets.from_us, buckets.until_us()}, {horizon.hour_us, kTimeMaxUs + 1});
    const auto parts = parts_for(*query.kind, query.metrics);
    for (std::size_t begin = 0; begin < query.probes.size(); begin += kProbesPerLook) {
        const auto end = std::min(query.probes.size(), begin + kProbesPerLook);
        std::vector<std::vector<HotWindow::Rows>> hot;
        for (auto i = begin; i < end; ++i) hot.push_back(sources_.hot.read({query.probes[i], query.kind}, range));
        look_anew();
        for (auto i = begin; i < end; ++i) {
            ProbeSeries one{.probe = query.probes[i]};
            BucketSink sink(*query.kind, buckets, one);
            if (!is_removed(one.probe) && !is_empty(range))
                NW_CHECK(fill({one.probe, query.kind}, range, buckets.step_us, parts, hot[i - begin], sink));
            sink.finish();
            series.probes.push_back(std::move(one));
        }
    }
    return series;
}

Status Reader::page_day(const SamplesQuery& query, const Position& after, std::int64_t day,
                        const std::vector<HotWindow::Rows>& hot, StoredRows& out)
{
    const ProbeKey probe{query.probe, query.kind};
    const auto piece = clip(clip(query.range, {std::max(after.at_us, std::int64_t{0}), kTimeMaxUs + 1}), day_range(day));
    NW_TRY(auto* view, day_view(*query.kind, day));
    auto pool = make_stored_rows(*query.kind);
    const auto keep = [&](const StoredRows& rows, std::size_t row) {
        if (piece.contains(rows.rows.at_us[row]) && position_of(rows, row) > after) append_row(pool, rows, row);
    };
    for (const auto& part : hot)
        for (std::size_t row = 0; row < part.rows.size() && part.epoch > view->epoch; ++row) keep(part.rows, row);
    std::vector<std::pair<ChunkRef, ChunkFile::Snapshot*>> chunks;
    for (auto* file : {view->closed.get(), view->open.get()}) {
        std::vector<ChunkRef> refs;
        if (file) NW_CHECK(file->list(query.probe, piece, refs));
        for (const auto& ref : refs) chunks.emplace_back(ref, file);
    }
    std::ranges::sort(chunks, {}, [](const auto& chunk) { return chunk.first.t0_us; });
    const auto enough = out.size() + query.limit + 1;
    for (const auto& [ref, file] : chunks) {
        // Rows before this chunk are complete: enough of them, and the rest of the day need not be read.
        const auto before = std::ranges::count_if(pool.rows.at_us, [&](auto at) { return at < ref.t0_us; });
        if (out.size() + std::size_t(before) >= enough) break;
        NW_CHECK(file->load(query.probe, ref, [&](const ChunkView& chunk) -> Status {
            auto rows = make_stored_rows(*query.kind);
            if (const auto decoded = decode_chunk(codec_, *query.kind, query.probe, chunk, {.tables_of = piece}, rows);
                !decoded)
                pass_over(decoded.error(), probe);
            for (std::size_t row = 0; row < rows.size(); ++row) keep(rows, row);
            return {};
        }));
    }
    sort_rows(pool);
    for (std::size_t row = 0; row < pool.size(); ++row) append_row(out, pool, row);
    return {};
}

Result<SamplePage> Reader::samples(const SamplesQuery& query)
{
    NW_CHECK(check(query));
    NW_TRY(const auto after, parse_cursor(query.cursor));
    SamplePage page{.rows = make_stored_rows(*query.kind)};
    const auto range = clip(query.range, {std::max(limits_.of(query.probe).raw_us, after.at_us), kTimeMaxUs + 1});
    if (is_empty(range) || is_removed(query.probe)) return page;
    const auto hot = sources_.hot.read({query.probe, query.kind}, range);
    look_anew();
    auto within = query;
    within.range = range;
    std::vector<std::int64_t> days;
    for (const auto& [key, day] : contents_->days)
        if (key.first == query.kind->number && !is_empty(clip(range, day_range(key.second)))) days.push_back(key.second);
    for (const auto& part : hot)
        for (const auto at : part.rows.rows.at_us) days.push_back(at / kDayUs);
    std::ranges::sort(days);
    days.erase(std::ranges::unique(days).begin(), days.end());
    for (const auto day : days) {
        NW_CHECK(page_day(within, after, day, hot, page.rows));
        if (page.rows.size() > query.limit) break;
    }
    if (page.rows.size() <= query.limit) return page;
    auto first = make_stored_rows(*query.kind);
    for (std::size_t row = 0; row < query.limit; ++row) append_row(first, page.rows, row);
    page.rows = std::move(first);
    page.next = to_cursor(position_of(page.rows, query.limit - 1));
    return page;
}

// One sum per wanted probe, over days.
struct Reader::SumJob {
    const Kind& kind;
    TimeRange range{};
    std::int64_t step_us = 0;
    ChunkParts parts{};
    std::vector<ProbeId> wanted{};  // ascending
    std::vector<std::optional<Aggregate>> sums{};
    // Hot rows summed up by epoch and day: whether they count is known when the day's files are open.
    struct HotSum {
        std::size_t probe = 0;
        std::uint64_t epoch = 0;
        std::int64_t day = 0;
        Aggregate sum{};
    };
    std::vector<HotSum> hot{};

    void add(std::size_t probe, Aggregate&& aggregate)
    {
        if (sums[probe]) merge(kind, *sums[probe], aggregate);
        else if (!aggregate.empty()) sums[probe] = std::move(aggregate);
    }
    quality::Histograms histograms() const
    {
        return parts.histograms ? quality::Histograms::Read : quality::Histograms::Skip;
    }
};

void Reader::sum_hot(SumJob& job)
{
    Accumulator accumulator(job.kind);
    for (std::size_t i = 0; i < job.wanted.size(); ++i) {
        for (const auto& part : sources_.hot.read({job.wanted[i], &job.kind}, job.range)) {
            std::int64_t day = -1;
            const auto put_down = [&] {
                if (!accumulator.empty()) job.hot.push_back({i, part.epoch, day, accumulator.take()});
            };
            for (std::size_t row = 0; row < part.rows.size(); ++row) {
                const auto of_row = part.rows.rows.at_us[row] / kDayUs;
                if (of_row != day) put_down();
                day = of_row;
                accumulator.add(part.rows.rows, row);
            }
            put_down();
        }
    }
}

Status Reader::sum_open(SumJob& job, TimeRange piece, ChunkFile::Snapshot& file)
{
    const auto position = [&](ProbeId probe) {
        return std::size_t(std::ranges::lower_bound(job.wanted, probe) - job.wanted.begin());
    };
    for (const auto& seal : file.seals()) {
        if (seal.max_us < piece.from_us || seal.min_us >= piece.until_us) continue;
        NW_CHECK(file.summaries(seal.number, job.wanted.front(), job.wanted.back(), [&](std::string_view block) -> Status {
            const auto wanted = [&](ProbeId probe) {
                const auto at = position(probe);
                return at < job.wanted.size() && job.wanted[at] == probe;
            };
            const auto read = read_summaries(job.kind, block, wanted, job.histograms(),
                                             [&](ProbeId probe, std::int64_t hour, Aggregate&& sum) {
                                                 if (piece.contains(hour * kHourUs))
                                                     job.add(position(probe), std::move(sum));
                                             });
            if (!read) pass_over(read.error(), {job.wanted.front(), &job.kind});
            return {};
        }));
    }
    return {};
}

Status Reader::sum_day(SumJob& job, std::int64_t day)
{
    const auto piece = clip(job.range, day_range(day));
    NW_TRY(auto* view, day_view(job.kind, day));
    const bool whole = piece == day_range(day);
    const bool hours = job.step_us % kHourUs == 0;
    Result<RollupFile::Snapshot*> totals = nullptr;
    if (whole) totals = rollups(job.kind, day, *view, Width::Hour);
    if (!totals) return std::unexpected(totals.error());
    if (*totals)
        NW_CHECK((*totals)->totals(job.kind, day, job.wanted, job.histograms(),
                                   [&](std::size_t i, Aggregate&& sum) { job.add(i, std::move(sum)); }));
    if (hours && view->open) NW_CHECK(sum_open(job, piece, *view->open));
    Accumulator accumulator(job.kind);
    SumSink sink(accumulator);
    for (std::size_t i = 0; i < job.wanted.size() && !(*totals && (hours || !view->open)); ++i) {
        const ProbeKey probe{job.wanted[i], &job.kind};
        if (!*totals) NW_CHECK(fill_closed(probe, day, piece, job.step_us, job.parts, *view, sink));
        if (!hours && view->open) NW_CHECK(fill_chunks(probe, piece, job.parts, *view->open, sink));
        if (!accumulator.empty()) job.add(i, accumulator.take());
    }
    for (auto& hot : job.hot)
        if (hot.day == day && hot.epoch > view->epoch) job.add(hot.probe, std::move(hot.sum));
    return {};
}

Result<Summaries> Reader::summaries(const SummaryQuery& query)
{
    NW_CHECK(check(query));
    const auto horizon = limits_.of(query.probes);
    const auto plan = summary_plan(query.range, horizon);
    Summaries summaries{.range = plan.range};
    summaries.probes.resize(query.probes.size());
    SumJob job{.kind = *query.kind,
               .range = clip(plan.range, {horizon.hour_us, kTimeMaxUs + 1}),
               .step_us = plan.step_us,
               .parts = parts_for(*query.kind, query.metrics),
               .wanted = query.probes};
    std::erase_if(job.wanted, [&](ProbeId probe) { return is_removed(probe); });
    std::ranges::sort(job.wanted);
    job.wanted.erase(std::ranges::unique(job.wanted).begin(), job.wanted.end());
    if (job.wanted.empty() || is_empty(job.range)) return summaries;
    job.sums.resize(job.wanted.size());
    sum_hot(job);
    look_anew();
    for (auto day = job.range.from_us / kDayUs; day <= last_day(job.range); ++day) {
        const bool known = contents_->day(job.kind, day) || contents_->rollup(job.kind, month_of(day), Width::Hour);
        const bool hot = std::ranges::any_of(job.hot, [&](const auto& sum) { return sum.day == day; });
        if (known || hot) NW_CHECK(sum_day(job, day));
    }
    for (std::size_t i = 0; i < query.probes.size(); ++i) {
        const auto at = std::ranges::lower_bound(job.wanted, query.probes[i]);
        if (at != job.wanted.end() && *at == query.probes[i])
            summaries.probes[i] = job.sums[std::size_t(at - job.wanted.begin())];
    }
    return summaries;
}

Result<std::vector<TopEntry>> Reader::top(const TopQuery& query)
{
    NW_TRY(const auto* metric, check(query));
    NW_TRY(const auto sums,
           summaries({.probes = query.probes, .kind = query.kind, .range = query.range, .metrics = {metric}}));
    std::vector<TopEntry> entries;
    for (std::size_t i = 0; i < query.probes.size(); ++i) {
        const auto value = sums.probes[i] ? evaluate(*query.kind, *metric, *sums.probes[i]) : std::nullopt;
        if (value) entries.push_back({query.probes[i], *value});
    }
    return ranked(std::move(entries), query);
}

// Makes `newest` the last row of the file's last chunk in the range when that is newer.
Status Reader::newest_in(ChunkFile::Snapshot& file, ProbeKey probe, TimeRange range, StoredRows& newest)
{
    std::vector<ChunkRef> refs;
    NW_CHECK(file.list(probe.probe, range, refs));
    for (const auto& ref : refs) {
        // Several chunks may end at the same time: all that could hold the newest are looked at.
        if (newest.size() > 0 && newest.rows.at_us[0] > ref.t1_us) continue;
        NW_CHECK(file.load(probe.probe, ref, [&](const ChunkView& chunk) -> Status {
            auto rows = make_stored_rows(*probe.kind);
            if (const auto decoded = decode_chunk(codec_, *probe.kind, probe.probe, chunk, {}, rows); !decoded) {
                pass_over(decoded.error(), probe);
                return {};
            }
            if (newest.size() > 0 && position_of(newest, 0) >= position_of(rows, rows.size() - 1)) return {};
            newest = make_stored_rows(*probe.kind);
            append_row(newest, rows, rows.size() - 1);
            return {};
        }));
    }
    return {};
}

Result<StoredRows> Reader::newest_on_disk(ProbeKey probe, std::int64_t now)
{
    const TimeRange range{std::max<std::int64_t>(0, now - 2 * kDayUs), kTimeMaxUs + 1};
    auto newest = make_stored_rows(*probe.kind);
    for (auto day = (now + kAheadMaxUs) / kDayUs; day >= range.from_us / kDayUs && newest.size() == 0; --day) {
        NW_TRY(auto* view, day_view(*probe.kind, day));
        if (view->closed) NW_CHECK(newest_in(*view->closed, probe, range, newest));
        if (view->open) NW_CHECK(newest_in(*view->open, probe, range, newest));
    }
    return newest;
}

Result<quality::Aggregate> Reader::recent_with_files(ProbeKey probe, std::int64_t since_us)
{
    const auto hot = sources_.hot.read(probe, {since_us, kTimeMaxUs + 1});
    look_anew();
    SumSink sink(*accumulator_);
    NW_CHECK(fill(probe, {since_us, since_us + 2 * kDayUs}, 1, {}, hot, sink));
    return accumulator_->take();
}

Result<LatestPtr> Reader::latest_of(ProbeKey probe, std::int64_t now)
{
    const auto since = std::max<std::int64_t>(0, now - 15 * 60 * kSecondUs);
    auto [latest, disk_known] = sources_.hot.newest(probe, since, *accumulator_);
    const auto newest_us = [&] { return latest->sample ? to_us(latest->sample->at) : kAbsent; };
    if (!disk_known && newest_us() <= sources_.forgotten_us) {
        if (!contents_) look_anew();
        NW_TRY(const auto found, newest_on_disk(probe, now));
        sources_.hot.know_disk(probe, found);
        latest = sources_.hot.newest(probe, since, *accumulator_).latest;
    }
    const bool too_old = latest->sample && newest_us() < now - 2 * kDayUs;
    if (!too_old && sources_.forgotten_us < since) return latest;
    auto own = std::make_shared<Latest>(*latest);
    if (too_old) own->sample.reset();
    if (sources_.forgotten_us >= since) {
        NW_TRY(own->recent, recent_with_files(probe, since));
    }
    return own;
}

Result<std::vector<LatestPtr>> Reader::latest(const LatestQuery& query)
{
    NW_CHECK(check(query));
    const auto now = to_us(query.now);
    accumulator_.emplace(*query.kind);
    const auto nothing = std::make_shared<Latest>(Latest{.recent = quality::make_aggregate(*query.kind)});
    std::vector<LatestPtr> all;
    all.reserve(query.probes.size());
    for (const auto id : query.probes) {
        if (is_removed(id)) {
            all.push_back(nothing);
            continue;
        }
        NW_TRY(auto latest, latest_of({id, query.kind}, now));
        all.push_back(std::move(latest));
    }
    return all;
}

}  // namespace nw::store
