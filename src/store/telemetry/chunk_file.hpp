// A SQLite file of chunks of one probe kind and one UTC day. Two sorts, one schema: an open file takes the chunks of
// each sealing as long as the day may still grow (WAL); a closed file is what compaction made of them, one run of
// chunks per probe, written once and never changed.
//
//   seal(seal, epoch, min_us, max_us, rows)                one row per sealing; epoch: intake files up to it are included
//   chunk(seal, probe, part, t0, t1, n, hot, rest, hist)   parts of a probe follow each other in time
//   summary(seal, first_probe, data)                       open files: hourly aggregates of up to 128 probes together
//
// A ChunkFile is shared by everybody who reads it and disappears from disk with its last user once doomed.
#pragma once

#include "base/result.hpp"
#include "model/kind.hpp"
#include "quality/aggregate.hpp"
#include "sqlite/database.hpp"
#include "store/telemetry/chunk.hpp"
#include "store/telemetry/telemetry.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace nw::store {

struct Seal {
    std::int64_t number = 0;
    std::uint64_t epoch = 0;
    std::int64_t min_us = 0;
    std::int64_t max_us = 0;
    std::int64_t rows = 0;
};

struct ChunkRef {
    std::int64_t seal = 0;
    std::int64_t part = 0;
    std::int64_t t0_us = 0;
    std::int64_t t1_us = 0;
};

class ChunkFile {
public:
    enum class Sort : std::uint8_t { Open, Closed };

    ChunkFile(std::filesystem::path path, Sort sort);
    ~ChunkFile();
    ChunkFile(const ChunkFile&) = delete;
    ChunkFile& operator=(const ChunkFile&) = delete;

    const std::filesystem::path& path() const { return path_; }
    void doom() { doomed_ = true; }

    // A consistent look at the file. Keeps the file alive; used by one thread.
    class Snapshot;
    static Result<std::unique_ptr<Snapshot>> snapshot(std::shared_ptr<ChunkFile> file);

private:
    struct Connection;
    std::unique_ptr<Connection> borrow();
    void give_back(std::unique_ptr<Connection> connection);
    Result<std::unique_ptr<Connection>> connect() const;

    std::filesystem::path path_;
    Sort sort_;
    std::atomic<bool> doomed_{false};
    std::mutex mutex_{};
    std::vector<std::unique_ptr<Connection>> idle_;
};

class ChunkFile::Snapshot {
public:
    Snapshot(std::shared_ptr<ChunkFile> file, std::unique_ptr<Connection> connection);
    ~Snapshot();

    const std::vector<Seal>& seals() const { return seals_; }
    // Intake files up to this one are in here.
    std::uint64_t epoch() const;

    // Chunks of the probe that touch the range, ordered by seal and time.
    using Use = std::function<Status(const ChunkView&)>;
    Status chunks(ProbeId probe, TimeRange range, const Use& use);
    Status list(ProbeId probe, TimeRange range, std::vector<ChunkRef>& out);
    Status load(ProbeId probe, const ChunkRef& ref, const Use& use);
    // Blocks of hourly summaries that may hold probes of [first, last].
    using UseSummary = std::function<Status(std::string_view)>;
    Status summaries(std::int64_t seal, ProbeId first, ProbeId last, const UseSummary& use);
    // The probes of one sealing, ascending.
    Result<std::vector<ProbeId>> probes(std::int64_t seal);

private:
    friend class ChunkFile;
    Status begin();

    std::shared_ptr<ChunkFile> file_;
    std::unique_ptr<Connection> connection_;
    std::vector<Seal> seals_{};
};

// Writes one sealing into a file, in one transaction. Probes come in ascending order.
class SealWriter {
public:
    static Result<std::unique_ptr<SealWriter>> open(const std::filesystem::path& path, ChunkFile::Sort sort,
                                                    const Kind& kind);
    ~SealWriter();

    // Of what was committed before, here or in the file that this one continues.
    std::uint64_t epoch() const { return epoch_; }
    void raise_epoch(std::uint64_t epoch) { epoch_ = std::max(epoch_, epoch); }
    // Rows of one probe, in order of position.
    Status add(Codec& codec, ProbeId probe, const StoredRows& rows);
    // `hours` are pairs of hours since the epoch and their sums.
    Status add_summary(ProbeId probe, std::span<const std::pair<std::uint32_t, quality::Aggregate>> hours);
    std::int64_t rows() const { return seal_.rows; }
    // Durable afterwards (for a closed file: once it is synced and renamed, which is the caller's).
    Status commit(std::uint64_t epoch);

private:
    SealWriter(std::unique_ptr<sqlite::Database> db, const Kind& kind);
    Status prepare(ChunkFile::Sort sort);
    Status flush_summaries();

    std::unique_ptr<sqlite::Database> db_;
    const Kind& kind_;
    struct Statements;
    std::unique_ptr<Statements> statements_;
    std::optional<sqlite::Transaction> transaction_{};
    Seal seal_{};
    std::uint64_t epoch_ = 0;
    std::string summaries_{};
    std::size_t summary_probes_ = 0;
    ProbeId first_probe_{};
    std::uint64_t last_probe_ = 0;
};

// Takes the (hour, aggregate) pairs of each probe out of a summary block.
Status read_summaries(const Kind& kind, std::string_view block, const std::function<bool(ProbeId)>& wanted,
                      quality::Histograms histograms,
                      const std::function<void(ProbeId, std::int64_t, quality::Aggregate&&)>& use);

}  // namespace nw::store
