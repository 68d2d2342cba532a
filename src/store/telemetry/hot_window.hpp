// The samples that are not sealed yet, in memory, and a while longer those that were just sealed: what the latest
// values, alerts and charts of the last minutes are made of.
//
// Per probe a list of blocks of rows as compact bytes. A block belongs to one epoch (the intake file that holds its
// rows durably), so that readers can tell which of them a file on disk already has. Any thread may call any member.
#pragma once

#include "model/kind.hpp"
#include "quality/accumulator.hpp"
#include "store/telemetry/rules.hpp"
#include "store/telemetry/telemetry.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace nw::store {

struct ProbeKey {
    ProbeId probe{};
    const Kind* kind = nullptr;

    friend bool operator==(const ProbeKey&, const ProbeKey&) = default;
};

struct ProbeKeyHash {
    std::size_t operator()(const ProbeKey& key) const
    {
        return std::size_t(std::uint64_t(key.probe) * 0x9e3779b97f4a7c15ULL ^ key.kind->number * 0xff51afd7ed558ccdULL);
    }
};

// Where rows of one batch come from.
struct Origin {
    AgentId agent{};
    StreamId stream{};
    std::int64_t received_us = 0;
    std::uint64_t epoch = 0;
};

class HotWindow {
public:
    // Rows of one probe out of one epoch.
    struct Rows {
        std::uint64_t epoch = 0;
        StoredRows rows{};
    };

    void append(const nw::Rows& rows, const std::vector<std::int64_t>& correction_us, const Origin& origin);
    // Rows in `range`; as they came, not sorted.
    std::vector<Rows> read(ProbeKey probe, TimeRange range) const;
    // The newest row that was ever appended here or found on disk, and the sum of those since `since_us`. Remembered until
    // a row comes or leaves. `scratch` is empty, of the probe's kind, and empty again afterwards.
    struct Newest {
        LatestPtr latest{};       // never null
        bool disk_known = false;  // what is on disk was looked at, and is not newer
    };
    Newest newest(ProbeKey probe, std::int64_t since_us, quality::Accumulator& scratch);
    // Tells the newest row on disk, none or one, so that nobody need look for it again.
    void know_disk(ProbeKey probe, const StoredRows& newest);

    // Which epochs: those after the first, through the last.
    struct Epochs {
        std::uint64_t after = 0;
        std::uint64_t through = 0;

        bool contain(std::uint64_t epoch) const { return epoch > after && epoch <= through; }
    };
    // All probes with rows of `epochs`.
    std::vector<ProbeKey> probes_in(Epochs epochs) const;
    // The rows of `epochs`, oldest epoch first. For whoever alone calls forget() and remove(): in between these, appends
    // need not wait for a whole probe.
    std::vector<Rows> read_in(ProbeKey probe, Epochs epochs) const;
    // Blocks of `epoch` or older whose rows are all older than `before_us`: the time of their newest row (kAbsent when
    // there are none), and their removal.
    std::int64_t newest_to_forget(std::uint64_t epoch, std::int64_t before_us) const;
    void forget(std::uint64_t epoch, std::int64_t before_us);
    void remove(ProbeId probe);

    std::uint64_t rows() const { return rows_; }
    std::uint64_t bytes() const { return bytes_; }

private:
    struct Block {
        std::uint64_t epoch = 0;
        std::int64_t min_us = 0;
        std::int64_t max_us = 0;
        std::uint32_t rows = 0;
        std::string bytes{};
    };
    // What the next row of a block is written against.
    struct Tail {
        std::int64_t at_us = 0;
        std::uint64_t seq = 0;
        AgentId agent{};
        StreamId stream{};
        std::int64_t correction_us = 0;
        std::string address{};
    };
    struct Answer {
        std::uint64_t changes = 0;  // Probe::changes when it was made
        std::int64_t since_us = 0;
        LatestPtr latest{};
    };
    struct Probe {
        std::vector<Block> blocks{};
        Tail tail{};
        std::uint64_t changes = 0;  // rows that came, and times that some left
        std::optional<Position> newest_at{};
        std::string newest{};  // that row, written against nothing, once its block is gone
        bool disk_known = false;
        Answer answer{};
    };
    struct Shard {
        mutable std::mutex mutex{};
        std::unordered_map<ProbeKey, Probe, ProbeKeyHash> probes{};
    };
    static constexpr std::size_t kShards = 64;

    struct Source;
    class Decoder;
    static void put_row(std::string& out, const Source& source, std::size_t row, Tail& tail);
    static void take_rows(const Block& block, ProbeKey probe, TimeRange range, StoredRows& out);
    static LatestPtr make_latest(ProbeKey key, const Probe& probe, std::int64_t since_us, quality::Accumulator& scratch);
    static void keep_newest(ProbeKey key, Probe& probe, const Block& block);
    // Returns the bytes it took.
    std::size_t append_row(const Source& source, std::size_t row);
    Shard& shard(ProbeKey probe) { return shards_[ProbeKeyHash{}(probe) % kShards]; }
    const Shard& shard(ProbeKey probe) const { return shards_[ProbeKeyHash{}(probe) % kShards]; }

    std::array<Shard, kShards> shards_{};
    std::atomic<std::uint64_t> rows_{0};
    std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace nw::store
