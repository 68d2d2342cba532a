#include "store/telemetry/chunk_file.hpp"

#include "base/assert.hpp"
#include "base/varint.hpp"
#include "store/telemetry/crc32c.hpp"
#include "store/telemetry/rules.hpp"

#include <algorithm>
#include <utility>

namespace nw::store {
namespace {

constexpr std::size_t kProbesPerSummary = 128;

constexpr auto kSchema = R"(
    CREATE TABLE IF NOT EXISTS seal(seal INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, min_us INTEGER NOT NULL,
        max_us INTEGER NOT NULL, rows INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS chunk(seal INTEGER, probe INTEGER, part INTEGER, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL,
        n INTEGER NOT NULL, hot BLOB NOT NULL, rest BLOB NOT NULL, hist BLOB NOT NULL,
        PRIMARY KEY(seal, probe, part)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS summary(seal INTEGER, first_probe INTEGER, data BLOB NOT NULL,
        PRIMARY KEY(seal, first_probe)) WITHOUT ROWID;
    PRAGMA user_version=1;)";

std::int64_t sql_id(ProbeId probe) { return std::int64_t(probe); }

ChunkView chunk_of(const sqlite::Statement& row, int first)
{
    return {std::uint32_t(row.integer(first)), row.view(first + 1), row.view(first + 2), row.view(first + 3)};
}

}  // namespace

struct ChunkFile::Connection {
    explicit Connection(std::unique_ptr<sqlite::Database> opened) : db(std::move(opened)) {}

