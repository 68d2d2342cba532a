#include "store/telemetry/intake.hpp"

#include "base/assert.hpp"
#include "store/telemetry/rules.hpp"

namespace nw::store {
namespace {

const std::string kSchema = std::string(R"(
    CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS stream(agent INTEGER, stream INTEGER, watermark INTEGER NOT NULL, begin INTEGER NOT NULL,
        PRIMARY KEY(agent, stream)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS batch(id INTEGER PRIMARY KEY, agent INTEGER NOT NULL, received_us INTEGER NOT NULL,
        after_seq INTEGER NOT NULL, bytes BLOB NOT NULL);
    PRAGMA user_version=1;)")
                            + kLostTable;

// The log is the file: see the header.
constexpr sqlite::OpenOptions kOptions{
    .page_size = 8192, .cache_kib = 1024, .checkpoint_pages = 0, .checkpoint_on_close = false};

}  // namespace

struct Intake::Statements {
    explicit Statements(sqlite::Database& db)
        : batch(db, "INSERT INTO batch(agent, received_us, after_seq, bytes) VALUES(?1, ?2, ?3, ?4)"), lost(db, kInsertLost),
          stream(db, "INSERT INTO stream VALUES(?1, ?2, ?3, 0) ON CONFLICT DO UPDATE SET watermark=excluded.watermark")
    {}
    sqlite::Statement batch;
    sqlite::Statement lost;
    sqlite::Statement stream;
};

Intake::Intake(std::unique_ptr<sqlite::Database> db, std::filesystem::path path, std::uint64_t epoch)
    : path_(std::move(path)), epoch_(epoch), db_(std::move(db))
{}

Intake::~Intake() = default;

void Intake::prepare() { statements_ = std::make_unique<Statements>(*db_); }

Result<std::unique_ptr<Intake>> Intake::open(const std::filesystem::path& path, std::uint64_t epoch)
{
    NW_TRY(auto db, sqlite::Database::open(path, kOptions));
    NW_CHECK(db->execute(kSchema));
    {
        sqlite::Statement ready(*db, "SELECT value FROM meta WHERE key='ready'");
        NW_TRY(const bool is_ready, ready.step());
        if (!is_ready) return std::unique_ptr<Intake>();
    }
    auto intake = std::unique_ptr<Intake>(new Intake(std::move(db), path, epoch));
    intake->prepare();
    return intake;
}

Result<std::unique_ptr<Intake>> Intake::create(const std::filesystem::path& path, std::uint64_t epoch)
{
    NW_TRY(auto db, sqlite::Database::open(path, kOptions));
    NW_CHECK(db->execute(kSchema));
    auto intake = std::unique_ptr<Intake>(new Intake(std::move(db), path, epoch));
    intake->prepare();
    return intake;
}

Status Intake::begin_with(const Watermarks& watermarks)
{
    NW_CHECK(begin());
    for (const auto& [stream, watermark] : watermarks) NW_CHECK(set_watermark(stream, watermark));
    NW_CHECK(db_->execute("UPDATE stream SET begin=watermark; INSERT INTO meta VALUES('ready', 1)"));
    return commit();
}

Result<Watermarks> Intake::watermarks() { return read_watermarks("watermark"); }
Result<Watermarks> Intake::first_watermarks() { return read_watermarks("begin"); }

Result<Watermarks> Intake::read_watermarks(std::string_view column)
{
    Watermarks watermarks;
    sqlite::Statement all(*db_, "SELECT agent, stream, " + std::string(column) + " FROM stream");
    for (;;) {
        NW_TRY(const bool more, all.step());
        if (!more) break;
        watermarks[{AgentId(all.integer(0)), StreamId(all.integer(1))}] = std::uint64_t(all.integer(2));
    }
    return watermarks;
}

Status Intake::begin()
{
    NW_TRY(auto transaction, sqlite::Transaction::begin(*db_));
    transaction_.emplace(std::move(transaction));
    return {};
}

Status Intake::add_batch(AgentId agent, WallTime received_at, std::uint64_t after_seq, std::string_view bytes)
{
    return statements_->batch.bind(1, std::int64_t(agent))
        .bind(2, to_us(received_at))
        .bind(3, std::int64_t(after_seq))
        .bind_blob(4, bytes)
        .run();
}

Status Intake::add_lost(const LostSpan& span) { return bind_lost(statements_->lost, span).run(); }

Status Intake::set_watermark(const StreamKey& stream, std::uint64_t watermark)
{
    return statements_->stream.bind(1, std::int64_t(stream.first))
        .bind(2, std::int64_t(stream.second))
        .bind(3, std::int64_t(watermark))
        .run();
}

Status Intake::commit()
{
    auto committed = transaction_->commit();
    transaction_.reset();
    return committed;
}

void Intake::roll_back() { transaction_.reset(); }

Status Intake::replay(const std::function<Status(const Stored&)>& use)
{
    sqlite::Statement all(*db_, "SELECT agent, received_us, after_seq, bytes FROM batch ORDER BY id");
    for (;;) {
        NW_TRY(const bool more, all.step());
        if (!more) return {};
        NW_CHECK(use({AgentId(all.integer(0)), from_us(all.integer(1)), std::uint64_t(all.integer(2)), all.view(3)}));
    }
}

Result<std::vector<LostSpan>> Intake::lost() { return read_lost(*db_); }

void remove_intake(const std::filesystem::path& path)
{
    std::error_code ignored;
    // The log first: without it the rest is an empty file, with it alone there would be something to recover.
    for (const auto* suffix : {"-wal", "-shm", ""}) std::filesystem::remove(path.string() + suffix, ignored);
}

sqlite::Statement& bind_lost(sqlite::Statement& insert, const LostSpan& span)
{
    return insert.bind(1, std::int64_t(span.agent))
        .bind(2, std::int64_t(span.stream))
        .bind(3, std::int64_t(span.first_seq))
        .bind(4, std::int64_t(span.last_seq))
        .bind(5, std::string_view(span.reason))
        .bind(6, span.from_us)
        .bind(7, span.until_us)
        .bind(8, span.declared_us);
}

Result<std::vector<LostSpan>> read_lost(sqlite::Database& db)
{
    std::vector<LostSpan> spans;
    sqlite::Statement all(db, "SELECT agent, stream, first_seq, last_seq, reason, from_us, until_us, declared_us FROM lost "
                              "ORDER BY declared_us, first_seq");
    for (;;) {
        NW_TRY(const bool more, all.step());
        if (!more) return spans;
        spans.push_back({.agent = AgentId(all.integer(0)),
                         .stream = StreamId(all.integer(1)),
                         .first_seq = std::uint64_t(all.integer(2)),
                         .last_seq = std::uint64_t(all.integer(3)),
                         .reason = all.text(4),
                         .from_us = all.integer(5),
                         .until_us = all.integer(6),
                         .declared_us = all.integer(7)});
    }
}

}  // namespace nw::store
