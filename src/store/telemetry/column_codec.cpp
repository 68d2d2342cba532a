#include "store/telemetry/column_codec.hpp"

#include "base/varint.hpp"
#include "quality/histogram.hpp"

#include <algorithm>
#include <unordered_map>

namespace nw::store {
namespace {

constexpr std::uint8_t kConstant = 0;
constexpr std::uint8_t kDeltas = 1;
constexpr std::uint8_t kPlain = 2;
constexpr std::uint8_t kSomeAbsent = 4;

auto corrupt(const char* what) { return fail(Errc::Corrupt, std::string("column: ") + what); }

std::int64_t difference(std::int64_t a, std::int64_t b) { return std::int64_t(std::uint64_t(a) - std::uint64_t(b)); }
std::int64_t sum(std::int64_t a, std::int64_t b) { return std::int64_t(std::uint64_t(a) + std::uint64_t(b)); }

// Differences may wrap to kAbsent's pattern, whose zigzag form has no successor; then the column is kept plain.
bool deltas_fit(const std::vector<std::int64_t>& numbers)
{
    std::int64_t last = 0;
    for (const auto number : numbers) {
        if (number == kAbsent) continue;
        if (difference(number, last) == kAbsent) return false;
        last = number;
    }
    return true;
}

std::string encode_as(std::uint8_t mode, bool some_absent, const std::vector<std::int64_t>& numbers)
{
    std::string out(1, char(mode | (some_absent ? kSomeAbsent : 0)));
    std::int64_t last = 0;
    for (const auto number : numbers) {
        if (number == kAbsent) {
            put_varint(out, 0);
            continue;
        }
        const auto value = zigzag(mode == kDeltas ? difference(number, last) : number);
        put_varint(out, value + (some_absent ? 1 : 0));
        last = number;
    }
    return out;
}

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
    auto plain = encode_as(kPlain, some_absent, numbers);
    if (!deltas_fit(numbers)) return plain;
    auto deltas = encode_as(kDeltas, some_absent, numbers);
    return deltas.size() <= plain.size() ? deltas : plain;
}

Status decode_numbers(std::string_view section, std::uint32_t rows, std::vector<std::int64_t>& out)
{
    if (section.empty()) {
        out.insert(out.end(), rows, kAbsent);
        return {};
    }
    const auto mode = std::uint8_t(section.front());
    const bool some_absent = (mode & kSomeAbsent) != 0;
    section.remove_prefix(1);
    if (mode == kConstant) {
        const auto value = take_varint(section);
        if (!value || !section.empty()) return corrupt("a constant that is none");
        out.insert(out.end(), rows, unzigzag(*value));
        return {};
    }
    const bool deltas = (mode & ~kSomeAbsent) == kDeltas;
    if (!deltas && (mode & ~kSomeAbsent) != kPlain) return corrupt("unknown mode of numbers");
    if (section.size() < rows) return corrupt("fewer numbers than rows");
    out.reserve(out.size() + rows);
    std::int64_t last = 0;
    for (std::uint32_t row = 0; row < rows; ++row) {
        const auto taken = take_varint(section);
        if (!taken) return corrupt("numbers that are cut short");
        if (some_absent && *taken == 0) {
            out.push_back(kAbsent);
            continue;
        }
        const auto value = unzigzag(*taken - (some_absent ? 1 : 0));
        last = deltas ? sum(last, value) : value;
        out.push_back(last);
    }
    return section.empty() ? Status{} : corrupt("more numbers than rows");
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
    if (section.empty()) {
        out.ends.insert(out.ends.end(), rows, std::uint32_t(out.data.size()));
        return {};
    }
    const auto count = take_varint(section);
    if (!count || *count > rows) return corrupt("more distinct strings than rows");
    std::vector<std::string_view> distinct;
    for (std::uint64_t i = 0; i < *count; ++i) {
        const auto length = take_varint(section);
        if (!length || *length > section.size() || *length > each_max) return corrupt("a string that is cut short or too long");
        distinct.push_back(section.substr(0, *length));
        section.remove_prefix(*length);
    }
    std::uint32_t left = rows;
    while (left > 0) {
        const auto index = take_varint(section);
        const auto run = take_varint(section);
        if (!index || !run || *index >= distinct.size() || *run == 0 || *run > left) return corrupt("a run of strings out of range");
        if (out.data.size() + *run * distinct[*index].size() > UINT32_MAX) return corrupt("too many bytes of strings");
        for (std::uint64_t i = 0; i < *run; ++i) out.push(distinct[*index]);
        left -= std::uint32_t(*run);
    }
    return section.empty() ? Status{} : corrupt("more strings than rows");
}

HistogramStreams encode_histograms(const BytesColumn& compact)
{
    HistogramStreams streams;
    if (compact.data.empty()) return streams;
    auto& [lengths, firsts, deltas, counts] = streams;
    std::uint64_t last_first = 0;
    for (std::size_t row = 0; row < compact.size(); ++row) {
        auto in = compact.at(row);
        std::uint64_t length = 0;
        for (; !in.empty(); ++length) {
            const auto delta = take_varint(in).value_or(0);
            const auto count = take_varint(in).value_or(0);
            if (length == 0) {
                put_varint(firsts, zigzag(std::int64_t(delta) - std::int64_t(last_first)));
                last_first = delta;
            } else {
                put_varint(deltas, delta);
            }
            put_varint(counts, count);
        }
        put_varint(lengths, length);
    }
    return streams;
}

Status decode_histograms(const std::array<std::string_view, kHistogramStreams>& streams, std::uint32_t rows, BytesColumn& out)
{
    auto [lengths, firsts, deltas, counts] = streams;
    if (lengths.empty()) {
        out.ends.insert(out.ends.end(), rows, std::uint32_t(out.data.size()));
        return {};
    }
    if (out.data.size() + firsts.size() + deltas.size() + counts.size() + std::size_t(rows) * 3 > UINT32_MAX)
        return corrupt("too many bytes of histograms");
    out.ends.reserve(out.ends.size() + rows);
    std::uint64_t first = 0;
    for (std::uint32_t row = 0; row < rows; ++row) {
        const auto length = take_varint(lengths);
        if (!length || *length > quality::kBucketCount) return corrupt("a histogram with too many buckets");
        for (std::uint64_t i = 0; i < *length; ++i) {
            const auto step = take_varint(i == 0 ? firsts : deltas);
            const auto count = take_varint(counts);
            if (!step || !count) return corrupt("a histogram that is cut short");
            if (i == 0) first += std::uint64_t(unzigzag(*step));
            const auto bucket = i == 0 ? first : *step;
            if (bucket >= quality::kBucketCount) return corrupt("a bucket out of range");
            put_varint(out.data, bucket);
            put_varint(out.data, *count);
        }
        out.ends.push_back(std::uint32_t(out.data.size()));
    }
    return lengths.empty() && firsts.empty() && deltas.empty() && counts.empty() ? Status{} : corrupt("more buckets than rows have");
}

}  // namespace nw::store
