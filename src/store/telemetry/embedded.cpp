#include "store/telemetry/embedded.hpp"

#include "base/run_on.hpp"
#include "store/telemetry/intake_writer.hpp"
#include "store/telemetry/keeper.hpp"
#include "store/telemetry/reader.hpp"

#include <boost/asio/post.hpp>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace nw::store {
namespace {

namespace fs = std::filesystem;

// Sealing comes at the end of an hour, when enough has come together for chunks that are worth their making, and every
// few hours in any case: a chunk of four hours costs little more than one of one hour.
constexpr std::uint64_t kSealBytesMin = 24ULL << 20;
constexpr std::int64_t kSealHours = 4;
// After the hour so long, so that what agents sent at its end is in the same chunk.
constexpr std::int64_t kSealDelayUs = 120 * kSecondUs;
// Sealed rows stay in memory for the latest values and the charts of the last minutes.
constexpr std::int64_t kKeepHotUs = 20 * 60 * kSecondUs;
constexpr Seconds kMaintenanceInterval{20};
// Share of the limits at which maintenance begins early.
constexpr std::uint64_t kSealShare = 3;
constexpr std::uint64_t kIntakeSealBytes = 512ULL << 20;

using Removed = std::unordered_set<ProbeId>;

// Sealing and compaction give way to sessions and queries: an acknowledgement must not wait for a time slice of theirs.
void give_way() { (void)::setpriority(PRIO_PROCESS, id_t(::syscall(SYS_gettid)), 10); }

// state.db: what is neither samples nor on its way.
class State {
public:
    static Result<std::unique_ptr<State>> open(const fs::path& path)
    {
        NW_TRY(auto db, sqlite::Database::open(path));
        NW_CHECK(db->execute(std::string(kLostTable)
                             + "CREATE TABLE IF NOT EXISTS removed(probe INTEGER PRIMARY KEY); PRAGMA user_version=1;"));
        return std::unique_ptr<State>(new State(std::move(db)));
    }
    Status keep(const std::vector<LostSpan>& spans)
    {
        const std::lock_guard lock(mutex_);
        if (spans.empty()) return {};
        NW_TRY(auto transaction, sqlite::Transaction::begin(*db_));
        sqlite::Statement insert(*db_, kInsertLost);
        for (const auto& span : spans) NW_CHECK(bind_lost(insert, span).run());
        return transaction.commit();
    }
    Result<std::vector<LostSpan>> lost()
    {
        const std::lock_guard lock(mutex_);
        return read_lost(*db_);
    }
    Status remove(ProbeId probe)
    {
        const std::lock_guard lock(mutex_);
        sqlite::Statement insert(*db_, "INSERT OR IGNORE INTO removed VALUES(?1)");
        return insert.bind(1, std::int64_t(probe)).run();
    }
    Result<Removed> removed()
    {
        const std::lock_guard lock(mutex_);
        Removed found;
        sqlite::Statement all(*db_, "SELECT probe FROM removed");
        for (;;) {
            NW_TRY(const bool more, all.step());
            if (!more) return found;
            found.insert(ProbeId(all.integer(0)));
        }
    }
    Status backup(const fs::path& to)
    {
        const std::lock_guard lock(mutex_);
        return sqlite::backup_to(*db_, to);
    }

private:
    explicit State(std::unique_ptr<sqlite::Database> db) : db_(std::move(db)) {}
    std::mutex mutex_{};
    std::unique_ptr<sqlite::Database> db_;
};

template <class Handler>
class Waiting final : public Operation {
public:
    Waiting(Executor loop, Result<Appended>& result, Handler done) : loop_(loop), result_(result), done_(std::move(done)) {}
    void complete(Result<Appended> result) override
    {
        result_ = std::move(result);
        asio::post(loop_, std::move(done_));
    }

private:
    Executor loop_;
    Result<Appended>& result_;
    Handler done_;
};

class EmbeddedTelemetry final : public Telemetry {
public:
    EmbeddedTelemetry(EmbeddedOptions options, const Kinds& kinds, const Clock& clock, Log log)
        : options_(std::move(options)), kinds_(kinds), clock_(clock), log_(std::move(log)),
          retention_(std::make_shared<RetentionRules>(RetentionRules{.everything = options_.retention})),
          readers_(std::max(1U, options_.reader_threads)), house_(1)
    {}
    ~EmbeddedTelemetry() override { shut(); }

