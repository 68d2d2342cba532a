#include "store/telemetry/keeper.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace nw::store {
namespace {

using quality::Accumulator;

// A day is compacted so long after its end, and again when late rows have come and then stopped coming for a while.
constexpr std::int64_t kGraceUs = 30 * 60 * kSecondUs;
constexpr std::int64_t kLateQuietUs = 6 * kHourUs;

constexpr TimeRange kAllTimes{0, kTimeMaxUs + 1};

// Roll-ups of one probe after the other, in the same room.
class RollupRoom {
public:
    explicit RollupRoom(const Kind& kind) : kind_(kind), accumulator_(kind) {}

    // Sums up sorted rows per `width`; indices count from `first`.
    std::span<const Bucketed> rolled(const Rows& rows, std::int64_t width, std::int64_t first)
    {
        count_ = 0;
        std::int64_t current = -1;
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const auto bucket = rows.at_us[row] / width;
            if (bucket != current) put_down(current - first);
            current = bucket;
            accumulator_.add(rows, row);
        }
        put_down(current - first);
        return {room_.data(), count_};
    }
    // Sums up finer ones, `ratio` of them into one.
    std::span<const Bucketed> rolled(std::span<const Bucketed> fine, std::uint32_t ratio)
    {
        count_ = 0;
        std::uint32_t current = 0;
        for (const auto& [index, aggregate] : fine) {
            if (index / ratio != current) put_down(current);
            current = index / ratio;
            accumulator_.add(aggregate);
        }
        put_down(current);
        return {room_.data(), count_};
    }

private:
    void put_down(std::int64_t index)
    {
        if (accumulator_.empty()) return;
        if (count_ == room_.size()) room_.emplace_back(0, quality::make_aggregate(kind_));
        room_[count_].first = std::uint32_t(index);
        accumulator_.take(room_[count_].second);
        ++count_;
    }

    const Kind& kind_;
    Accumulator accumulator_;
    std::vector<Bucketed> room_{};
    std::size_t count_ = 0;
};

}  // namespace

// One sealing of one kind: a writer per day that rows belong to.
struct Keeper::Sealing {
    const Kind& kind;
    std::uint64_t epoch = 0;
    const Limits& limits;
    std::int64_t now_us = 0;
    RollupRoom hours{kind};
    std::map<std::int64_t, std::unique_ptr<SealWriter>> writers{};
    std::map<std::int64_t, std::shared_ptr<ChunkFile>> files{};
    std::map<std::int64_t, std::int64_t> max_us{};
};

Status Keeper::seal(std::uint64_t epoch, const Limits& limits, const Removed& removed, std::int64_t now_us)
{
    auto probes = hot_.probes_in({sealed_epoch_, epoch});
    std::erase_if(probes, [&](const ProbeKey& key) { return removed.contains(key.probe); });
    std::ranges::sort(probes, {}, [](const ProbeKey& key) { return std::pair(key.kind->number, key.probe); });
    for (auto begin = probes.begin(); begin != probes.end();) {
        const auto end = std::find_if(begin, probes.end(), [&](const ProbeKey& key) { return key.kind != begin->kind; });
        Sealing sealing{.kind = *begin->kind, .epoch = epoch, .limits = limits, .now_us = now_us};
        for (; begin != end; ++begin) NW_CHECK(seal_probe(sealing, *begin));
        NW_CHECK(finish(sealing));
    }
    sealed_epoch_ = std::max(sealed_epoch_, epoch);
    return {};
}

Result<SealWriter*> Keeper::writer(Sealing& sealing, std::int64_t day)
{
    auto& writer = sealing.writers[day];
    if (writer) return writer.get();
    const auto contents = catalogue_.contents();
    const auto* known = contents->day(sealing.kind, day);
    auto& file = sealing.files[day];
    if (known && known->open) file = known->open;
    else
        file = std::make_shared<ChunkFile>(catalogue_.open_path(sealing.kind, day, known ? known->generation : 0),
                                           ChunkFile::Sort::Open);
    NW_TRY(writer, SealWriter::open(file->path(), ChunkFile::Sort::Open, sealing.kind));
    if (known && known->epoch > writer->epoch()) writer->raise_epoch(known->epoch);
    return writer.get();
}

