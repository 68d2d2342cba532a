// Column sections: refused, or exactly as many rows as asked for, which survive being written and read again.
// The first byte is the number of rows less one, the second chooses the encoding.
#include "fuzz.hpp"
#include "store/telemetry/column_codec.hpp"

#include <algorithm>
#include <span>

namespace {

using namespace nw::store;

// Some rows in the middle.
RowSpan middle(std::uint32_t rows) { return {rows / 3, rows - rows / 4}; }

void check_numbers(std::string_view section, std::uint32_t rows)
{
    std::vector<std::int64_t> read, some;
    const auto span = middle(rows);
    const auto part = decode_numbers(section, rows, span, some);
    if (!decode_numbers(section, rows, read)) return;
    NW_ASSERT(read.size() == rows);
    NW_ASSERT(part && std::ranges::equal(some, std::span(read).subspan(span.begin, span.end - span.begin)));
    std::vector<std::int64_t> again;
    NW_ASSERT(decode_numbers(encode_numbers(read), rows, again) && again == read);
}

void check_strings(std::string_view section, std::uint32_t rows)
{
    nw::BytesColumn read, some;
    const auto span = middle(rows);
    const auto part = decode_strings(section, rows, span, 64, some);
    if (!decode_strings(section, rows, 64, read)) return;
    NW_ASSERT(read.size() == rows && part && some.size() == span.end - span.begin);
    for (auto row = span.begin; row < span.end; ++row) NW_ASSERT(some.at(row - span.begin) == read.at(row));
    nw::BytesColumn again;
    NW_ASSERT(decode_strings(encode_strings(read), rows, 64, again) && again == read);
}

// Four streams, each with its length in one byte before it.
void check_histograms(std::string_view bytes, std::uint32_t rows)
{
    std::array<std::string_view, kHistogramStreams> streams{};
    for (auto& stream : streams) {
        if (bytes.empty()) break;
        stream = bytes.substr(1, std::uint8_t(bytes.front()));
        bytes.remove_prefix(1 + stream.size());
    }
    nw::BytesColumn read;
    if (decode_histograms(streams, rows, read)) NW_ASSERT(read.size() == rows);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) return 0;
    const auto section = nw::fuzz::text_of(data + 2, size - 2);
    const auto rows = 1u + data[0];  // a chunk has at least one
    switch (data[1] % 3) {
    case 0: check_numbers(section, rows); break;
    case 1: check_strings(section, rows); break;
    default: check_histograms(section, rows);
    }
    return 0;
}