    Status start();

    Task<Result<Appended>> append(AppendRequest request) override
    {
        if (request.batch.count == 0 || request.batch.first_seq == 0)
            co_return fail(Errc::Invalid, "append: an empty batch");
        co_return co_await submit({.append = std::move(request)});
    }
    Task<Result<Appended>> declare_lost(LostSpan span) override
    {
        if (span.first_seq == 0 || span.last_seq < span.first_seq) co_return fail(Errc::Invalid, "lost: an empty span");
        co_return co_await submit({.lost = std::move(span)});
    }
    Task<Result<std::uint64_t>> watermark(AgentId agent, StreamId stream) override
    {
        if (closed_) co_return closed_error();
        co_return writer_->watermark({agent, stream});
    }
    Task<Result<Series>> series(SeriesQuery query) override
    {
        return read([query = std::move(query)](Reader& reader) { return reader.series(query); });
    }
    Task<Result<SamplePage>> samples(SamplesQuery query) override
    {
        return read([query = std::move(query)](Reader& reader) { return reader.samples(query); });
    }
    Task<Result<Summaries>> summaries(SummaryQuery query) override
    {
        return read([query = std::move(query)](Reader& reader) { return reader.summaries(query); });
    }
    Task<Result<std::vector<LatestPtr>>> latest(LatestQuery query) override
    {
        return read([query = std::move(query)](Reader& reader) { return reader.latest(query); });
    }
    Task<Result<std::vector<TopEntry>>> top(TopQuery query) override
    {
        return read([query = std::move(query)](Reader& reader) { return reader.top(query); });
    }
    Task<Result<std::vector<LostSpan>>> lost(std::vector<AgentId> agents, TimeRange range, std::uint32_t limit) override;

    Task<Status> set_retention(Retention everything, std::vector<ShorterRetention> shorter) override
    {
        NW_CO_TRY(auto rules, make_rules(everything, shorter));
        const std::lock_guard lock(settings_);
        // Said again and again by whoever looks for new probes: what is the same sets no maintenance going.
        if (*retention_ != rules) retention_ = std::make_shared<RetentionRules>(std::move(rules));
        co_return Status{};
    }
    Task<Status> remove_probe(ProbeId probe) override
    {
        return keep_house([this, probe] { return remove_now(probe); });
    }
    Task<Status> maintain(WallTime now) override
    {
        return keep_house([this, now] { return maintain_now(now); });
    }
    Task<Status> seal() override
    {
        return keep_house([this] { return seal_now(clock_.wall()); });
    }
    Task<Status> backup(fs::path to) override
    {
        return keep_house([this, to = std::move(to)] { return backup_now(to); });
    }
    Task<TelemetryStats> stats() override
    {
        co_return co_await run_on(readers_, [this] { return stats_now(); });
    }
    Task<void> close() override
    {
        co_await run_on(house_, [this] {
            shut_writing();
            return 0;
        });
    }

private:
    struct Submission {
        std::optional<AppendRequest> append{};
        std::optional<LostSpan> lost{};
    };
    Task<Result<Appended>> submit(Submission submission);
    template <class Ask, class R = std::invoke_result_t<Ask&, Reader&>>
    Task<R> read(Ask ask);
    template <class Work>
    Task<Status> keep_house(Work work);

    Status recover();
    Status replay(Intake& intake, const Watermarks& successor);
    void replay_rows(const Rows& rows, const std::vector<std::int64_t>& correction, const Origin& origin);
    Status maintain_now(WallTime now);
    Status seal_now(WallTime now);
    Status seal_retired(WallTime now);
    bool seal_is_due(WallTime now) const;
    Status remove_now(ProbeId probe);
    Status backup_now(const fs::path& to);
    TelemetryStats stats_now();
    void keep_house_alone();
    void hurry();
    void shut_writing();
    void shut();

