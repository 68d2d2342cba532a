#include "model/child_rows.hpp"

#include "base/assert.hpp"
#include "base/varint.hpp"

#include <algorithm>

namespace nw {
namespace {

enum Form : char { kAllAbsent = 0, kOneNumber = 1, kNumbers = 2, kStrings = 3 };

auto corrupt(const char* what) { return fail(Errc::Corrupt, std::string("child rows: ") + what); }

// kAbsent is the one number whose zigzag form is the largest of all: absent comes out as 0.
constexpr std::uint64_t packed(std::int64_t number) { return zigzag(number) + 1; }
constexpr std::int64_t unpacked(std::uint64_t value) { return unzigzag(value - 1); }
static_assert(packed(kAbsent) == 0 && unpacked(0) == kAbsent);

void put_numbers(std::string& out, std::span<const std::int64_t> numbers)
{
    const bool same = std::ranges::all_of(numbers, [&](auto n) { return n == numbers.front(); });
    if (same && numbers.front() == kAbsent) {
        out += kAllAbsent;
        return;
    }
    out += same ? kOneNumber : kNumbers;
    for (const auto number : same ? numbers.first(1) : numbers) put_varint(out, packed(number));
}

void put_strings(std::string& out, const BytesColumn& strings, std::size_t from, std::size_t count)
{
    const auto begin = from == 0 ? 0 : strings.ends[from - 1];
    if (strings.ends[from + count - 1] == begin) {
        out += kAllAbsent;
        return;
    }
    out += kStrings;
    for (auto row = from; row < from + count; ++row) {
        const auto bytes = strings.at(row);
        put_varint(out, bytes.size());
        out += bytes;
    }
}

// Where the values of one column go; none: they are skipped.
struct Target {
    std::vector<std::int64_t>* numbers = nullptr;
    BytesColumn* strings = nullptr;
};

Status take_numbers(std::string_view& in, bool same, std::size_t rows, const Target& to)
{
    for (std::size_t row = 0; row < rows; ++row) {
        const auto value = take_varint(in);
        if (!value) return corrupt("numbers that are cut short");
        if (to.numbers) to.numbers->insert(to.numbers->end(), same ? rows : 1, unpacked(*value));
        if (same) break;
    }
    return {};
}

Status take_strings(std::string_view& in, std::size_t rows, const Target& to)
{
    for (std::size_t row = 0; row < rows; ++row) {
        const auto length = take_varint(in);
        if (!length || *length > in.size()) return corrupt("a string that is cut short");
        if (to.strings) to.strings->push(in.substr(0, *length));
        in.remove_prefix(*length);
    }
    return {};
}

Status take_column(std::string_view& in, std::size_t rows, const Target& to)
{
    if (in.empty()) return corrupt("fewer columns than announced");
    const auto form = in.front();
    in.remove_prefix(1);
    const bool numbers = form == kOneNumber || form == kNumbers;
    if ((numbers && to.strings) || (form == kStrings && to.numbers)) return corrupt("a column of the wrong type");
    if (numbers) return take_numbers(in, form == kOneNumber, rows, to);
    if (form == kStrings) return take_strings(in, rows, to);
    return form == kAllAbsent ? Status{} : corrupt("a column of unknown form");
}

// Absent values up to `rows`, or fewer values.
void resize(ColumnValues& column, ColumnType type, std::size_t rows)
{
    auto& strings = column.bytes;
    if (type == ColumnType::Integer) return column.numbers.resize(rows, kAbsent);
    if (rows < strings.size()) strings.data.resize(rows == 0 ? 0 : strings.ends[rows - 1]);
    strings.ends.resize(rows, std::uint32_t(strings.data.size()));
}

void resize(ChildRows& table, std::span<const ChildColumn> declared, std::size_t rows)
{
    table.count = rows;
    table.columns.resize(declared.size());
    for (std::size_t i = 0; i < declared.size(); ++i) resize(table.columns[i], declared[i].type, rows);
}

Status take_columns(std::span<const ChildColumn> declared, std::string_view in, std::size_t rows, ChildRows& out)
{
    const auto columns = take_varint(in);
    if (!columns || *columns > kChildColumnsMax) return corrupt("too many columns");
    for (std::size_t i = 0; i < *columns; ++i) {
        Target to;
        if (i < declared.size() && declared[i].type == ColumnType::Integer) to.numbers = &out.columns[i].numbers;
        else if (i < declared.size()) to.strings = &out.columns[i].bytes;
        NW_CHECK(take_column(in, rows, to));
    }
    return in.empty() ? Status{} : corrupt("more bytes than columns");
}

}  // namespace

void add_row(ChildRows& table, std::span<const ChildColumn> declared) { resize(table, declared, table.count + 1); }

void set(ChildRows& table, std::size_t column, std::int64_t number) { table.columns[column].numbers.back() = number; }

void set(ChildRows& table, std::size_t column, std::string_view bytes)
{
    auto& strings = table.columns[column].bytes;
    strings.data += bytes;
    strings.ends.back() = std::uint32_t(strings.data.size());
}

std::string encode_child_rows(std::span<const ChildColumn> declared, const ChildRows& table)
{
    return encode_child_rows(declared, table, 0, table.count);
}

std::string encode_child_rows(std::span<const ChildColumn> declared, const ChildRows& tables, std::size_t from,
                              std::size_t count)
{
    std::string out;
    if (count == 0) return out;
    NW_ASSERT(count <= kChildRowsMax && from + count <= tables.count && tables.columns.size() == declared.size());
    put_varint(out, count);
    put_varint(out, declared.size());
    for (std::size_t i = 0; i < declared.size(); ++i) {
        if (declared[i].type == ColumnType::Integer)
            put_numbers(out, std::span(tables.columns[i].numbers).subspan(from, count));
        else put_strings(out, tables.columns[i].bytes, from, count);
    }
    return out;
}

Result<std::size_t> append_child_rows(std::span<const ChildColumn> declared, std::string_view bytes, ChildRows& out)
{
    out.columns.resize(declared.size());
    if (bytes.empty()) return std::size_t{0};
    const auto rows = take_varint(bytes);
    if (!rows || *rows == 0 || *rows > kChildRowsMax) return corrupt("no rows, or too many");
    const auto before = out.count;
    const auto taken = take_columns(declared, bytes, *rows, out);
    resize(out, declared, taken ? before + *rows : before);
    NW_CHECK(taken);
    return std::size_t(*rows);
}

std::size_t child_row_count(std::string_view bytes) { return std::size_t(take_varint(bytes).value_or(0)); }

Result<ChildRows> decode_child_rows(std::span<const ChildColumn> declared, std::string_view bytes)
{
    ChildRows table;
    NW_CHECK(append_child_rows(declared, bytes, table));
    return table;
}

}  // namespace nw
