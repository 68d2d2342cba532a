// A SQLite file of roll-ups of one probe kind, month and width (5 minutes or 1 hour), keyed by (day, probe). Written by
// compaction, a whole day at a time; each day names the closed chunk file (its generation) it was computed from, so
// that readers can tell roll-ups that match the chunks they see.
//
//   day(day, generation)
//   rollup(day, probe, data)   frame of (index of the bucket within the day, aggregate)*
//   total(day, probe, data)    1-hour files: the aggregate of the whole day and its CRC-32C
#pragma once

#include "base/result.hpp"
#include "model/kind.hpp"
#include "quality/aggregate.hpp"
#include "sqlite/database.hpp"
#include "store/telemetry/frame.hpp"
#include "store/telemetry/telemetry.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace nw::store {

// What was summed up, and the index of its bucket.
using Bucketed = std::pair<std::uint32_t, quality::Aggregate>;
using Rollups = std::vector<Bucketed>;

class RollupFile {
public:
    explicit RollupFile(std::filesystem::path path);
    ~RollupFile();
    RollupFile(const RollupFile&) = delete;
    RollupFile& operator=(const RollupFile&) = delete;

    const std::filesystem::path& path() const { return path_; }
    void doom() { doomed_ = true; }
    // Makes the tables where a crash came between the creation of the file and theirs.
    static Status repair(const std::filesystem::path& path);

    class Snapshot;
    static Result<std::unique_ptr<Snapshot>> snapshot(std::shared_ptr<RollupFile> file);

private:
    struct Connection;
    std::filesystem::path path_;
    std::atomic<bool> doomed_{false};
    std::mutex mutex_{};
    std::vector<std::unique_ptr<Connection>> idle_;
};

class RollupFile::Snapshot {
public:
    Snapshot(std::shared_ptr<RollupFile> file, std::unique_ptr<Connection> connection);
    ~Snapshot();

    // Days that have roll-ups, with the generation each was computed from.
    const std::map<std::int64_t, std::uint64_t>& days() const { return days_; }
    // Nothing when the probe has no samples on that day.
    Result<Rollups> read(Codec& codec, const Kind& kind, std::int64_t day, ProbeId probe);
    // Totals of a day for the wanted probes, which are ascending; all of them in one pass when there are many.
    using UseTotal = std::function<void(std::size_t index, quality::Aggregate&&)>;
    Status totals(const Kind& kind, std::int64_t day, const std::vector<ProbeId>& wanted, quality::Histograms histograms,
                  const UseTotal& use);

private:
    friend class RollupFile;
    Status begin();
    Status seek_totals(const Kind& kind, std::int64_t day, const std::vector<ProbeId>& wanted,
                       quality::Histograms histograms, const UseTotal& use);

    std::shared_ptr<RollupFile> file_;
    std::unique_ptr<Connection> connection_;
    std::map<std::int64_t, std::uint64_t> days_{};
};

// Removes what each probe has of days before the one that is given with it, and gives the room back when it is much.
Status forget_rollups(const std::filesystem::path& path, std::span<const std::pair<ProbeId, std::int64_t>> first_days);

// Replaces the roll-ups of one day, in one transaction. Those of probes that are not added stay: their raw rows have gone,
// and none came since.
class RollupWriter {
public:
    static Result<std::unique_ptr<RollupWriter>> open(const std::filesystem::path& path, std::int64_t day,
                                                      std::uint64_t generation);
    ~RollupWriter();

    Status remove(ProbeId probe);

    Status add(Codec& codec, const Kind& kind, ProbeId probe, std::span<const Bucketed> rollups);
    Status add_total(const Kind& kind, ProbeId probe, const quality::Aggregate& total);
    Status commit();

private:
    RollupWriter(std::unique_ptr<sqlite::Database> db, std::int64_t day);
    Status prepare(std::uint64_t generation);

    struct Statements;
    std::unique_ptr<sqlite::Database> db_;
    std::int64_t day_;
    std::unique_ptr<Statements> statements_;
    std::optional<sqlite::Transaction> transaction_{};
};

}  // namespace nw::store
