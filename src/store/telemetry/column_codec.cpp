#include "store/telemetry/column_codec.hpp"

#include "base/varint.hpp"
#include "quality/histogram.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace nw::store {
namespace {

constexpr std::uint8_t kConstant = 0;
constexpr std::uint8_t kDeltas = 1;
constexpr std::uint8_t kPlain = 2;
constexpr std::uint8_t kSomeAbsent = 4;

auto corrupt(const char* what) { return fail(Errc::Corrupt, std::string("column: ") + what); }

// Writes varints without looking for room at each byte.
class Writer {
public:
    explicit Writer(std::size_t expected) { out_.resize(expected + kVarintBytesMax); }
    void put(std::uint64_t value)
    {
        if (used_ + kVarintBytesMax > out_.size()) out_.resize(2 * out_.size());
        used_ = std::size_t(put_varint(out_.data() + used_, value) - out_.data());
    }
    std::string take()
    {
        out_.resize(used_);
        return std::move(out_);
    }

private:
    std::string out_{};
    std::size_t used_ = 0;
};

std::int64_t difference(std::int64_t a, std::int64_t b) { return std::int64_t(std::uint64_t(a) - std::uint64_t(b)); }
std::int64_t sum(std::int64_t a, std::int64_t b) { return std::int64_t(std::uint64_t(a) + std::uint64_t(b)); }

struct Sizes {
    std::size_t plain = 0;
    std::size_t deltas = 0;
    bool deltas_fit = true;  // a difference may wrap to kAbsent's pattern, whose zigzag form has no successor
};

Sizes sizes_of(const std::vector<std::int64_t>& numbers, std::uint64_t more)
{
    Sizes sizes;
    std::int64_t last = 0;
    for (const auto number : numbers) {
        if (number == kAbsent) continue;
        const auto delta = difference(number, last);
        if (delta == kAbsent) sizes.deltas_fit = false;
        sizes.plain += varint_bytes(zigzag(number) + more);
        sizes.deltas += varint_bytes(zigzag(delta) + more);
        last = number;
    }
    return sizes;
}

std::string encode_as(std::uint8_t mode, std::uint64_t more, const std::vector<std::int64_t>& numbers, std::size_t expected)
{
    Writer out(expected + numbers.size() + 1);
    out.put(std::uint64_t(mode | (more ? kSomeAbsent : 0)));
    std::int64_t last = 0;
    for (const auto number : numbers) {
        if (number == kAbsent) {
            out.put(0);
            continue;
        }
        out.put(zigzag(mode == kDeltas ? difference(number, last) : number) + more);
        last = number;
    }
    return out.take();
}

// Numbers one after the other, as they were before encode_as.
class NumberReader {
public:
    NumberReader(std::string_view section, bool deltas, bool some_absent)
        : at_(section.data()), end_(at_ + section.size()), deltas_(deltas), some_absent_(some_absent)
    {}
    // Passes over some; false when there are fewer.
    bool skip(std::uint32_t count)
    {
        if (!deltas_) return skip_varints(at_, end_, count);
        std::vector<std::int64_t> passed;
        while (count > 0) {
            const auto some = std::min(count, 8U);
            if (some < 8 || !skip_eight_small()) {
                passed.clear();
                if (!take(some, passed)) return false;
            }
            count -= some;
        }
        return true;
    }
    // Appends some; false when there are fewer. Where it stands is kept in locals meanwhile: this is most of all reading.
    bool take(std::uint32_t count, std::vector<std::int64_t>& out)
    {
        out.reserve(out.size() + count);
        const auto* at = at_;
        const auto* const end = end_;
        const bool deltas = deltas_, some_absent = some_absent_;
        auto last = last_;
        std::uint64_t taken = 0;
        for (; count > 0; --count) {
            if (!take_varint(at, end, taken)) return false;
            if (some_absent && taken == 0) {
                out.push_back(kAbsent);
                continue;
            }
            const auto value = unzigzag(taken - (some_absent ? 1 : 0));
            last = deltas ? sum(last, value) : value;
            out.push_back(last);
        }
        at_ = at;
        last_ = last;
        return true;
    }
    bool at_end() const { return at_ == end_; }

private:
    // Differences of one byte each; false, and nothing is taken, when one of them is longer.
    bool skip_eight_small()
    {
        if (end_ - at_ < 8 || varint_continues(at_) != 0) return false;
        std::int64_t change = 0;
        for (int i = 0; i < 8; ++i) {
            const auto taken = std::uint64_t(std::uint8_t(at_[i]));
            if (some_absent_) change += taken == 0 ? 0 : unzigzag(taken - 1);
            else change += unzigzag(taken);
        }
        last_ = sum(last_, change);
        at_ += 8;
        return true;
    }

