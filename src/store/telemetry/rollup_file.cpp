#include "store/telemetry/rollup_file.hpp"

#include "base/varint.hpp"
#include "store/telemetry/crc32c.hpp"

#include <algorithm>

namespace nw::store {
namespace {

constexpr std::uint32_t kRollupTag = 1;
// From how many probes on one pass over the day is quicker than a search for each.
constexpr std::size_t kScanProbesMin = 500;

constexpr auto kSchema = R"(
    CREATE TABLE IF NOT EXISTS day(day INTEGER PRIMARY KEY, generation INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS rollup(day INTEGER, probe INTEGER, data BLOB NOT NULL, PRIMARY KEY(day, probe)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS total(day INTEGER, probe INTEGER, data BLOB NOT NULL, PRIMARY KEY(day, probe)) WITHOUT ROWID;
    PRAGMA user_version=1;)";

auto corrupt() { return fail(Errc::Corrupt, "roll-up: cut short or altered"); }

Result<quality::Aggregate> read_total(const Kind& kind, std::string_view bytes, quality::Histograms histograms)
{
    if (bytes.size() < 4) return corrupt();
    auto in = bytes.substr(0, bytes.size() - 4);
    const auto crc = crc32c(in);
    for (std::size_t i = 0; i < 4; ++i)
        if (std::uint8_t(bytes[in.size() + i]) != std::uint8_t(crc >> (8 * i))) return corrupt();
    return quality::decode_aggregate(kind, in, histograms);
}

}  // namespace

struct RollupFile::Connection {
    explicit Connection(std::unique_ptr<sqlite::Database> opened) : db(std::move(opened)) {}