Status Keeper::seal_probe(Sealing& sealing, ProbeKey probe)
{
    std::map<std::int64_t, StoredRows> days;
    const auto kept_us = sealing.limits.of(probe.probe).raw_us;
    for (auto& part : hot_.read_in(probe, {sealed_epoch_, sealing.epoch})) {
        const auto [first, last] = std::ranges::minmax(part.rows.rows.at_us);
        if (days.empty() && first / kDayUs == last / kDayUs && first >= kept_us) {
            NW_TRY(const auto* to, writer(sealing, first / kDayUs));
            if (part.epoch > to->epoch()) days.emplace(first / kDayUs, std::move(part.rows));
            continue;
        }
        for (std::size_t row = 0; row < part.rows.size(); ++row) {
            const auto at = part.rows.rows.at_us[row];
            if (at < kept_us) continue;  // retention would remove it at once
            NW_TRY(const auto* to, writer(sealing, at / kDayUs));
            if (part.epoch <= to->epoch()) continue;  // an earlier sealing got this far before it failed
            auto& rows = days.try_emplace(at / kDayUs, make_stored_rows(*probe.kind)).first->second;
            append_row(rows, part.rows, row);
        }
    }
    for (auto& [day, rows] : days) {
        sort_rows(rows);
        auto& to = *sealing.writers[day];
        NW_CHECK(to.add(quick_, probe.probe, rows));
        NW_CHECK(to.add_summary(probe.probe, sealing.hours.rolled(rows.rows, kHourUs, 0)));
        auto& newest = sealing.max_us[day];
        newest = std::max(newest, rows.rows.at_us.back());
    }
    return {};
}

Status Keeper::finish(Sealing& sealing)
{
    for (auto& [day, writer] : sealing.writers) {
        if (writer->rows() == 0) continue;
        NW_CHECK(writer->commit(sealing.epoch));
        sealed_us_[{sealing.kind.number, day}] = sealing.now_us;
        const auto contents = catalogue_.contents();
        const auto* known = contents->day(sealing.kind, day);
        auto next = known ? *known : Day{.kind = &sealing.kind, .day = day};
        next.open = sealing.files[day];
        next.max_us = std::max(next.max_us, sealing.max_us[day]);
        catalogue_.put(std::move(next));
    }
    return sync_path(dir_ / "chunks");
}

bool Keeper::has_rollups(const Day& day) const
{
    const auto contents = catalogue_.contents();
    for (const auto width : {Width::FiveMinutes, Width::Hour}) {
        auto file = contents->rollup(*day.kind, month_of(day.day), width);
        if (!file) return false;
        const auto snapshot = RollupFile::snapshot(std::move(file));
        if (!snapshot) return false;
        const auto found = (*snapshot)->days().find(day.day);
        if (found == (*snapshot)->days().end() || found->second != day.generation) return false;
    }
    return true;
}

bool Keeper::is_due(const Day& day, std::int64_t now_us) const
{
    if ((day.day + 1) * kDayUs + kGraceUs > now_us) return false;
    if (!day.open) return !has_rollups(day);
    if (!day.closed) return true;
    const auto sealed = sealed_us_.find({day.kind->number, day.day});
    return sealed == sealed_us_.end() || sealed->second + kLateQuietUs <= now_us;
}

Status Keeper::compact_due(const Removed& removed, std::int64_t now_us)
{
    const auto contents = catalogue_.contents();
    for (const auto& [key, day] : contents->days)
        if (is_due(day, now_us)) NW_CHECK(compact(day, removed, {}));
    return {};
}

