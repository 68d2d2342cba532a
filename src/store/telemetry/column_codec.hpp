// Columns and bytes: the encodings inside a chunk's sections. Private to telemetry.
//
// Numbers: a mode byte, then per row a varint. Modes: 0 constant (one value), 1 deltas, 2 plain; +4: some are absent
// (values are zigzag + 1, 0 stands for absent). A column of absent values only has no section.
// Strings: number of distinct ones, each with its length, then runs of (index, length).
// Histograms: four sections: number of buckets per row, first bucket (difference to the row before), further
// buckets (difference to the one before), counts.
#pragma once

#include "base/result.hpp"
#include "model/rows.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nw::store {

// Rows `begin` to before `end`; what lies before is passed over as cheaply as it can be, what lies behind not looked at.
struct RowSpan {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

// Empty when all are absent.
std::string encode_numbers(const std::vector<std::int64_t>& numbers);
// Appends `rows` numbers; an empty section gives absent ones.
Status decode_numbers(std::string_view section, std::uint32_t rows, std::vector<std::int64_t>& out);
// Those of some rows only.
Status decode_numbers(std::string_view section, std::uint32_t rows, RowSpan wanted, std::vector<std::int64_t>& out);

// Empty when all are empty.
std::string encode_strings(const BytesColumn& strings);
Status decode_strings(std::string_view section, std::uint32_t rows, std::size_t each_max, BytesColumn& out);
Status decode_strings(std::string_view section, std::uint32_t rows, RowSpan wanted, std::size_t each_max, BytesColumn& out);

inline constexpr std::size_t kHistogramStreams = 4;
using HistogramStreams = std::array<std::string, kHistogramStreams>;
// All empty when all histograms are.
HistogramStreams encode_histograms(const BytesColumn& compact);
Status decode_histograms(const std::array<std::string_view, kHistogramStreams>& streams, std::uint32_t rows,
                         BytesColumn& out);

}  // namespace nw::store
