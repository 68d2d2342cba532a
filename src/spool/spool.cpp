#include "spool/spool.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace nw::spool {
namespace {

constexpr std::int64_t kBlockOverhead = 64;

constexpr auto kSchema = R"(
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block(first_seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, from_us INTEGER NOT NULL,
                                 until_us INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS lost(first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, reason TEXT NOT NULL,
                                from_us INTEGER NOT NULL, until_us INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS report(number INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
)";

constexpr sqlite::OpenOptions kOptions{.durability = sqlite::Durability::Normal, .cache_kib = 512};

Result<std::optional<std::uint64_t>> read_meta(sqlite::Database& db, std::string_view name)
{
    sqlite::Statement statement(db, "SELECT value FROM meta WHERE name = ?");
    statement.bind(1, name);
    NW_TRY(const bool found, statement.step());
    return found ? std::optional(std::uint64_t(statement.integer(0))) : std::nullopt;
}

Block block_of(const sqlite::Statement& row)
{
    return {.first_seq = std::uint64_t(row.integer(0)),
            .count = std::uint32_t(row.integer(1)),
            .from_us = row.integer(2),
            .until_us = row.integer(3),
            .bytes = std::string(row.view(4))};
}

}  // namespace

Spool::Spool(std::unique_ptr<sqlite::Database> db, Limits limits) : db_(std::move(db)), limits_(limits) {}

Result<std::unique_ptr<Spool>> Spool::open(const std::filesystem::path& file, Limits limits, std::uint64_t fresh_stream)
{
    for (int attempt = 0;; ++attempt) {
        auto status = [&]() -> Result<std::unique_ptr<Spool>> {
            NW_TRY(auto db, sqlite::Database::open(file, kOptions));
            auto spool = std::unique_ptr<Spool>(new Spool(std::move(db), limits));
            NW_CHECK(spool->prepare(fresh_stream));
            return spool;
        }();
        if (status || attempt > 0 || status.error().code != Errc::Corrupt) return status;
        std::error_code ignored;
        for (const auto* part : {"", "-wal", "-shm"})
            std::filesystem::rename(file.string() + part, file.string() + ".damaged" + part, ignored);
    }
}

Status Spool::prepare(std::uint64_t fresh_stream)
{
    NW_CHECK(db_->execute(kSchema));
    NW_TRY(const auto stream, read_meta(*db_, "stream"));
    NW_TRY(const auto next, read_meta(*db_, "next_seq"));
    NW_TRY(const auto acked, read_meta(*db_, "acked"));
    stream_ = stream.value_or(fresh_stream);
    next_seq_ = opened_next_seq_ = std::max<std::uint64_t>(next.value_or(1), 1);
    acked_ = acked.value_or(0);
    if (!stream) NW_CHECK(write_meta());
    sqlite::Statement sum(*db_, "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM block");
    NW_TRY([[maybe_unused]] const bool row, sum.step());
    stored_blocks_ = std::uint64_t(sum.integer(0));
    stored_bytes_ = std::uint64_t(sum.integer(1) + sum.integer(0) * kBlockOverhead);
    sqlite::Statement ranges(*db_, "SELECT first_seq, last_seq, reason, from_us, until_us FROM lost ORDER BY first_seq");
    for (;;) {
        NW_TRY(const bool more, ranges.step());
        if (!more) return {};
        lost_.push_back({std::uint64_t(ranges.integer(0)), std::uint64_t(ranges.integer(1)), ranges.text(2),
                         ranges.integer(3), ranges.integer(4)});
    }
}

Depth Spool::depth() const
{
    Depth depth{
        .blocks = stored_blocks_ + held_.size(), .bytes = stored_bytes_ + held_bytes_, .disk_refuses = !trouble_.empty()};
    depth.rows = next_seq_ - 1 - acked_;
    for (const auto& range : lost_)
        if (range.last_seq > acked_)
            depth.rows -= std::min(depth.rows, range.last_seq - std::max(acked_ + 1, range.first_seq) + 1);
    return depth;
}

void Spool::append(std::vector<Content> contents, WallTime now)
{
    for (auto& content : contents) {
        NW_ASSERT(content.count > 0);
        held_.push_back({.first_seq = next_seq_,
                         .count = content.count,
                         .from_us = content.from_us,
                         .until_us = content.until_us,
                         .bytes = std::move(content.bytes)});
        held_bytes_ += held_.back().bytes.size() + std::size_t(kBlockOverhead);
        next_seq_ += content.count;
    }
    note(persist());
    enforce(now);
}

void Spool::skip(std::uint64_t count, const std::string& reason, WallTime now)
{
    lost_unsaved_ = true;
    lost_.push_back({next_seq_, next_seq_ + count - 1, reason, to_us(now), to_us(now)});
    next_seq_ += count;
    note(persist());
}

// Brings what is held in memory, the counters and the losses to the disk, in one transaction.
Status Spool::persist()
{
    NW_TRY(auto transaction, sqlite::Transaction::begin(*db_));
    sqlite::Statement insert(*db_, "INSERT INTO block VALUES(?, ?, ?, ?, ?)");
    for (const auto& block : held_) {
        insert.bind(1, std::int64_t(block.first_seq)).bind(2, std::int64_t(block.count)).bind(3, block.from_us);
        NW_CHECK(insert.bind(4, block.until_us).bind_blob(5, block.bytes).run());
    }
    if (lost_unsaved_) {
        NW_CHECK(db_->execute("DELETE FROM lost"));
        for (const auto& range : lost_) NW_CHECK(write_lost(range));
    }
    NW_CHECK(write_meta());
    NW_CHECK(transaction.commit());
    stored_bytes_ += held_bytes_;
    stored_blocks_ += held_.size();
    held_.clear();
    held_bytes_ = 0;
    lost_unsaved_ = false;
    return {};
}

Status Spool::write_meta()
{
    sqlite::Statement put(*db_, "INSERT INTO meta VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value");
    NW_CHECK(put.bind(1, "stream").bind(2, std::int64_t(stream_)).run());
    NW_CHECK(put.bind(1, "next_seq").bind(2, std::int64_t(next_seq_)).run());
    return put.bind(1, "acked").bind(2, std::int64_t(acked_)).run();
}

Status Spool::write_lost(const LostRange& range)
{
    sqlite::Statement put(*db_, "INSERT INTO lost VALUES(?, ?, ?, ?, ?)");
    return put.bind(1, std::int64_t(range.first_seq))
        .bind(2, std::int64_t(range.last_seq))
        .bind(3, range.reason)
        .bind(4, range.from_us)
        .bind(5, range.until_us)
        .run();
}

Status Spool::keep_report(std::uint64_t number, std::string_view bytes)
{
    sqlite::Statement insert(*db_, "INSERT OR REPLACE INTO report VALUES(?, ?)");
    return insert.bind(1, std::int64_t(number)).bind_blob(2, bytes).run();
}

Status Spool::drop_reports(std::uint64_t last_number)
{
    sqlite::Statement remove(*db_, "DELETE FROM report WHERE number <= ?");
    return remove.bind(1, std::int64_t(last_number)).run();
}

Result<std::vector<std::string>> Spool::reports() const
{
    std::vector<std::string> found;
    sqlite::Statement select(*db_, "SELECT bytes FROM report ORDER BY number");
    for (;;) {
        NW_TRY(const bool more, select.step());
        if (!more) return found;
        found.emplace_back(select.view(0));
    }
}

void Spool::set_patience(Millis at_most) { note(db_->execute("PRAGMA busy_timeout = " + std::to_string(at_most.count()))); }

void Spool::note(const Status& status) { trouble_ = status ? std::string() : status.error().what; }

void Spool::declare_lost(const Block& block, const std::string& reason)
{
    lost_unsaved_ = true;
    if (!lost_.empty() && lost_.back().last_seq + 1 == block.first_seq && lost_.back().reason == reason) {
        lost_.back().last_seq = block.last_seq();
        lost_.back().until_us = std::max(lost_.back().until_us, block.until_us);
        return;
    }
    lost_.push_back({block.first_seq, block.last_seq(), reason, block.from_us, block.until_us});
    std::ranges::sort(lost_, {}, &LostRange::first_seq);
}

void Spool::drop_oldest_stored(const std::string& reason)
{
    sqlite::Statement oldest(
        *db_, "SELECT first_seq, count, from_us, until_us, x'', length(bytes) FROM block ORDER BY first_seq LIMIT 1");
    const auto found = oldest.step();
    if (!found || !*found) return;
    const auto block = block_of(oldest);
    const auto bytes = std::uint64_t(oldest.integer(5) + kBlockOverhead);
    oldest.reset();
    sqlite::Statement erase(*db_, "DELETE FROM block WHERE first_seq = ?");
    if (auto status = erase.bind(1, std::int64_t(block.first_seq)).run(); !status) return note(status);
    stored_bytes_ -= std::min(stored_bytes_, bytes);
    --stored_blocks_;
    declare_lost(block, reason);
}

void Spool::enforce(WallTime now)
{
    const bool before = lost_unsaved_;
    auto blocks_left = stored_blocks_;
    while (stored_blocks_ > 0 && stored_bytes_ > limits_.bytes_max) {
        drop_oldest_stored("the agent's spool was full");
        if (stored_blocks_ == blocks_left) break;  // the disk refuses even that
        blocks_left = stored_blocks_;
    }
    const auto oldest_allowed = to_us(now - limits_.age_max);
    while (stored_blocks_ > 0) {
        const auto oldest = peek(acked_, 1);
        if (oldest.empty() || oldest.front().until_us >= oldest_allowed) break;
        drop_oldest_stored("older than the agent keeps");
        if (stored_blocks_ == blocks_left) break;
        blocks_left = stored_blocks_;
    }
    while (held_bytes_ > limits_.memory_bytes_max && !held_.empty()) {
        held_bytes_ -= held_.front().bytes.size() + std::size_t(kBlockOverhead);
        declare_lost(held_.front(), "the agent's disk refused to write");
        held_.pop_front();
    }
    if (lost_unsaved_ && !before) note(persist());
}

std::vector<Block> Spool::peek(std::uint64_t after_seq, std::size_t max) const
{
    std::vector<Block> blocks;
    sqlite::Statement rows(
        *db_, "SELECT first_seq, count, from_us, until_us, bytes FROM block WHERE first_seq > ? ORDER BY first_seq LIMIT ?");
    rows.bind(1, std::int64_t(after_seq)).bind(2, std::int64_t(max));
    for (auto more = rows.step(); more && *more; more = rows.step()) blocks.push_back(block_of(rows));
    for (const auto& block : held_)
        if (blocks.size() < max && block.first_seq > after_seq) blocks.push_back(block);
    return blocks;
}

std::vector<LostRange> Spool::lost_after(std::uint64_t seq) const
{
    std::vector<LostRange> ranges;
    std::ranges::copy_if(lost_, std::back_inserter(ranges), [&](const LostRange& range) { return range.last_seq > seq; });
    return ranges;
}

void Spool::release(std::uint64_t seq)
{
    if (seq <= acked_) return;
    acked_ = std::min(seq, next_seq_ - 1);
    // Acknowledgements are cumulative and fall on the blocks' borders.
    const auto remove = [&]() -> Status {
        NW_TRY(auto transaction, sqlite::Transaction::begin(*db_));
        sqlite::Statement sum(*db_, "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM block WHERE first_seq <= ?");
        NW_TRY([[maybe_unused]] const bool row, sum.bind(1, std::int64_t(acked_)).step());
        const auto blocks = std::uint64_t(sum.integer(0));
        const auto bytes = std::uint64_t(sum.integer(1) + sum.integer(0) * kBlockOverhead);
        sum.reset();
        sqlite::Statement erase(*db_, "DELETE FROM block WHERE first_seq + count - 1 <= ?");
        NW_CHECK(erase.bind(1, std::int64_t(acked_)).run());
        sqlite::Statement forget(*db_, "DELETE FROM lost WHERE last_seq <= ?");
        NW_CHECK(forget.bind(1, std::int64_t(acked_)).run());
        NW_CHECK(write_meta());
        NW_CHECK(transaction.commit());
        stored_blocks_ -= std::min(stored_blocks_, blocks);
        stored_bytes_ -= std::min(stored_bytes_, bytes);
        return {};
    };
    note(remove());
    while (!held_.empty() && held_.front().last_seq() <= acked_) {
        held_bytes_ -= held_.front().bytes.size() + std::size_t(kBlockOverhead);
        held_.pop_front();
    }
    std::erase_if(lost_, [&](const LostRange& range) { return range.last_seq <= acked_; });
}

void Spool::restart_stream(std::uint64_t fresh_stream)
{
    release(opened_next_seq_ - 1);
    const auto by = std::int64_t(acked_);
    const auto renumber = [&](const std::string& by_text) -> Status {
        NW_TRY(auto transaction, sqlite::Transaction::begin(*db_));
        NW_CHECK(db_->execute("DELETE FROM block WHERE first_seq <= " + by_text));
        // In two steps, through numbers that are not in use: SQLite checks the key row by row.
        NW_CHECK(db_->execute("UPDATE block SET first_seq = -(first_seq - " + by_text + ")"));
        NW_CHECK(db_->execute("UPDATE block SET first_seq = -first_seq"));
        return transaction.commit();
    };
    if (auto status = renumber(std::to_string(by)); !status) return note(status);
    for (auto& block : held_) block.first_seq -= std::uint64_t(by);
    for (auto& range : lost_) {
        range.first_seq = range.first_seq > std::uint64_t(by) ? range.first_seq - std::uint64_t(by) : 1;
        range.last_seq -= std::uint64_t(by);
    }
    lost_unsaved_ = true;
    next_seq_ -= std::uint64_t(by);
    acked_ = 0;
    opened_next_seq_ = 1;
    stream_ = fresh_stream;
    note(persist());
}

}  // namespace nw::spool