struct Keeper::Compaction {
    const Day& day;
    const Removed& removed;
    const Removed& expired;
    std::uint64_t generation = 0;
    std::uint64_t epoch = 0;
    std::filesystem::path unfinished{};
    std::vector<std::unique_ptr<ChunkFile::Snapshot>> from{};
    std::unique_ptr<SealWriter> chunks{};
    std::unique_ptr<RollupWriter> five_minutes{};
    std::unique_ptr<RollupWriter> hours{};
    RollupRoom fine{*day.kind};
    RollupRoom coarse{*day.kind};
    RollupRoom whole{*day.kind};
    std::int64_t max_us = 0;
};

Status Keeper::compact(const Day& day, const Removed& removed, const Removed& expired)
{
    Compaction work{
        .day = day, .removed = removed, .expired = expired, .generation = day.generation + 1, .epoch = day.epoch};
    for (const auto& file : {day.closed, day.open}) {
        if (!file) continue;
        NW_TRY(auto snapshot, ChunkFile::snapshot(file));
        work.epoch = std::max(work.epoch, snapshot->epoch());
        work.from.push_back(std::move(snapshot));
    }
    std::vector<ProbeId> probes;
    for (auto& snapshot : work.from) {
        for (const auto& seal : snapshot->seals()) {
            NW_TRY(const auto some, snapshot->probes(seal.number));
            probes.insert(probes.end(), some.begin(), some.end());
        }
    }
    std::ranges::sort(probes);
    probes.erase(std::ranges::unique(probes).begin(), probes.end());
    const auto month = month_of(day.day);
    work.unfinished = catalogue_.closed_path(*day.kind, day.day, work.generation).string() + ".tmp";
    std::error_code ignored;
    std::filesystem::remove(work.unfinished, ignored);
    NW_TRY(work.chunks, SealWriter::open(work.unfinished, ChunkFile::Sort::Closed, *day.kind));
    NW_TRY(work.five_minutes,
           RollupWriter::open(catalogue_.rollup_path(*day.kind, month, Width::FiveMinutes), day.day, work.generation));
    NW_TRY(work.hours, RollupWriter::open(catalogue_.rollup_path(*day.kind, month, Width::Hour), day.day, work.generation));
    for (const auto probe : removed) {
        NW_CHECK(work.five_minutes->remove(probe));
        NW_CHECK(work.hours->remove(probe));
    }
    for (const auto probe : probes)
        if (!removed.contains(probe)) NW_CHECK(compact_probe(work, probe));
    return replace(work);
}

Status Keeper::compact_probe(Compaction& work, ProbeId probe)
{
    const auto& kind = *work.day.kind;
    auto rows = make_stored_rows(kind);
    for (auto& file : work.from) {
        NW_CHECK(file->chunks(probe, kAllTimes, [&](const ChunkView& chunk) -> Status {
            // A damaged chunk must stop compaction: the file that still has it must not be removed.
            return decode_chunk(codec_, kind, probe, chunk, {}, rows);
        }));
    }
    if (rows.size() == 0) return {};
    sort_rows(rows);
    work.max_us = std::max(work.max_us, rows.rows.at_us.back());
    if (!work.expired.contains(probe)) NW_CHECK(work.chunks->add(codec_, probe, rows));
    const auto fine = work.fine.rolled(rows.rows, kFiveMinutesUs, work.day.day * kDayUs / kFiveMinutesUs);
    NW_CHECK(work.five_minutes->add(codec_, kind, probe, fine));
    const auto coarse = work.coarse.rolled(fine, kHourUs / kFiveMinutesUs);
    NW_CHECK(work.hours->add(codec_, kind, probe, coarse));
    const auto whole = work.whole.rolled(coarse, kDayUs / kHourUs);
    return work.hours->add_total(kind, probe, whole.front().second);
}