    Limits limits(WallTime now) const
    {
        const std::lock_guard lock(settings_);
        return {retention_, now};
    }
    std::shared_ptr<const Removed> removed() const
    {
        const std::lock_guard lock(settings_);
        return removed_;
    }
    static std::unexpected<Error> closed_error() { return fail(Errc::Unavailable, "the store is closed"); }

    EmbeddedOptions options_;
    const Kinds& kinds_;
    const Clock& clock_;
    Log log_;

    mutable std::mutex settings_{};  // of the next three
    std::shared_ptr<const RetentionRules> retention_;
    std::shared_ptr<const Removed> removed_ = std::make_shared<Removed>();
    std::vector<LostSpan> lost_{};

    HotWindow hot_{};
    std::unique_ptr<Catalogue> catalogue_{};
    std::unique_ptr<State> state_{};
    std::atomic<std::int64_t> forgotten_us_{kAbsent};
    std::atomic<std::uint64_t> corrupt_chunks_{0};
    std::unique_ptr<ReadSources> sources_{};
    std::unique_ptr<IntakeWriter> writer_{};

    std::mutex housekeeping_{};  // one at a time; guards the next six
    std::unique_ptr<Keeper> keeper_{};
    std::vector<std::unique_ptr<Intake>> retired_{};
    std::int64_t sealed_hour_ = 0;
    std::uint64_t sealed_epoch_ = 0;
    std::atomic<std::uint64_t> seals_{0};
    std::atomic<std::uint64_t> seal_us_max_{0};

    std::mutex alone_mutex_{};
    std::condition_variable alone_wake_{};
    bool alone_stop_ = false;
    bool alone_hurry_ = false;
    std::thread alone_{};

    std::atomic<bool> closed_{false};
    Pool readers_;
    Pool house_;
};

Task<Result<Appended>> EmbeddedTelemetry::submit(Submission submission)
{
    if (closed_) co_return closed_error();
    const auto loop = co_await asio::this_coro::executor;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    Result<Appended> result = Appended{};
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        [&](auto done) {
            auto operation = std::make_unique<Waiting<decltype(done)>>(loop, result, std::move(done));
            operation->append = std::move(submission.append);
            operation->lost = std::move(submission.lost);
            writer_->submit(std::move(operation));
        },
        use_task);
    co_return result;
}

template <class Ask, class R>
Task<R> EmbeddedTelemetry::read(Ask ask)
{
    if (closed_) co_return closed_error();
    co_return co_await run_on(readers_, [this, &ask] {
        Reader reader(*sources_, limits(clock_.wall()), removed());
        return ask(reader);
    });
}

template <class Work>
Task<Status> EmbeddedTelemetry::keep_house(Work work)
{
    if (closed_) co_return closed_error();
    co_return co_await run_on(house_, [this, &work]() -> Status {
        give_way();
        const std::lock_guard lock(housekeeping_);
        if (closed_) return closed_error();
        return work();
    });
}

Task<Result<std::vector<LostSpan>>> EmbeddedTelemetry::lost(std::vector<AgentId> agents, TimeRange range,
                                                            std::uint32_t limit)
{
    const std::lock_guard lock(settings_);
    std::vector<LostSpan> found;
    for (auto i = lost_.size(); i-- > 0 && found.size() < limit;) {
        const auto& span = lost_[i];
        if (std::ranges::find(agents, span.agent) != agents.end() && span.from_us < range.until_us
            && span.until_us >= range.from_us)
            found.push_back(span);
    }
    co_return found;
}

