#include "sqlite/database.hpp"

#include "base/assert.hpp"

#include <sqlite3.h>

#include <cstdio>
#include <utility>

namespace nw::sqlite {
namespace {

Errc code_of(int sqlite_code)
{
    switch (sqlite_code & 0xff) {
    case SQLITE_CONSTRAINT: return Errc::Conflict;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::Corrupt;
    default: return Errc::Unavailable;
    }
}

std::string pragmas(const OpenOptions& options)
{
    auto sql = "PRAGMA foreign_keys=ON; PRAGMA cache_size=-" + std::to_string(options.cache_kib) + ";";
    if (options.mmap_bytes > 0) sql += " PRAGMA mmap_size=" + std::to_string(options.mmap_bytes) + ";";
    if (options.read_only || options.immutable) return sql;
    if (options.scratch)
        return "PRAGMA page_size=" + std::to_string(options.page_size)
               + "; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; " + sql;
    sql += " PRAGMA wal_autocheckpoint=" + std::to_string(options.checkpoint_pages) + ";";
    // page_size must come before journal_mode: WAL fixes it.
    return "PRAGMA page_size=" + std::to_string(options.page_size) + "; PRAGMA journal_mode=WAL; PRAGMA synchronous="
           + (options.durability == Durability::Full ? "FULL; " : "NORMAL; ") + sql;
}

// RFC 3986: everything that is not unreserved is written as %XX.
std::string immutable_uri(const std::filesystem::path& file)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string uri = "file:";
    for (const char c : file.string()) {
        const auto byte = std::uint8_t(c);
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '-' || c == '_'
            || c == '.')
            uri += c;
        else uri.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
    return uri + "?immutable=1";
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, OpenOptions options)
{
    sqlite3* raw = nullptr;
    const bool read_only = options.read_only || options.immutable;
    const int flags = SQLITE_OPEN_NOMUTEX | (options.immutable ? SQLITE_OPEN_URI : 0)
                      | (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    const auto name = options.immutable ? immutable_uri(file) : file.string();
    const int code = sqlite3_open_v2(name.c_str(), &raw, flags, nullptr);
    auto db = std::unique_ptr<Database>(new Database(raw));
    if (code != SQLITE_OK) return std::unexpected(db->error("open " + file.string()));
    if (!options.checkpoint_on_close) sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, int(options.busy_timeout.count()));
    if (auto set = db->execute(pragmas(options)); !set)
        return std::unexpected(std::move(set).error().while_doing("open " + file.string()));
    return db;
}

Database::~Database() { sqlite3_close(db_); }

Status Database::execute(const std::string& sql)
{
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return std::unexpected(error(sql.substr(0, 60)));
    return {};
}

std::int64_t Database::rows_changed() const { return sqlite3_changes64(db_); }
std::int64_t Database::last_rowid() const { return sqlite3_last_insert_rowid(db_); }

Error Database::error(std::string_view doing) const
{
    return Error{code_of(sqlite3_errcode(db_)), sqlite3_errmsg(db_), {}}.while_doing(doing);
}

Statement::Statement(Database& db, std::string_view sql) : db_(&db)
{
    const int code =
        sqlite3_prepare_v3(db.handle(), sql.data(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    if (code != SQLITE_OK) std::fprintf(stderr, "%.*s: %s\n", int(sql.size()), sql.data(), sqlite3_errmsg(db.handle()));
    NW_ASSERT(code == SQLITE_OK);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement::Statement(Statement&& other) noexcept : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)) {}

Statement& Statement::bind(int position, std::int64_t value)
{
    NW_ASSERT(sqlite3_bind_int64(statement_, position, value) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int position, double value)
{
    NW_ASSERT(sqlite3_bind_double(statement_, position, value) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int position, std::string_view text)
{
    // A null pointer would bind NULL; an empty text is a text.
    const auto* data = text.data() ? text.data() : "";
    NW_ASSERT(sqlite3_bind_text(statement_, position, data, int(text.size()), SQLITE_STATIC) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int position, std::nullptr_t)
{
    NW_ASSERT(sqlite3_bind_null(statement_, position) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind_blob(int position, std::string_view bytes)
{
    const auto* data = bytes.data() ? bytes.data() : "";
    NW_ASSERT(sqlite3_bind_blob64(statement_, position, data, bytes.size(), SQLITE_STATIC) == SQLITE_OK);
    return *this;
}

Result<bool> Statement::step()
{
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    auto error = db_->error("run a statement");
    sqlite3_reset(statement_);
    return std::unexpected(std::move(error));
}

Status Statement::run()
{
    for (;;) {
        NW_TRY(const bool more, step());
        if (!more) break;
    }
    reset();
    return {};
}

void Statement::reset() { sqlite3_reset(statement_); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }
std::string Statement::text(int column) const { return std::string(view(column)); }

std::string_view Statement::view(int column) const
{
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {data ? data : "", std::size_t(sqlite3_column_bytes(statement_, column))};
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::optional<std::int64_t> Statement::maybe_integer(int column) const
{
    if (is_null(column)) return std::nullopt;
    return integer(column);
}

std::optional<std::string> Statement::maybe_text(int column) const
{
    if (is_null(column)) return std::nullopt;
    return text(column);
}

Result<Transaction> Transaction::begin(Database& db)
{
    NW_CHECK(db.execute("BEGIN IMMEDIATE"));
    return Transaction(db);
}

Transaction::Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}

Transaction::~Transaction()
{
    if (db_ && sqlite3_get_autocommit(db_->handle()) == 0) (void)db_->execute("ROLLBACK");
}

Status Transaction::commit()
{
    NW_CHECK(db_->execute("COMMIT"));  // on failure the destructor rolls back
    db_ = nullptr;
    return {};
}

Status backup_to(Database& db, const std::filesystem::path& file)
{
    constexpr int kPagesPerStep = 256;
    // A target in WAL mode cannot change its page size any more: it is opened with the source's.
    Statement page_size(db, "PRAGMA page_size");
    NW_TRY([[maybe_unused]] const bool row, page_size.step());
    OpenOptions like_source;
    like_source.page_size = std::int32_t(page_size.integer(0));
    page_size.reset();
    NW_TRY(auto target, Database::open(file, like_source));
    auto* backup = sqlite3_backup_init(target->handle(), "main", db.handle(), "main");
    if (!backup) return std::unexpected(target->error("back up to " + file.string()));
    int code = SQLITE_OK;
    while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED)
        code = sqlite3_backup_step(backup, kPagesPerStep);
    sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE) return std::unexpected(target->error("back up to " + file.string()));
    return {};
}

}  // namespace nw::sqlite
