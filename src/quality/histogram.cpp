#include "quality/histogram.hpp"

#include "base/assert.hpp"
#include "base/varint.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace nw::quality {
namespace {

constexpr int kLowestExponent = 9;
constexpr std::uint32_t kSubBits = 6;

}  // namespace

std::uint32_t bucket_of(Nanos value)
{
    if (value.count() < (1LL << kLowestExponent)) return 0;
    const auto v = std::uint64_t(value.count());
    const auto exponent = std::uint32_t(std::bit_width(v) - 1);
    const auto sub = std::uint32_t(v >> (exponent - kSubBits)) & ((1U << kSubBits) - 1);
    return std::min(((exponent - kLowestExponent) << kSubBits) + sub, kBucketCount - 1);
}

Nanos bucket_low(std::uint32_t bucket)
{
    NW_ASSERT(bucket < kBucketCount);
    const auto exponent = (bucket >> kSubBits) + kLowestExponent;
    const auto sub = std::int64_t(bucket & ((1U << kSubBits) - 1));
    return Nanos((1LL << exponent) + (sub << (exponent - kSubBits)));
}

Nanos bucket_value(std::uint32_t bucket)
{
    const auto exponent = (bucket >> kSubBits) + kLowestExponent;
    return bucket_low(bucket) + Nanos(1LL << (exponent - kSubBits - 1));
}

void Histogram::add(Nanos value, std::uint64_t count)
{
    if (count == 0) return;
    const auto bucket = bucket_of(value);
    const auto at = std::ranges::lower_bound(entries_, bucket, {}, &Entry::bucket);
    if (at != entries_.end() && at->bucket == bucket) at->count += count;
    else entries_.insert(at, {bucket, count});
    total_ += count;
}

void Histogram::merge(const Histogram& other)
{
    std::vector<Entry> merged;
    merged.reserve(entries_.size() + other.entries_.size());
    auto a = entries_.begin();
    auto b = other.entries_.begin();
    while (a != entries_.end() || b != other.entries_.end()) {
        if (b == other.entries_.end() || (a != entries_.end() && a->bucket < b->bucket)) merged.push_back(*a++);
        else if (a == entries_.end() || b->bucket < a->bucket) merged.push_back(*b++);
        else merged.push_back({a->bucket, a++->count + b++->count});
    }
    entries_ = std::move(merged);
    total_ += other.total_;
}

Status Histogram::merge_compact(std::string_view compact)
{
    NW_TRY(const auto other, from_compact(compact));
    merge(other);
    return {};
}

Nanos Histogram::quantile(double q) const
{
    NW_ASSERT(total_ > 0 && q >= 0 && q <= 1);
    // Near 2^64 the product can round up to what no longer fits: the last rank is then meant.
    const auto wanted = std::ceil(q * double(total_));
    const auto rank = wanted >= double(total_) ? total_ : std::max<std::uint64_t>(1, std::uint64_t(wanted));
    std::uint64_t seen = 0;
    for (const auto& entry : entries_) {
        seen += entry.count;
        if (seen >= rank) return bucket_value(entry.bucket);
    }
    return bucket_value(entries_.back().bucket);
}

std::string Histogram::compact() const
{
    std::string bytes;
    put_compact(bytes);
    return bytes;
}

void Histogram::put_compact(std::string& out) const
{
    const auto write = [&](char* at) {
        std::uint32_t previous = 0;
        for (const auto& entry : entries_) {
            at = put_varint(put_varint(at, entry.bucket - previous), entry.count);
            previous = entry.bucket;
        }
        return at;
    };
    const auto before = out.size();
    out.resize_and_overwrite(before + entries_.size() * 2 * kVarintBytesMax,
                             [&](char* begin, std::size_t) { return std::size_t(write(begin + before) - begin); });
}

std::size_t Histogram::compact_bytes() const
{
    std::size_t bytes = 0;
    std::uint32_t previous = 0;
    for (const auto& entry : entries_) {
        bytes += varint_bytes(entry.bucket - previous) + varint_bytes(entry.count);
        previous = entry.bucket;
    }
    return bytes;
}

Result<Histogram> Histogram::from_compact(std::string_view compact)
{
    Histogram histogram;
    // Two bytes a bucket in most cases.
    histogram.entries_.reserve(compact.size() / 2);
    const auto* at = compact.data();
    const auto* const end = at + compact.size();
    std::uint64_t bucket = 0;
    std::uint64_t delta = 0;
    std::uint64_t count = 0;
    while (at != end) {
        if (!take_varint(at, end, delta) || !take_varint(at, end, count) || count == 0)
            return fail(Errc::Corrupt, "histogram: cut short or an empty bucket");
        if (delta == 0 && !histogram.entries_.empty()) return fail(Errc::Corrupt, "histogram: a bucket stands twice");
        if (delta >= kBucketCount || bucket + delta >= kBucketCount)
            return fail(Errc::Corrupt, "histogram: bucket out of range");
        if (count > UINT64_MAX - histogram.total_) return fail(Errc::Corrupt, "histogram: counts overflow");
        bucket += delta;
        histogram.entries_.push_back({std::uint32_t(bucket), count});
        histogram.total_ += count;
    }
    return histogram;
}

Histogram Histogram::from_entries(std::vector<Entry> entries)
{
    Histogram histogram;
    for (const auto& entry : entries) histogram.total_ += entry.count;
    histogram.entries_ = std::move(entries);
    return histogram;
}

bool is_compact_histogram(std::string_view bytes)
{
    const auto* at = bytes.data();
    const auto* const end = at + bytes.size();
    std::uint64_t bucket = 0;
    std::uint64_t total = 0;
    std::uint64_t delta = 0;
    std::uint64_t count = 0;
    for (bool first = true; at != end; first = false) {
        if (!take_varint(at, end, delta) || !take_varint(at, end, count)) return false;
        if (count == 0 || (delta == 0 && !first)) return false;
        if (delta >= kBucketCount || bucket + delta >= kBucketCount || count > UINT64_MAX - total) return false;
        bucket += delta;
        total += count;
    }
    return true;
}

}  // namespace nw::quality