Status EmbeddedTelemetry::start()
{
    std::error_code error;
    fs::create_directories(options_.dir, error);
    if (error) return fail(Errc::Unavailable, "create " + options_.dir.string() + ": " + error.message());
    NW_TRY(catalogue_, Catalogue::open(options_.dir, kinds_, log_));
    NW_TRY(state_, State::open(options_.dir / "state.db"));
    NW_TRY(auto gone, state_->removed());
    removed_ = std::make_shared<Removed>(std::move(gone));
    NW_TRY(lost_, state_->lost());
    const auto contents = catalogue_->contents();
    for (const auto& [key, day] : contents->days) {
        forgotten_us_ = std::max<std::int64_t>(forgotten_us_, day.max_us);
        sealed_epoch_ = std::max(sealed_epoch_, day.epoch);
    }
    sources_ = std::unique_ptr<ReadSources>(new ReadSources{hot_, *catalogue_, forgotten_us_, corrupt_chunks_, log_});
    keeper_ = std::make_unique<Keeper>(*catalogue_, hot_, options_.dir, log_);
    writer_ = std::make_unique<IntakeWriter>(options_.dir,
                                             WriterLimits{.pending_bytes_max = options_.pending_bytes_max,
                                                          .hot_bytes_max = options_.hot_bytes_max,
                                                          .intake_bytes_max = options_.intake_bytes_max,
                                                          .disk_free_min_bytes = options_.disk_free_min_bytes},
                                             hot_, clock_,
                                             IntakeWriter::Hooks{.on_lost =
                                                                     [this](const LostSpan& span) {
                                                                         const std::lock_guard lock(settings_);
                                                                         lost_.push_back(span);
                                                                     },
                                                                 .on_pressure = [this] { hurry(); }},
                                             log_);
    NW_CHECK(recover());
    if (options_.self_maintenance) alone_ = std::thread([this] { keep_house_alone(); });
    return {};
}

// Intakes in order; the newest one's watermarks count, and each one's first watermarks tell what of the older ones does.
Status EmbeddedTelemetry::recover()
{
    std::map<std::uint64_t, fs::path> found;
    for (const auto& entry : fs::directory_iterator(options_.dir)) {
        const auto name = entry.path().filename().string();
        if (!name.starts_with("intake-") || !name.ends_with(".db")) continue;
        std::uint64_t epoch = 0;
        const auto [end, error] = std::from_chars(name.data() + 7, name.data() + name.size() - 3, epoch);
        if (error == std::errc{} && end == name.data() + name.size() - 3) found[epoch] = entry.path();
    }
    for (const auto& [epoch, path] : found) {
        NW_TRY(auto intake, Intake::open(path, epoch));
        if (intake) retired_.push_back(std::move(intake));
        else remove_intake(path);
    }
    Watermarks watermarks;
    std::uint64_t epoch = found.empty() ? 0 : found.rbegin()->first;
    for (std::size_t i = 0; i < retired_.size(); ++i) {
        NW_TRY(watermarks, retired_[i]->watermarks());
        Watermarks successor = watermarks;
        if (i + 1 < retired_.size()) {
            NW_TRY(successor, retired_[i + 1]->first_watermarks());
        }
        NW_CHECK(replay(*retired_[i], successor));
    }
    const auto contents = catalogue_->contents();
    for (const auto& [key, day] : contents->days) {
        epoch = std::max(epoch, day.epoch);
        if (!day.open) continue;
        NW_TRY(const auto snapshot, ChunkFile::snapshot(day.open));
        epoch = std::max(epoch, snapshot->epoch());
    }
    ++epoch;
    NW_TRY(auto current, Intake::create(writer_->intake_path(epoch), epoch));
    NW_CHECK(current->begin_with(watermarks));
    NW_CHECK(sync_path(options_.dir));
    writer_->start(std::move(current), std::move(watermarks));
    return {};
}

Status EmbeddedTelemetry::replay(Intake& intake, const Watermarks& successor)
{
    NW_TRY(auto spans, intake.lost());
    lost_.insert(lost_.end(), spans.begin(), spans.end());
    return intake.replay([&](const Intake::Stored& stored) -> Status {
        auto batch = wire::decode_batch(stored.bytes, kinds_, wire::Completeness::Partial);
        if (!batch) return std::unexpected(std::move(batch).error().while_doing("replay " + intake.path().string()));
        const auto known = successor.find({stored.agent, batch->stream});
        if (known == successor.end() || batch->last_seq() > known->second) return {};  // see first_watermarks
        const Origin origin{.agent = stored.agent,
                            .stream = batch->stream,
                            .received_us = received_ms_us(stored.received_at),
                            .epoch = intake.epoch()};
        const auto taken = take_new_rows(*std::move(batch), stored.after_seq, stored.received_at);
        for (std::size_t i = 0; i < taken.kinds.size(); ++i) replay_rows(taken.kinds[i], taken.correction_us[i], origin);
        return {};
    });
}