// The closed file counts from the moment it has its name; roll-ups of another generation are not used, so that a crash
// in between leaves the old answer or the new one. The next start repeats what is missing.
Status Keeper::replace(Compaction& work)
{
    const auto& day = work.day;
    const auto path = catalogue_.closed_path(*day.kind, day.day, work.generation);
    NW_CHECK(work.chunks->commit(work.epoch));
    work.chunks.reset();
    NW_CHECK(sync_path(work.unfinished));
    std::error_code error;
    std::filesystem::rename(work.unfinished, path, error);
    if (error) return fail(Errc::Unavailable, "rename to " + path.string() + ": " + error.message());
    NW_CHECK(sync_path(path.parent_path()));
    NW_CHECK(work.five_minutes->commit());
    NW_CHECK(work.hours->commit());
    const auto contents = catalogue_.contents();
    for (const auto width : {Width::FiveMinutes, Width::Hour}) {
        const RollupKey key{day.kind->number, month_of(day.day), width};
        if (!contents->rollups.contains(key))
            catalogue_.put_rollup(key,
                                  std::make_shared<RollupFile>(catalogue_.rollup_path(*day.kind, std::get<1>(key), width)));
    }
    catalogue_.put({.kind = day.kind,
                    .day = day.day,
                    .closed = std::make_shared<ChunkFile>(path, ChunkFile::Sort::Closed),
                    .generation = work.generation,
                    .epoch = work.epoch,
                    .max_us = work.max_us});
    for (const auto& old : {day.closed, day.open})
        if (old) old->doom();
    ++compactions_;
    log_.info("compacted {} of day {} into generation {}", day.kind->name, day.day, work.generation);
    return {};
}

Status Keeper::retain(const Limits& limits, const Removed& removed)
{
    const auto contents = catalogue_.contents();
    const auto& horizon = limits.everything();
    for (const auto& [key, day] : contents->days) {
        if ((day.day + 1) * kDayUs > horizon.raw_us) continue;
        if (day.open || !has_rollups(day)) {
            // Its roll-ups outlive it.
            NW_CHECK(compact(day, removed, {}));
        }
        const auto now = catalogue_.contents();
        const auto* last = now->day(*day.kind, day.day);
        if (last && last->closed) last->closed->doom();
        catalogue_.remove(key);
    }
    for (const auto& [key, file] : contents->rollups) {
        const auto end = first_day(std::get<1>(key) + 1) * kDayUs;
        if (end > (std::get<2>(key) == Width::Hour ? horizon.hour_us : horizon.five_minutes_us)) continue;
        file->doom();
        catalogue_.remove_rollup(key);
    }
    return expire(limits, removed);
}

// Probes that are kept for less: their raw rows leave a day's file when it is written anew without them, once a day
// and whenever the rules change.
Status Keeper::expire(const Limits& limits, const Removed& removed)
{
    const auto today = limits.everything().hour_us / kDayUs;
    if (limits.rules().shorter.empty() || (expired_rules_.get() == &limits.rules() && expired_day_ == today)) return {};
    const auto contents = catalogue_.contents();
    for (const auto& [key, day] : contents->days) {
        if (!day.closed) continue;
        NW_TRY(const auto file, ChunkFile::snapshot(day.closed));
        Removed expired;
        for (const auto& seal : file->seals()) {
            NW_TRY(const auto probes, file->probes(seal.number));
            for (const auto probe : probes)
                if (limits.rules().shorter.contains(probe) && (day.day + 1) * kDayUs <= limits.of(probe).raw_us)
                    expired.insert(probe);
        }
        if (!expired.empty()) NW_CHECK(compact(day, removed, expired));
    }
    NW_CHECK(expire_rollups(limits));
    expired_rules_ = limits.shared_rules();
    expired_day_ = today;
    return {};
}

Status Keeper::expire_rollups(const Limits& limits)
{
    const auto contents = catalogue_.contents();
    for (const auto& [key, file] : contents->rollups) {
        std::vector<std::pair<ProbeId, std::int64_t>> first_days;
        for (const auto& [probe, keep] : limits.rules().shorter) {
            const auto horizon = limits.of(probe);
            const auto from = (std::get<2>(key) == Width::Hour ? horizon.hour_us : horizon.five_minutes_us) / kDayUs;
            if (from > first_day(std::get<1>(key))) first_days.emplace_back(probe, from);
        }
        if (!first_days.empty()) NW_CHECK(forget_rollups(file->path(), first_days));
    }
    return {};
}

}  // namespace nw::store
