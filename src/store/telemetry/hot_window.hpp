// The samples that are not sealed yet, in memory, and a while longer those that were just sealed: what the latest
// values, alerts and charts of the last minutes are made of.
//
// Per probe a list of blocks of rows as compact bytes. A block belongs to one epoch (the intake file that holds its
// rows durably), so that readers can tell which of them a file on disk already has. Any thread may call any member.
#pragma once

#include "model/kind.hpp"
#include "store/telemetry/telemetry.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
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
    // The same rows one by one, for whoever only adds them up: without making columns of them. `use` runs under a lock and
    // must not block.
    struct RowView {
        std::uint64_t epoch = 0;
        std::int64_t at_us = 0;
        Outcome outcome = Outcome::Ok;
        std::span<const std::int64_t> numbers{};  // per column of the kind
        std::span<const std::string_view> bytes{};
    };
    void each(ProbeKey probe, TimeRange range, const std::function<void(const RowView&)>& use) const;
    // The newest row that was ever appended here.
    struct Newest {
        Sample sample{};
        std::int64_t received_us = 0;
    };
    std::optional<Newest> newest(ProbeKey probe) const;

    // All probes with rows of `epoch` or older.
    std::vector<ProbeKey> probes_through(std::uint64_t epoch) const;
    // The rows of `epoch` or older, oldest epoch first.
    std::vector<Rows> read_through(ProbeKey probe, std::uint64_t epoch) const;
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
    struct Probe {
        std::vector<Block> blocks{};
        Tail tail{};
        std::int64_t newest_us = kAbsent;
        std::uint64_t newest_stream = 0;
        std::uint64_t newest_seq = 0;
        std::string newest{};  // one row, written against nothing
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
    void append_row(const Source& source, std::size_t row);
    Shard& shard(ProbeKey probe) { return shards_[ProbeKeyHash{}(probe) % kShards]; }
    const Shard& shard(ProbeKey probe) const { return shards_[ProbeKeyHash{}(probe) % kShards]; }

    std::array<Shard, kShards> shards_{};
    std::atomic<std::uint64_t> rows_{0};
    std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace nw::store
