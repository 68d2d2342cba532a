// The agent's durable, bounded queue of what it has measured. It stores blocks of bytes that it cannot read; each
// covers a range of sequence numbers.
//
// 1. Sequences are dense within a random stream, from 1. A number is given out once.
// 2. Blocks stay until they are released by a cumulative acknowledgement.
// 3. Over its bounds (bytes, age) the spool drops its oldest blocks and declares their range lost, with the reason.
// 4. A disk that refuses to write does not stop measuring: blocks are held in memory, within bounds, until it
//    takes them; what has to be dropped meanwhile is declared lost.
// 5. Commits survive the death of the process. Power loss may undo the last ones, so that numbers would be given
//    out twice: when the controller knows more of the stream than the spool does, restart_stream() begins another.
// 6. Reports wait beside the blocks: few, each numbered by who makes it, kept until they are dropped.
//
// Every call may block on the disk. Used by one thread at a time.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "sqlite/database.hpp"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::spool {

struct Limits {
    std::uint64_t bytes_max = 256ULL << 20;
    Seconds age_max = std::chrono::hours(24 * 7);
    std::uint64_t memory_bytes_max = 4ULL << 20;  // while the disk refuses
};

struct Block {
    std::uint64_t first_seq = 0;
    std::uint32_t count = 0;
    std::int64_t from_us = 0;  // of the oldest and the newest sample in it
    std::int64_t until_us = 0;
    std::string bytes{};

    std::uint64_t last_seq() const { return first_seq + count - 1; }
    friend bool operator==(const Block&, const Block&) = default;
};

struct LostRange {
    std::uint64_t first_seq = 0;
    std::uint64_t last_seq = 0;
    std::string reason{};
    std::int64_t from_us = 0;
    std::int64_t until_us = 0;
    friend bool operator==(const LostRange&, const LostRange&) = default;
};

struct Depth {
    std::uint64_t rows = 0;
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0;
    bool disk_refuses = false;
};

class Spool {
public:
    // A file that is damaged is set aside under another name and a new stream begun; `fresh_stream` is used
    // whenever one begins.
    static Result<std::unique_ptr<Spool>> open(const std::filesystem::path& file, Limits limits, std::uint64_t fresh_stream);

    std::uint64_t stream() const { return stream_; }
    // The first number that is not acknowledged.
    std::uint64_t first_unacked() const { return acked_ + 1; }
    std::uint64_t next_seq() const { return next_seq_; }
    // As it was when the spool was opened.
    std::uint64_t opened_next_seq() const { return opened_next_seq_; }
    Depth depth() const;

    struct Content {
        std::uint32_t count = 0;
        std::int64_t from_us = 0;
        std::int64_t until_us = 0;
        std::string bytes{};
    };
    // Numbers the contents in their order and keeps them; in one transaction, so that a burst costs one commit.
    void append(std::vector<Content> contents, WallTime now);

    // Numbers `count` results that there never was room for, and declares them lost.
    void skip(std::uint64_t count, const std::string& reason, WallTime now);

    // Up to `max` blocks after `seq`, in order; and what was lost after `seq`.
    std::vector<Block> peek(std::uint64_t after_seq, std::size_t max) const;
    std::vector<LostRange> lost_after(std::uint64_t seq) const;

    // Forgets everything up to `seq`, which the controller has stored.
    void release(std::uint64_t seq);
    // What was there when the spool was opened is stored by the controller; the rest is kept under new numbers
    // from 1 on, in another stream.
    void restart_stream(std::uint64_t fresh_stream);

    // In the place of one with the same number.
    Status keep_report(std::uint64_t number, std::string_view bytes);
    // And those with lesser numbers.
    Status drop_reports(std::uint64_t last_number);
    // Ascending by number.
    Result<std::vector<std::string>> reports() const;

    // How long a call may wait for another program that has the file locked.
    void set_patience(Millis at_most);
    // The last reason why the disk refused; empty when it does not.
    const std::string& trouble() const { return trouble_; }

private:
    Spool(std::unique_ptr<sqlite::Database> db, Limits limits);

    Status prepare(std::uint64_t fresh_stream);
    Status write(const std::vector<Block>& blocks);
    Status write_meta();
    Status write_lost(const LostRange& range);
    Status persist();
    void enforce(WallTime now);
    void drop_oldest_stored(const std::string& reason);
    void declare_lost(const Block& block, const std::string& reason);
    void note(const Status& status);

    std::unique_ptr<sqlite::Database> db_;
    Limits limits_;
    std::uint64_t stream_ = 0;
    std::uint64_t next_seq_ = 1;
    std::uint64_t opened_next_seq_ = 1;
    std::uint64_t acked_ = 0;
    std::uint64_t stored_bytes_ = 0;
    std::uint64_t stored_blocks_ = 0;
    std::deque<Block> held_{};  // numbered, but not on disk
    std::uint64_t held_bytes_ = 0;
    std::deque<LostRange> lost_{};
    bool lost_unsaved_ = false;
    std::string trouble_{};
};

}  // namespace nw::spool