void EmbeddedTelemetry::replay_rows(const Rows& rows, const std::vector<std::int64_t>& correction, const Origin& origin)
{
    // Sealed files know which epochs they contain; a day is looked up once.
    const auto contents = catalogue_->contents();
    std::map<std::int64_t, std::uint64_t> epochs;
    auto left = make_rows(*rows.kind);
    std::vector<std::int64_t> left_correction;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto day = rows.at_us[row] / kDayUs;
        const auto [entry, fresh] = epochs.try_emplace(day, 0);
        if (const auto* files = fresh ? contents->day(*rows.kind, day) : nullptr) {
            entry->second = files->epoch;
            if (files->open)
                if (const auto snapshot = ChunkFile::snapshot(files->open))
                    entry->second = std::max(entry->second, (*snapshot)->epoch());
        }
        if (origin.epoch <= entry->second) continue;
        nw::append_row(left, rows, row);
        left_correction.push_back(correction[row]);
    }
    hot_.append(left, left_correction, origin);
}

bool EmbeddedTelemetry::seal_is_due(WallTime now) const
{
    const auto hour = (to_us(now) - kSealDelayUs) / kHourUs;
    if (hour != sealed_hour_ && writer_->intake_bytes() >= kSealBytesMin) return true;
    if (hour / kSealHours != sealed_hour_ / kSealHours) return true;
    return hot_.bytes() > options_.hot_bytes_max / kSealShare || writer_->intake_bytes() > kIntakeSealBytes;
}

Status EmbeddedTelemetry::maintain_now(WallTime now)
{
    if (seal_is_due(now)) NW_CHECK(seal_now(now));
    const auto kept = limits(now);
    const auto gone = removed();
    NW_CHECK(keeper_->compact_due(*gone, to_us(now)));
    NW_CHECK(keeper_->retain(kept, *gone));
    // What was sealed is kept for a while, unless the memory is wanted for what is new.
    const auto keep = hot_.bytes() > options_.hot_bytes_max / kSealShare ? kTimeMaxUs + 1 : to_us(now) - kKeepHotUs;
    // Readers must know before the rows are gone.
    forgotten_us_ = std::max<std::int64_t>(forgotten_us_, hot_.newest_to_forget(sealed_epoch_, keep));
    hot_.forget(sealed_epoch_, keep);
    return {};
}

// 1. A new intake begins; 2. what the old ones hold is written to chunk files, each with the epoch it now contains;
// 3. declared losses go to state.db; 4. the old intakes are removed.
Status EmbeddedTelemetry::seal_now(WallTime now)
{
    const auto begin = clock_.instant();
    if (writer_->intake_batches() > 0 || writer_->intake_bytes() > 0 || !retired_.empty()) {
        const auto epoch = writer_->next_epoch();
        NW_TRY(auto next, Intake::create(writer_->intake_path(epoch), epoch));
        NW_CHECK(sync_path(options_.dir));
        NW_TRY(auto old, writer_->rotate(std::move(next)));
        for (auto& failed : writer_->take_failed()) retired_.push_back(std::move(failed));
        retired_.push_back(std::move(old));
        NW_CHECK(seal_retired(now));
        ++seals_;
        seal_us_max_ = std::max<std::uint64_t>(
            seal_us_max_, std::uint64_t(std::chrono::duration_cast<Micros>(clock_.instant() - begin).count()));
    }
    sealed_hour_ = (to_us(now) - kSealDelayUs) / kHourUs;
    return {};
}

Status EmbeddedTelemetry::seal_retired(WallTime now)
{
    const auto epoch = retired_.back()->epoch();
    NW_CHECK(keeper_->seal(epoch, limits(now), *removed(), to_us(now)));
    sealed_epoch_ = std::max(sealed_epoch_, epoch);
    for (const auto& intake : retired_) {
        NW_TRY(const auto spans, intake->lost());
        NW_CHECK(state_->keep(spans));
    }
    std::vector<fs::path> paths;
    for (const auto& intake : retired_) paths.push_back(intake->path());
    retired_.clear();
    for (const auto& path : paths) remove_intake(path);
    return {};
}