    const char* at_;
    const char* end_;
    bool deltas_;
    bool some_absent_;
    std::int64_t last_ = 0;
};

}  // namespace

std::string encode_numbers(const std::vector<std::int64_t>& numbers)
{
    const bool some_absent = std::ranges::find(numbers, kAbsent) != numbers.end();
    if (some_absent && std::ranges::all_of(numbers, [](auto n) { return n == kAbsent; })) return {};
    if (!some_absent && std::ranges::all_of(numbers, [&](auto n) { return n == numbers.front(); })) {
        std::string out(1, char(kConstant));
        put_varint(out, zigzag(numbers.front()));
        return out;
    }
    const std::uint64_t more = some_absent ? 1 : 0;
    const auto sizes = sizes_of(numbers, more);
    if (sizes.deltas_fit && sizes.deltas <= sizes.plain) return encode_as(kDeltas, more, numbers, sizes.deltas);
    return encode_as(kPlain, more, numbers, sizes.plain);
}

Status decode_numbers(std::string_view section, std::uint32_t rows, std::vector<std::int64_t>& out)
{
    return decode_numbers(section, rows, {0, rows}, out);
}

Status decode_numbers(std::string_view section, std::uint32_t rows, RowSpan wanted, std::vector<std::int64_t>& out)
{
    const auto count = wanted.end - wanted.begin;
    if (section.empty()) {
        out.insert(out.end(), count, kAbsent);
        return {};
    }
    const auto mode = std::uint8_t(section.front());
    section.remove_prefix(1);
    if (mode == kConstant) {
        const auto value = take_varint(section);
        if (!value || !section.empty()) return corrupt("a constant that is none");
        out.insert(out.end(), count, unzigzag(*value));
        return {};
    }
    const bool deltas = (mode & ~kSomeAbsent) == kDeltas;
    if (!deltas && (mode & ~kSomeAbsent) != kPlain) return corrupt("unknown mode of numbers");
    if (section.size() < rows) return corrupt("fewer numbers than rows");
    NumberReader reader(section, deltas, (mode & kSomeAbsent) != 0);
    if (!reader.skip(wanted.begin) || !reader.take(count, out)) return corrupt("numbers that are cut short");
    return wanted.end < rows || reader.at_end() ? Status{} : corrupt("more numbers than rows");
}

std::string encode_strings(const BytesColumn& strings)
{
    if (strings.data.empty()) return {};
    std::unordered_map<std::string_view, std::uint64_t> known;
    std::string distinct;
    std::string runs;
    std::uint64_t index = 0;
    std::uint64_t run = 0;
    for (std::size_t row = 0; row < strings.size(); ++row) {
        const auto bytes = strings.at(row);
        const auto [entry, fresh] = known.try_emplace(bytes, known.size());
        if (fresh) {
            put_varint(distinct, bytes.size());
            distinct += bytes;
        }
        if (row > 0 && entry->second != index) {
            put_varint(runs, index);
            put_varint(runs, run);
            run = 0;
        }
        index = entry->second;
        ++run;
    }
    put_varint(runs, index);
    put_varint(runs, run);
    std::string out;
    put_varint(out, known.size());
    return out + distinct + runs;
}

Status decode_strings(std::string_view section, std::uint32_t rows, std::size_t each_max, BytesColumn& out)
{
    return decode_strings(section, rows, {0, rows}, each_max, out);
}