    std::unique_ptr<sqlite::Database> db;
    sqlite::Statement days{*db, "SELECT day, generation FROM day"};
    sqlite::Statement rollup{*db, "SELECT data FROM rollup WHERE day=?1 AND probe=?2"};
    sqlite::Statement total{*db, "SELECT data FROM total WHERE day=?1 AND probe=?2"};
    sqlite::Statement totals{*db, "SELECT probe, data FROM total WHERE day=?1 AND probe BETWEEN ?2 AND ?3 ORDER BY probe"};
};

RollupFile::RollupFile(std::filesystem::path path) : path_(std::move(path)) {}

RollupFile::~RollupFile()
{
    idle_.clear();
    if (!doomed_) return;
    std::error_code ignored;
    for (const auto* suffix : {"-wal", "-shm", ""}) std::filesystem::remove(path_.string() + suffix, ignored);
}

Status RollupFile::repair(const std::filesystem::path& path)
{
    NW_TRY(const auto db, sqlite::Database::open(path));
    return db->execute(kSchema);
}

Result<std::unique_ptr<RollupFile::Snapshot>> RollupFile::snapshot(std::shared_ptr<RollupFile> file)
{
    std::unique_ptr<Connection> connection;
    {
        const std::lock_guard lock(file->mutex_);
        if (!file->idle_.empty()) {
            connection = std::move(file->idle_.back());
            file->idle_.pop_back();
        }
    }
    if (!connection) {
        NW_TRY(auto db, sqlite::Database::open(file->path_, {.read_only = true, .cache_kib = 512, .mmap_bytes = 1LL << 40}));
        connection = std::make_unique<Connection>(std::move(db));
    }
    auto snapshot = std::make_unique<Snapshot>(std::move(file), std::move(connection));
    NW_CHECK(snapshot->begin());
    return snapshot;
}

RollupFile::Snapshot::Snapshot(std::shared_ptr<RollupFile> file, std::unique_ptr<Connection> connection)
    : file_(std::move(file)), connection_(std::move(connection))
{}

RollupFile::Snapshot::~Snapshot()
{
    if (!connection_->db->execute("COMMIT")) return;
    const std::lock_guard lock(file_->mutex_);
    file_->idle_.push_back(std::move(connection_));
}

Status RollupFile::Snapshot::begin()
{
    NW_CHECK(connection_->db->execute("BEGIN"));
    auto& query = connection_->days;
    for (;;) {
        NW_TRY(const bool more, query.step());
        if (!more) break;
        days_[query.integer(0)] = std::uint64_t(query.integer(1));
    }
    query.reset();
    return {};
}

Result<Rollups> RollupFile::Snapshot::read(Codec& codec, const Kind& kind, std::int64_t day, ProbeId probe)
{
    auto& query = connection_->rollup;
    query.bind(1, day).bind(2, std::int64_t(probe));
    NW_TRY(const bool found, query.step());
    if (!found) {
        query.reset();
        return Rollups{};
    }
    auto frame = codec.unpack(query.view(0));
    query.reset();
    if (!frame) return std::unexpected(std::move(frame).error());
    auto in = frame->section(kRollupTag);
    Rollups rollups;
    std::uint64_t index = 0;
    while (!in.empty()) {
        const auto delta = take_varint(in);
        if (!delta || *delta > 288 || (index += *delta) > 288) return corrupt();
        NW_TRY(auto aggregate, quality::decode_aggregate(kind, in));
        rollups.emplace_back(std::uint32_t(index), std::move(aggregate));
    }
    return rollups;
}

Status RollupFile::Snapshot::totals(const Kind& kind, std::int64_t day, const std::vector<ProbeId>& wanted,
                                    quality::Histograms histograms, const UseTotal& use)
{
    if (wanted.size() < kScanProbesMin) return seek_totals(kind, day, wanted, histograms, use);
    auto& query = connection_->totals;
    query.bind(1, day).bind(2, std::int64_t(wanted.front())).bind(3, std::int64_t(wanted.back()));
    std::size_t next = 0;
    for (;;) {
        NW_TRY(const bool more, query.step());
        if (!more) break;
        const auto probe = ProbeId(query.integer(0));
        while (next < wanted.size() && wanted[next] < probe) ++next;
        if (next == wanted.size()) break;
        if (wanted[next] != probe) continue;
        auto total = read_total(kind, query.view(1), histograms);
        if (!total) {
            query.reset();
            return std::unexpected(std::move(total).error());
        }
        use(next, *std::move(total));
    }
    query.reset();
    return {};
}

Status RollupFile::Snapshot::seek_totals(const Kind& kind, std::int64_t day, const std::vector<ProbeId>& wanted,
                                         quality::Histograms histograms, const UseTotal& use)
{
    auto& query = connection_->total;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        query.bind(1, day).bind(2, std::int64_t(wanted[i]));
        NW_TRY(const bool found, query.step());
        auto total = found ? read_total(kind, query.view(0), histograms) : Result<quality::Aggregate>(quality::Aggregate{});
        query.reset();
        if (!total) return std::unexpected(std::move(total).error());
        if (found) use(i, *std::move(total));
    }
    return {};
}

struct RollupWriter::Statements {
    explicit Statements(sqlite::Database& db)
        : rollup(db, "INSERT OR REPLACE INTO rollup VALUES(?1, ?2, ?3)"),
          total(db, "INSERT OR REPLACE INTO total VALUES(?1, ?2, ?3)"),
          no_rollup(db, "DELETE FROM rollup WHERE day=?1 AND probe=?2"),
          no_total(db, "DELETE FROM total WHERE day=?1 AND probe=?2")
    {}
    sqlite::Statement rollup;
    sqlite::Statement total;
    sqlite::Statement no_rollup;
    sqlite::Statement no_total;
};

RollupWriter::RollupWriter(std::unique_ptr<sqlite::Database> db, std::int64_t day) : db_(std::move(db)), day_(day) {}
RollupWriter::~RollupWriter() = default;

Result<std::unique_ptr<RollupWriter>> RollupWriter::open(const std::filesystem::path& path, std::int64_t day,
                                                         std::uint64_t generation)
{
    NW_TRY(auto db, sqlite::Database::open(path, {.cache_kib = 4096}));
    auto writer = std::unique_ptr<RollupWriter>(new RollupWriter(std::move(db), day));
    NW_CHECK(writer->prepare(generation));
    return writer;
}

Status RollupWriter::prepare(std::uint64_t generation)
{
    NW_CHECK(db_->execute(kSchema));
    NW_TRY(auto transaction, sqlite::Transaction::begin(*db_));
    transaction_.emplace(std::move(transaction));
    sqlite::Statement mark(*db_, "INSERT OR REPLACE INTO day VALUES(?1, ?2)");
    NW_CHECK(mark.bind(1, day_).bind(2, std::int64_t(generation)).run());
    statements_ = std::make_unique<Statements>(*db_);
    return {};
}

Status RollupWriter::add(Codec& codec, const Kind& kind, ProbeId probe, std::span<const Bucketed> rollups)
{
    std::string bytes;
    std::uint32_t last = 0;
    for (const auto& [index, aggregate] : rollups) {
        put_varint(bytes, index - last);
        encode(kind, aggregate, bytes);
        last = index;
    }
    const auto frame = codec.pack({{kRollupTag, std::move(bytes)}});
    return statements_->rollup.bind(1, day_).bind(2, std::int64_t(probe)).bind_blob(3, frame).run();
}

Status RollupWriter::add_total(const Kind& kind, ProbeId probe, const quality::Aggregate& total)
{
    std::string bytes;
    encode(kind, total, bytes);
    const auto crc = crc32c(bytes);
    for (int i = 0; i < 4; ++i) bytes += char(crc >> (8 * i));
    return statements_->total.bind(1, day_).bind(2, std::int64_t(probe)).bind_blob(3, bytes).run();
}

Status RollupWriter::remove(ProbeId probe)
{
    NW_CHECK(statements_->no_rollup.bind(1, day_).bind(2, std::int64_t(probe)).run());
    return statements_->no_total.bind(1, day_).bind(2, std::int64_t(probe)).run();
}

Status RollupWriter::commit() { return transaction_->commit(); }

Status forget_rollups(const std::filesystem::path& path, std::span<const std::pair<ProbeId, std::int64_t>> first_days)
{
    NW_TRY(auto db, sqlite::Database::open(path, {.cache_kib = 4096}));
    NW_TRY(auto transaction, sqlite::Transaction::begin(*db));
    std::vector<std::int64_t> days;
    sqlite::Statement known(*db, "SELECT day FROM day");
    for (;;) {
        NW_TRY(const bool more, known.step());
        if (!more) break;
        days.push_back(known.integer(0));
    }
    for (const auto* table : {"rollup", "total"}) {
        sqlite::Statement forget(*db, std::string("DELETE FROM ") + table + " WHERE day=?1 AND probe=?2");
        for (const auto& [probe, first] : first_days)
            for (const auto day : days)
                if (day < first) NW_CHECK(forget.bind(1, day).bind(2, std::int64_t(probe)).run());
    }
    NW_CHECK(transaction.commit());
    sqlite::Statement room(*db, "SELECT (SELECT freelist_count FROM pragma_freelist_count) * 4 > "
                                "(SELECT page_count FROM pragma_page_count)");
    NW_TRY(const bool measured, room.step());
    const bool much = measured && room.integer(0) != 0;
    room.reset();
    return much ? db->execute("VACUUM") : Status{};
}

}  // namespace nw::store
