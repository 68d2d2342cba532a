// The child rows of one run: a table inside a result, such as the hops of a path, whose columns the kind declares
// (Column::children). In samples and on their way it is one byte value; storage takes it apart into columns.
//
//   varint rows, varint columns, then per column
//   0           every value absent
//   1 n         the number n in every row
//   2 n...      a number per row
//   3 (l b)...  a byte string per row: varint length, bytes
//
// Numbers are varints of (zigzag + 1), 0 for absent. Columns that a reader does not know are skipped, those that the
// writer did not know are absent: they are added at the end of a declaration only. Pure; takes any bytes.
#pragma once

#include "base/result.hpp"
#include "model/rows.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nw {

inline constexpr std::size_t kChildRowsMax = 1'024;
inline constexpr std::size_t kChildColumnsMax = 63;

struct ChildRows {
    std::size_t count = 0;
    std::vector<ColumnValues> columns{};  // parallel to the declaration; each has `count` values

    friend bool operator==(const ChildRows&, const ChildRows&) = default;
};

// One more row, every value absent.
void add_row(ChildRows& table, std::span<const ChildColumn> declared);
void set(ChildRows& table, std::size_t column, std::int64_t number);     // in the last row
void set(ChildRows& table, std::size_t column, std::string_view bytes);  // in the last row, once

// No rows: no bytes.
std::string encode_child_rows(std::span<const ChildColumn> declared, const ChildRows& table);
Result<ChildRows> decode_child_rows(std::span<const ChildColumn> declared, std::string_view bytes);
// Rows `from` to `from + count` of many tables end to end.
std::string encode_child_rows(std::span<const ChildColumn> declared, const ChildRows& tables, std::size_t from,
                              std::size_t count);
// Appends the rows to `out`, which is of the same declaration, and says how many; on error `out` is as before.
Result<std::size_t> append_child_rows(std::span<const ChildColumn> declared, std::string_view bytes, ChildRows& out);
// How many rows the bytes claim to hold.
std::size_t child_row_count(std::string_view bytes);

}  // namespace nw
