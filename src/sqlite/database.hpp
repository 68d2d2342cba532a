// Thin RAII over the SQLite C API, for the agent's spool and the controller's stores: nothing else includes
// sqlite3.h. Every call blocks; callers run it on a pool (base/run_on.hpp) or a thread of their own. A Database
// and its statements are used by one thread at a time.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace nw::sqlite {

enum class Durability : std::uint8_t {
    Full,    // a commit survives power loss
    Normal,  // a commit survives a crash of the process; power loss may undo the last ones
};

struct OpenOptions {
    Durability durability = Durability::Full;
    bool read_only = false;
    std::int32_t page_size = 4096;  // only for a new file
    std::chrono::milliseconds busy_timeout{5000};
    std::int32_t cache_kib = 2048;
    std::int64_t mmap_bytes = 0;
    // Pages after which a commit also moves the log into the file; 0: never, for files that are short-lived.
    std::int32_t checkpoint_pages = 1000;
    bool checkpoint_on_close = true;
    // A file that is being built: no journal, no syncs; the caller syncs it before anybody relies on it.
    bool scratch = false;
    // A finished file that nobody will write again: read without locks. Implies read_only.
    bool immutable = false;
};

class Database {
public:
    // Opens or creates the file in WAL mode with foreign keys on. ":memory:" is for tests.
    static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, OpenOptions options = {});
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // Runs one or more statements that return nothing.
    Status execute(const std::string& sql);
    std::int64_t rows_changed() const;
    std::int64_t last_rowid() const;
    Error error(std::string_view doing) const;
    sqlite3* handle() const { return db_; }

private:
    explicit Database(sqlite3* db) : db_(db) {}
    sqlite3* db_;
};

// A prepared statement. SQL text is part of the program: text that does not compile is an assertion. Blobs and
// texts that are bound must stay alive until the next reset.
class Statement {
public:
    Statement(Database& db, std::string_view sql);
    ~Statement();
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    // Positions count from 1.
    Statement& bind(int position, std::int64_t value);
    Statement& bind(int position, double value);
    Statement& bind(int position, std::string_view text);
    Statement& bind(int position, const char* text) { return bind(position, std::string_view(text)); }
    Statement& bind(int position, std::nullptr_t);
    Statement& bind_blob(int position, std::string_view bytes);
    template <class T>
    Statement& bind(int position, const std::optional<T>& value)
    {
        return value ? bind(position, *value) : bind(position, nullptr);
    }

    // True while there is a row to read.
    Result<bool> step();
    // Runs to the end and resets: for statements that return nothing.
    Status run();
    void reset();

    // Columns count from 0.
    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string text(int column) const;
    // Valid until the next step or reset.
    std::string_view view(int column) const;
    bool is_null(int column) const;
    std::optional<std::int64_t> maybe_integer(int column) const;
    std::optional<std::string> maybe_text(int column) const;

private:
    Database* db_;
    sqlite3_stmt* statement_ = nullptr;
};

// Rolls back unless committed.
class Transaction {
public:
    static Result<Transaction> begin(Database& db);
    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    Status commit();

private:
    explicit Transaction(Database& db) : db_(&db) {}
    Database* db_;
};

// Copies a live database into `file` by SQLite's backup API; readers and writers go on meanwhile.
Status backup_to(Database& db, const std::filesystem::path& file);

}  // namespace nw::sqlite
