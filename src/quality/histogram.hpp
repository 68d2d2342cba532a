// A mergeable latency histogram: log-linear buckets with a relative error below 1 % from 1 us to 100 s.
//
// Bucket formula: for a duration of v nanoseconds let e = floor(log2 v) and s the 6 bits after the leading
// one; the bucket is (e - 9) * 64 + s, clamped to [0, 1791]. A bucket's width is 1/64 of its power of two,
// so its midpoint is within 1/128 = 0.78 % of every value in it. Below 512 ns everything falls into bucket
// 0; above 137 s into the last. Merging adds counts: exact, in any order.
//
// Compact form (what samples carry): per occupied bucket, ascending, varint(bucket - previous bucket) and
// varint(count); the first bucket counts from 0. No bytes: an empty histogram.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nw::quality {

inline constexpr std::uint32_t kBucketCount = 1792;

std::uint32_t bucket_of(Nanos value);
// The middle of the bucket.
Nanos bucket_value(std::uint32_t bucket);
Nanos bucket_low(std::uint32_t bucket);

class Histogram {
public:
    struct Entry {
        std::uint32_t bucket = 0;
        std::uint64_t count = 0;
        friend bool operator==(const Entry&, const Entry&) = default;
    };

    void add(Nanos value, std::uint64_t count = 1);
    void merge(const Histogram& other);
    // Merges a compact form; an Error (Corrupt) leaves this histogram unchanged.
    Status merge_compact(std::string_view compact);
    void clear()
    {
        entries_.clear();
        total_ = 0;
    }

    std::uint64_t count() const { return total_; }
    bool empty() const { return total_ == 0; }
    std::span<const Entry> entries() const { return entries_; }
    // The value at rank ceil(q * count), q in [0, 1]; requires a histogram that is not empty.
    Nanos quantile(double q) const;

    std::string compact() const;
    void put_compact(std::string& out) const;  // behind what is there
    std::size_t compact_bytes() const;
    static Result<Histogram> from_compact(std::string_view compact);
    // Ascending by bucket, counts above zero.
    static Histogram from_entries(std::vector<Entry> entries);
    std::vector<Entry> take_entries() && { return std::move(entries_); }

    friend bool operator==(const Histogram&, const Histogram&) = default;

private:
    std::vector<Entry> entries_{};  // ascending by bucket, counts above zero
    std::uint64_t total_ = 0;
};

// Whether bytes from outside are a compact form, without building the histogram.
bool is_compact_histogram(std::string_view bytes);

}  // namespace nw::quality