    std::unique_ptr<sqlite::Database> db;
    sqlite::Statement seals{*db, "SELECT seal, epoch, min_us, max_us, rows FROM seal ORDER BY seal"};
    sqlite::Statement chunks{
        *db, "SELECT n, hot, rest, hist FROM chunk WHERE seal=?1 AND probe=?2 AND t0<?4 AND t1>=?3 ORDER BY part"};
    sqlite::Statement list{*db,
                           "SELECT part, t0, t1 FROM chunk WHERE seal=?1 AND probe=?2 AND t0<?4 AND t1>=?3 ORDER BY part"};
    sqlite::Statement load{*db, "SELECT n, hot, rest, hist FROM chunk WHERE seal=?1 AND probe=?2 AND part=?3"};
    sqlite::Statement probes{*db, "SELECT DISTINCT probe FROM chunk WHERE seal=?1 ORDER BY probe"};
    sqlite::Statement summaries{
        *db, "SELECT data FROM summary WHERE seal=?1 AND first_probe<=?3 AND first_probe>="
             "coalesce((SELECT max(first_probe) FROM summary WHERE seal=?1 AND first_probe<=?2), 0) ORDER BY first_probe"};
};

ChunkFile::ChunkFile(std::filesystem::path path, Sort sort) : path_(std::move(path)), sort_(sort) {}

ChunkFile::~ChunkFile()
{
    idle_.clear();
    if (!doomed_) return;
    std::error_code ignored;
    for (const auto* suffix : {"-wal", "-shm", ""}) std::filesystem::remove(path_.string() + suffix, ignored);
}

Result<std::unique_ptr<ChunkFile::Connection>> ChunkFile::connect() const
{
    NW_TRY(auto db,
           sqlite::Database::open(
               path_, {.read_only = true, .cache_kib = 256, .mmap_bytes = 1LL << 40, .immutable = sort_ == Sort::Closed}));
    return std::make_unique<Connection>(std::move(db));
}

std::unique_ptr<ChunkFile::Connection> ChunkFile::borrow()
{
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
}

void ChunkFile::give_back(std::unique_ptr<Connection> connection)
{
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
}

Result<std::unique_ptr<ChunkFile::Snapshot>> ChunkFile::snapshot(std::shared_ptr<ChunkFile> file)
{
    auto connection = file->borrow();
    if (!connection) {
        NW_TRY(connection, file->connect());
    }
    auto snapshot = std::make_unique<Snapshot>(std::move(file), std::move(connection));
    NW_CHECK(snapshot->begin());
    return snapshot;
}

ChunkFile::Snapshot::Snapshot(std::shared_ptr<ChunkFile> file, std::unique_ptr<Connection> connection)
    : file_(std::move(file)), connection_(std::move(connection))
{}

ChunkFile::Snapshot::~Snapshot()
{
    if (connection_->db->execute("COMMIT")) file_->give_back(std::move(connection_));
}

Status ChunkFile::Snapshot::begin()
{
    NW_CHECK(connection_->db->execute("BEGIN"));
    auto& query = connection_->seals;
    for (;;) {
        NW_TRY(const bool more, query.step());
        if (!more) break;
        seals_.push_back(
            {query.integer(0), std::uint64_t(query.integer(1)), query.integer(2), query.integer(3), query.integer(4)});
    }
    query.reset();
    return {};
}

std::uint64_t ChunkFile::Snapshot::epoch() const
{
    std::uint64_t epoch = 0;
    for (const auto& seal : seals_) epoch = std::max(epoch, seal.epoch);
    return epoch;
}

Status ChunkFile::Snapshot::chunks(ProbeId probe, TimeRange range, const Use& use)
{
    auto& query = connection_->chunks;
    for (const auto& seal : seals_) {
        if (seal.max_us < range.from_us || seal.min_us >= range.until_us) continue;
        query.bind(1, seal.number).bind(2, sql_id(probe)).bind(3, range.from_us).bind(4, range.until_us);
        for (;;) {
            NW_TRY(const bool more, query.step());
            if (!more) break;
            if (auto used = use(chunk_of(query, 0)); !used) {
                query.reset();
                return used;
            }
        }
        query.reset();
    }
    return {};
}

Status ChunkFile::Snapshot::list(ProbeId probe, TimeRange range, std::vector<ChunkRef>& out)
{
    auto& query = connection_->list;
    for (const auto& seal : seals_) {
        if (seal.max_us < range.from_us || seal.min_us >= range.until_us) continue;
        query.bind(1, seal.number).bind(2, sql_id(probe)).bind(3, range.from_us).bind(4, range.until_us);
        for (;;) {
            NW_TRY(const bool more, query.step());
            if (!more) break;
            out.push_back({seal.number, query.integer(0), query.integer(1), query.integer(2)});
        }
        query.reset();
    }
    return {};
}

Status ChunkFile::Snapshot::load(ProbeId probe, const ChunkRef& ref, const Use& use)
{
    auto& query = connection_->load;
    query.bind(1, ref.seal).bind(2, sql_id(probe)).bind(3, ref.part);
    NW_TRY(const bool found, query.step());
    auto used = found ? use(chunk_of(query, 0)) : Status{};
    query.reset();
    return used;
}

Result<std::vector<ProbeId>> ChunkFile::Snapshot::probes(std::int64_t seal)
{
    std::vector<ProbeId> found;
    auto& query = connection_->probes;
    query.bind(1, seal);
    for (;;) {
        NW_TRY(const bool more, query.step());
        if (!more) break;
        found.push_back(ProbeId(query.integer(0)));
    }
    query.reset();
    return found;
}

Status ChunkFile::Snapshot::summaries(std::int64_t seal, ProbeId first, ProbeId last, const UseSummary& use)
{
    auto& query = connection_->summaries;
    query.bind(1, seal).bind(2, sql_id(first)).bind(3, sql_id(last));
    for (;;) {
        NW_TRY(const bool more, query.step());
        if (!more) break;
        if (auto used = use(query.view(0)); !used) {
            query.reset();
            return used;
        }
    }
    query.reset();
    return {};
}

struct SealWriter::Statements {
    explicit Statements(sqlite::Database& db)
        : chunk(db, "INSERT INTO chunk VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
          summary(db, "INSERT INTO summary VALUES(?1, ?2, ?3)"), seal(db, "INSERT INTO seal VALUES(?1, ?2, ?3, ?4, ?5)")
    {}
    sqlite::Statement chunk;
    sqlite::Statement summary;
    sqlite::Statement seal;
};

SealWriter::SealWriter(std::unique_ptr<sqlite::Database> db, const Kind& kind) : db_(std::move(db)), kind_(kind) {}
SealWriter::~SealWriter() = default;

Result<std::unique_ptr<SealWriter>> SealWriter::open(const std::filesystem::path& path, ChunkFile::Sort sort,
                                                     const Kind& kind)
{
    const bool closed = sort == ChunkFile::Sort::Closed;
    NW_TRY(auto db,
           sqlite::Database::open(path, {.page_size = closed ? 4096 : 16384, .cache_kib = 4096, .scratch = closed}));
    auto writer = std::unique_ptr<SealWriter>(new SealWriter(std::move(db), kind));
    NW_CHECK(writer->prepare(sort));
    return writer;
}

Status SealWriter::prepare(ChunkFile::Sort)
{
    NW_CHECK(db_->execute(kSchema));
    NW_TRY(auto transaction, sqlite::Transaction::begin(*db_));
    transaction_.emplace(std::move(transaction));
    statements_ = std::make_unique<Statements>(*db_);
    sqlite::Statement last(*db_, "SELECT coalesce(max(seal), 0), coalesce(max(epoch), 0) FROM seal");
    NW_CHECK(last.step());
    seal_.number = last.integer(0) + 1;
    epoch_ = std::uint64_t(last.integer(1));
    return {};
}

Status SealWriter::add(Codec& codec, ProbeId probe, const StoredRows& rows)
{
    std::int64_t part = 0;
    const auto write = [&](const StoredRows& piece) -> Status {
        const auto chunk = encode_chunk(codec, piece);
        seal_.min_us = seal_.rows == 0 ? chunk.t0_us : std::min(seal_.min_us, chunk.t0_us);
        seal_.max_us = std::max(seal_.max_us, chunk.t1_us);
        seal_.rows += chunk.rows;
        statements_->chunk.bind(1, seal_.number)
            .bind(2, sql_id(probe))
            .bind(3, part++)
            .bind(4, chunk.t0_us)
            .bind(5, chunk.t1_us)
            .bind(6, std::int64_t(chunk.rows))
            .bind_blob(7, chunk.hot)
            .bind_blob(8, chunk.rest)
            .bind_blob(9, chunk.histograms);
        return statements_->chunk.run();
    };
    if (chunk_rows(rows, 0) == rows.size()) return write(rows);
    for (std::size_t begin = 0; begin < rows.size();) {
        auto piece = make_stored_rows(kind_);
        const auto end = begin + chunk_rows(rows, begin);
        for (; begin < end; ++begin) append_row(piece, rows, begin);
        NW_CHECK(write(piece));
    }
    return {};
}

Status SealWriter::add_summary(ProbeId probe, std::span<const std::pair<std::uint32_t, quality::Aggregate>> hours)
{
    if (summary_probes_ == 0) {
        first_probe_ = probe;
        last_probe_ = 0;
    }
    put_varint(summaries_, std::uint64_t(probe) - last_probe_);
    put_varint(summaries_, hours.size());
    for (const auto& [hour, aggregate] : hours) {
        put_varint(summaries_, std::uint64_t(hour));
        encode(kind_, aggregate, summaries_);
    }
    last_probe_ = std::uint64_t(probe);
    return ++summary_probes_ == kProbesPerSummary ? flush_summaries() : Status{};
}

Status SealWriter::flush_summaries()
{
    if (summary_probes_ == 0) return {};
    const auto crc = crc32c(summaries_);
    for (int i = 0; i < 4; ++i) summaries_ += char(crc >> (8 * i));
    statements_->summary.bind(1, seal_.number).bind(2, sql_id(first_probe_)).bind_blob(3, summaries_);
    auto written = statements_->summary.run();
    summaries_.clear();
    summary_probes_ = 0;
    return written;
}

Status SealWriter::commit(std::uint64_t epoch)
{
    NW_CHECK(flush_summaries());
    statements_->seal.bind(1, seal_.number)
        .bind(2, std::int64_t(epoch))
        .bind(3, seal_.min_us)
        .bind(4, seal_.max_us)
        .bind(5, seal_.rows);
    NW_CHECK(statements_->seal.run());
    return transaction_->commit();
}

Status read_summaries(const Kind& kind, std::string_view block, const std::function<bool(ProbeId)>& wanted,
                      quality::Histograms histograms,
                      const std::function<void(ProbeId, std::int64_t, quality::Aggregate&&)>& use)
{
    const auto corrupt = [] { return fail(Errc::Corrupt, "summary: cut short or altered"); };
    if (block.size() < 4) return corrupt();
    auto in = block.substr(0, block.size() - 4);
    const auto crc = crc32c(in);
    for (std::size_t i = 0; i < 4; ++i)
        if (std::uint8_t(block[in.size() + i]) != std::uint8_t(crc >> (8 * i))) return corrupt();
    std::uint64_t probe = 0;
    while (!in.empty()) {
        const auto delta = take_varint(in);
        const auto hours = take_varint(in);
        if (!delta || !hours) return corrupt();
        probe += *delta;
        const bool want = wanted(ProbeId(probe));
        for (std::uint64_t i = 0; i < *hours; ++i) {
            const auto hour = take_varint(in);
            if (!hour) return corrupt();
            if (want) {
                NW_TRY(auto aggregate, quality::decode_aggregate(kind, in, histograms));
                use(ProbeId(probe), std::int64_t(*hour), std::move(aggregate));
                continue;
            }
            const auto length = take_varint(in);
            if (!length || *length > in.size()) return corrupt();
            in.remove_prefix(*length);
        }
    }
    return {};
}

}  // namespace nw::store
