// Where samples become durable first: batches as received, one row each, and the watermark of their stream in the same
// transaction. One SQLite file per epoch, only ever appended to (its log is never moved into the file): when the rows
// of an epoch are sealed, the file is removed as a whole. A new epoch begins with all watermarks.
//
//   stream(agent, stream, watermark, begin)           begin: what the watermark was when the epoch began
//   batch(id, agent, received_us, after_seq, bytes)   rows above after_seq are new
//   lost(...)                                         declared losses, moved to state.db when the epoch is sealed
//   meta(key, value)                                  'ready': the watermarks are complete, the file counts
//
// An Intake is used by one thread at a time.
#pragma once

#include "base/result.hpp"
#include "sqlite/database.hpp"
#include "store/telemetry/telemetry.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace nw::store {

using StreamKey = std::pair<AgentId, StreamId>;
using Watermarks = std::map<StreamKey, std::uint64_t>;

class Intake {
public:
    // A file that is there, after whatever crash; nothing when it never became ready.
    static Result<std::unique_ptr<Intake>> open(const std::filesystem::path& path, std::uint64_t epoch);
    // An empty file; it counts once begin_with() has returned.
    static Result<std::unique_ptr<Intake>> create(const std::filesystem::path& path, std::uint64_t epoch);
    ~Intake();

    std::uint64_t epoch() const { return epoch_; }
    const std::filesystem::path& path() const { return path_; }
    sqlite::Database& database() { return *db_; }

    Status begin_with(const Watermarks& watermarks);
    Result<Watermarks> watermarks();
    // As the epoch found them. Batches of older epochs beyond these were never acknowledged (their commit failed and yet
    // reached the disk); their samples came again, and are in this epoch or a later one.
    Result<Watermarks> first_watermarks();

    // One transaction for a group: begin, any number of the next three, commit.
    Status begin();
    Status add_batch(AgentId agent, WallTime received_at, std::uint64_t after_seq, std::string_view bytes);
    Status add_lost(const LostSpan& span);
    Status set_watermark(const StreamKey& stream, std::uint64_t watermark);
    Status commit();
    void roll_back();

    // Every batch, in the order it was stored.
    struct Stored {
        AgentId agent{};
        WallTime received_at{};
        std::uint64_t after_seq = 0;
        std::string_view bytes{};
    };
    Status replay(const std::function<Status(const Stored&)>& use);
    Result<std::vector<LostSpan>> lost();

private:
    Intake(std::unique_ptr<sqlite::Database> db, std::filesystem::path path, std::uint64_t epoch);
    void prepare();
    Result<Watermarks> read_watermarks(std::string_view column);

    struct Statements;
    std::filesystem::path path_;
    std::uint64_t epoch_;
    std::unique_ptr<sqlite::Database> db_;
    std::unique_ptr<Statements> statements_{};
    std::optional<sqlite::Transaction> transaction_{};
};

// Removes the file and its log.
void remove_intake(const std::filesystem::path& path);

// Binds a span to an insert of (agent, stream, first, last, reason, from, until, declared).
sqlite::Statement& bind_lost(sqlite::Statement& insert, const LostSpan& span);
Result<std::vector<LostSpan>> read_lost(sqlite::Database& db);
inline constexpr auto kLostTable = "CREATE TABLE IF NOT EXISTS lost(agent INTEGER, stream INTEGER, first_seq INTEGER, "
                                   "last_seq INTEGER NOT NULL, reason TEXT NOT NULL, "
                                   "from_us INTEGER NOT NULL, until_us INTEGER NOT NULL, declared_us INTEGER NOT NULL, "
                                   "PRIMARY KEY(agent, stream, first_seq)) WITHOUT ROWID;";
inline constexpr auto kInsertLost = "INSERT OR IGNORE INTO lost VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

}  // namespace nw::store