Status EmbeddedTelemetry::remove_now(ProbeId probe)
{
    NW_CHECK(state_->remove(probe));
    {
        const std::lock_guard lock(settings_);
        auto next = std::make_shared<Removed>(*removed_);
        next->insert(probe);
        removed_ = std::move(next);
    }
    hot_.remove(probe);
    return {};
}

// Sealing waits meanwhile, so chunk files stand still; the intake is copied last and holds all that is not in them.
Status EmbeddedTelemetry::backup_now(const fs::path& to)
{
    std::error_code error;
    fs::create_directories(to / "chunks", error);
    if (!error) fs::create_directories(to / "rollups", error);
    if (error) return fail(Errc::Unavailable, "create " + to.string() + ": " + error.message());
    const auto copy = [&](const fs::path& from) -> Status {
        NW_TRY(auto db, sqlite::Database::open(from, {.read_only = true}));
        return sqlite::backup_to(*db, to / fs::relative(from, options_.dir));
    };
    const auto contents = catalogue_->contents();
    for (const auto& [key, day] : contents->days) {
        if (day.closed) {
            fs::copy_file(day.closed->path(), to / "chunks" / day.closed->path().filename(), error);
            if (error) return fail(Errc::Unavailable, "copy " + day.closed->path().string() + ": " + error.message());
            NW_CHECK(sync_path(to / "chunks" / day.closed->path().filename()));
        }
        if (day.open) NW_CHECK(copy(day.open->path()));
    }
    for (const auto& [key, file] : contents->rollups) NW_CHECK(copy(file->path()));
    NW_CHECK(state_->backup(to / "state.db"));
    for (const auto& entry : fs::directory_iterator(options_.dir)) {
        const auto name = entry.path().filename().string();
        if (name.starts_with("intake-") && name.ends_with(".db")) NW_CHECK(copy(entry.path()));
    }
    NW_CHECK(sync_path(to / "chunks"));
    return sync_path(to);
}

TelemetryStats EmbeddedTelemetry::stats_now()
{
    TelemetryStats stats;
    writer_->fill(stats);
    stats.hot_rows = hot_.rows();
    stats.hot_bytes = hot_.bytes();
    stats.seals = seals_;
    stats.seal_us_max = seal_us_max_;
    stats.compactions = keeper_->compactions();
    stats.corrupt_chunks = corrupt_chunks_;
    std::error_code error;
    for (auto entry = fs::recursive_directory_iterator(options_.dir, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code gone;
        if (!entry->is_regular_file(gone)) continue;
        const auto size = entry->file_size(gone);
        if (gone) continue;
        ++stats.files;
        stats.disk_bytes += size;
    }
    return stats;
}

void EmbeddedTelemetry::hurry()
{
    {
        const std::lock_guard lock(alone_mutex_);
        alone_hurry_ = true;
    }
    alone_wake_.notify_one();
}

void EmbeddedTelemetry::keep_house_alone()
{
    give_way();
    for (;;) {
        {
            std::unique_lock lock(alone_mutex_);
            alone_wake_.wait_for(lock, alone_hurry_ ? Seconds(1) : kMaintenanceInterval,
                                 [this] { return alone_stop_ || alone_hurry_; });
            if (alone_stop_) return;
            alone_hurry_ = false;
        }
        const std::lock_guard lock(housekeeping_);
        if (closed_) return;
        if (const auto kept = maintain_now(clock_.wall()); !kept) log_.error("housekeeping: {}", kept.error().what);
    }
}

void EmbeddedTelemetry::shut_writing()
{
    closed_ = true;
    {
        const std::lock_guard lock(alone_mutex_);
        alone_stop_ = true;
    }
    alone_wake_.notify_one();
    if (alone_.joinable()) alone_.join();
    if (writer_) writer_->stop();
}

void EmbeddedTelemetry::shut()
{
    shut_writing();
    readers_.join();
    house_.join();
}

}  // namespace

Result<std::unique_ptr<Telemetry>> open_embedded(EmbeddedOptions options, const Kinds& kinds, const Clock& clock, Log log)
{
    auto store = std::make_unique<EmbeddedTelemetry>(std::move(options), kinds, clock, std::move(log));
    if (auto started = store->start(); !started)
        return std::unexpected(std::move(started).error().while_doing("open the telemetry store"));
    return store;
}

}  // namespace nw::store