Status decode_strings(std::string_view section, std::uint32_t rows, RowSpan wanted, std::size_t each_max, BytesColumn& out)
{
    if (section.empty()) {
        out.ends.insert(out.ends.end(), wanted.end - wanted.begin, std::uint32_t(out.data.size()));
        return {};
    }
    const auto count = take_varint(section);
    if (!count || *count > rows) return corrupt("more distinct strings than rows");
    std::vector<std::string_view> distinct;
    for (std::uint64_t i = 0; i < *count; ++i) {
        const auto length = take_varint(section);
        if (!length || *length > section.size() || *length > each_max)
            return corrupt("a string that is cut short or too long");
        distinct.push_back(section.substr(0, *length));
        section.remove_prefix(*length);
    }
    std::uint32_t row = 0;
    while (row < wanted.end) {
        const auto index = take_varint(section);
        const auto run = take_varint(section);
        if (!index || !run || *index >= distinct.size() || *run == 0 || *run > rows - row)
            return corrupt("a run of strings out of range");
        const auto next = row + std::uint32_t(*run);
        const auto begin = std::max(row, wanted.begin), end = std::min(next, wanted.end);
        const std::uint64_t times = begin < end ? end - begin : 0;
        if (out.data.size() + times * distinct[*index].size() > UINT32_MAX) return corrupt("too many bytes of strings");
        for (std::uint64_t i = 0; i < times; ++i) out.push(distinct[*index]);
        row = next;
    }
    return wanted.end < rows || section.empty() ? Status{} : corrupt("more strings than rows");
}

HistogramStreams encode_histograms(const BytesColumn& compact)
{
    HistogramStreams streams;
    if (compact.data.empty()) return streams;
    Writer lengths(compact.size() * 2);
    Writer firsts(compact.size() * 2);
    Writer deltas(compact.data.size() / 2);
    Writer counts(compact.data.size() / 2);
    std::uint64_t last_first = 0;
    const auto* at = compact.data.data();
    for (std::size_t row = 0; row < compact.size(); ++row) {
        const auto* const end = compact.data.data() + compact.ends[row];
        std::uint64_t length = 0;
        std::uint64_t delta = 0;
        std::uint64_t count = 0;
        for (; at != end && take_varint(at, end, delta) && take_varint(at, end, count); ++length) {
            if (length == 0) {
                firsts.put(zigzag(std::int64_t(delta) - std::int64_t(last_first)));
                last_first = delta;
            } else {
                deltas.put(delta);
            }
            counts.put(count);
        }
        lengths.put(length);
        at = end;
    }
    return {lengths.take(), firsts.take(), deltas.take(), counts.take()};
}

Status decode_histograms(const std::array<std::string_view, kHistogramStreams>& streams, std::uint32_t rows,
                         BytesColumn& out)
{
    auto [lengths, firsts, deltas, counts] = streams;
    if (lengths.empty()) {
        out.ends.insert(out.ends.end(), rows, std::uint32_t(out.data.size()));
        return {};
    }
    if (out.data.size() + firsts.size() + deltas.size() + counts.size() + std::size_t(rows) * 3 > UINT32_MAX)
        return corrupt("too many bytes of histograms");
    out.ends.reserve(out.ends.size() + rows);
    Writer bytes(firsts.size() + deltas.size() + counts.size() + rows);
    const auto base = out.data.size();
    std::size_t written = 0;
    const auto put = [&](std::uint64_t value) {
        bytes.put(value);
        written += varint_bytes(value);
    };
    std::array<const char*, kHistogramStreams> at{lengths.data(), firsts.data(), deltas.data(), counts.data()};
    const std::array<const char*, kHistogramStreams> end{lengths.data() + lengths.size(), firsts.data() + firsts.size(),
                                                         deltas.data() + deltas.size(), counts.data() + counts.size()};
    std::uint64_t first = 0;
    for (std::uint32_t row = 0; row < rows; ++row) {
        std::uint64_t length = 0;
        if (!take_varint(at[0], end[0], length) || length > quality::kBucketCount)
            return corrupt("a histogram with too many buckets");
        for (std::uint64_t i = 0; i < length; ++i) {
            const std::size_t from = i == 0 ? 1 : 2;
            std::uint64_t step = 0;
            std::uint64_t count = 0;
            if (!take_varint(at[from], end[from], step) || !take_varint(at[3], end[3], count))
                return corrupt("a histogram that is cut short");
            if (i == 0) first += std::uint64_t(unzigzag(step));
            const auto bucket = i == 0 ? first : step;
            if (bucket >= quality::kBucketCount) return corrupt("a bucket out of range");
            put(bucket);
            put(count);
        }
        out.ends.push_back(std::uint32_t(base + written));
    }
    if (at != end) return corrupt("more buckets than rows have");
    out.data += bytes.take();
    return {};
}

}  // namespace nw::store
