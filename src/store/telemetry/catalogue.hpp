// Which files hold what: an immutable picture that readers take, replaced as a whole when maintenance changes it.
//
// Names, under the store's directory (docs/storage.md):
//   chunks/<kind>-<yyyymmdd>-h<generation>.db    open file
//   chunks/<kind>-<yyyymmdd>-d<generation>.db    closed file; contains everything of open files below its generation
//   rollups/<kind>-<yyyymm>-<5m|1h>.db
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "model/kind.hpp"
#include "store/telemetry/chunk_file.hpp"
#include "store/telemetry/rollup_file.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

namespace nw::store {

enum class Width : std::uint8_t { FiveMinutes, Hour };
constexpr std::int64_t width_us(Width width) { return width == Width::FiveMinutes ? kFiveMinutesUs : kHourUs; }

// Months counted from January 1970.
std::int64_t month_of(std::int64_t day);
// First day of a month.
std::int64_t first_day(std::int64_t month);

struct Day {
    const Kind* kind = nullptr;
    std::int64_t day = 0;  // since the epoch
    std::shared_ptr<ChunkFile> closed{};
    std::shared_ptr<ChunkFile> open{};
    std::uint64_t generation = 0;  // of the closed file; open files of this number and above are not in it
    std::uint64_t epoch = 0;       // of the closed file
    std::int64_t max_us = 0;       // newest row, as far as known
};

using DayKey = std::pair<std::uint16_t, std::int64_t>;
using RollupKey = std::tuple<std::uint16_t, std::int64_t, Width>;  // kind, month

struct Contents {
    std::map<DayKey, Day> days{};
    std::map<RollupKey, std::shared_ptr<RollupFile>> rollups{};

    const Day* day(const Kind& kind, std::int64_t day) const;
    std::shared_ptr<RollupFile> rollup(const Kind& kind, std::int64_t month, Width width) const;
};

class Catalogue {
public:
    // Reads the directory: creates it when absent, removes what a crash left half done.
    static Result<std::unique_ptr<Catalogue>> open(const std::filesystem::path& dir, const Kinds& kinds, Log log);

    std::shared_ptr<const Contents> contents() const;

    // For the one thread that maintains: paths of files to be, and changes that readers then see.
    std::filesystem::path open_path(const Kind& kind, std::int64_t day, std::uint64_t generation) const;
    std::filesystem::path closed_path(const Kind& kind, std::int64_t day, std::uint64_t generation) const;
    std::filesystem::path rollup_path(const Kind& kind, std::int64_t month, Width width) const;
    void put(Day day);
    void remove(const DayKey& key);
    void put_rollup(const RollupKey& key, std::shared_ptr<RollupFile> file);
    void remove_rollup(const RollupKey& key);

private:
    Catalogue(std::filesystem::path dir, Log log) : dir_(std::move(dir)), log_(std::move(log)) {}
    Status scan_chunks(const Kinds& kinds);
    Status scan_rollups(const Kinds& kinds);
    Status settle(Day& day, std::map<std::uint64_t, std::filesystem::path>& open,
                  std::map<std::uint64_t, std::filesystem::path>& closed);
    template <class Change>
    void change(Change change);

    std::filesystem::path dir_;
    Log log_;
    mutable std::mutex mutex_{};
    std::shared_ptr<const Contents> contents_ = std::make_shared<Contents>();
};

// Makes what was written to the file, or the names in the directory, survive power loss.
Status sync_path(const std::filesystem::path& path);

}  // namespace nw::store
