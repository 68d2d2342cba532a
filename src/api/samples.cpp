#include "api/csv_export.hpp"
#include "api/handlers.hpp"
#include "api/probe_view.hpp"
#include "api/ranges.hpp"
#include "api/sample_rows.hpp"

#include "base/json_writer.hpp"
#include "model/child_rows.hpp"

#include <algorithm>

namespace nw::api {
namespace {

constexpr std::uint32_t kRowsPerPage = 1000;
constexpr std::uint32_t kRowsPerExportPiece = 5000;
constexpr std::uint32_t kRowsWithValuesMax = 500;
constexpr std::size_t kValuesPerRowMax = 1000;  // as many packets as a ping may send; a count from outside may be anything

bool fits_a_cell(const Column& column) { return column.type == ColumnType::Integer || column.type == ColumnType::Text; }

// Every value of a histogram column, rising, as far as the histogram tells them apart.
void write_values(JsonWriter& json, const Rows& rows)
{
    json.object();
    for (std::size_t c = 0; c < rows.columns.size(); ++c) {
        const auto& column = rows.kind->columns[c];
        if (column.type != ColumnType::Histogram) continue;
        json.key(column.name).array();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            json.array();
            std::size_t left = kValuesPerRowMax;
            if (const auto histogram = quality::Histogram::from_compact(rows.columns[c].bytes.at(i)))
                for (const auto& entry : histogram->entries())
                    for (auto k = std::min<std::uint64_t>(entry.count, left); k > 0; --k, --left)
                        json.number(in_unit(quality::bucket_value(entry.bucket), column.unit));
            json.end_array();
        }
        json.end_array();
    }
    json.end_object();
}

}  // namespace

void write_rows(JsonWriter& json, const Rows& rows)
{
    json.object().key("at_us").array();
    for (const auto at : rows.at_us) json.number(at);
    json.end_array().key("outcome").array();
    for (const auto outcome : rows.outcome) json.text(name_of(outcome));
    json.end_array().key("reason").array();
    for (std::size_t i = 0; i < rows.size(); ++i) json.text(rows.reason.at(i));
    json.end_array().key("address").array();
    for (std::size_t i = 0; i < rows.size(); ++i) json.text(ip_text(rows.address.at(i)));
    json.end_array().key("clock").array();
    for (const auto clock : rows.clock) json.text(kClockSourceNames[std::size_t(clock)]);
    json.end_array().key("columns").object();
    for (std::size_t c = 0; c < rows.columns.size(); ++c) {
        const auto& column = rows.kind->columns[c];
        if (!fits_a_cell(column)) continue;
        json.key(column.name).array();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (column.type == ColumnType::Text) json.text(rows.columns[c].bytes.at(i));
            else if (rows.columns[c].numbers[i] == kAbsent) json.null();
            else json.number(rows.columns[c].numbers[i]);
        }
        json.end_array();
    }
    json.end_object().end_object();
}

Task<Reply> list_samples(Services& services, Call& call)
{
    NW_CO_TRY(const auto of, co_await probe_of(services, call));
    NW_CO_TRY(const auto range, range_of(call));
    NW_CO_TRY(const bool values, query_flag(call, "values"));
    NW_CO_TRY(const auto page, page_of(call, values ? kRowsWithValuesMax : kRowsPerPage,
                                       values ? kRowsWithValuesMax : store::kSamplesPerPageMax));
    NW_CO_TRY(const auto found,
              co_await services.telemetry.samples(
                  {.probe = of.probe.id, .kind = of.kind, .range = range, .limit = page.limit, .cursor = page.cursor}));
    JsonWriter json;
    json.object()
        .field("probe", to_text(of.probe.id))
        .field("kind", of.kind->name)
        .field("count", std::uint64_t{found.rows.size()})
        .key("rows");
    write_rows(json, found.rows.rows);
    if (values) {
        json.key("values");
        write_values(json, found.rows.rows);
    }
    json.key("next_cursor");
    if (found.next.empty()) json.null();
    else json.text(found.next);
    json.end_object();
    co_return json_response(std::move(json).str());
}

namespace {

void write_csv(CsvWriter& csv, const Rows& rows)
{
    for (std::size_t i = 0; i < rows.size(); ++i) {
        csv.text(iso_time(rows.at_us[i]))
            .number(rows.at_us[i])
            .text(name_of(rows.outcome[i]))
            .text(rows.reason.at(i))
            .text(ip_text(rows.address.at(i)))
            .text(kClockSourceNames[std::size_t(rows.clock[i])]);
        for (std::size_t c = 0; c < rows.columns.size(); ++c) {
            const auto type = rows.kind->columns[c].type;
            if (type == ColumnType::Text) csv.text(rows.columns[c].bytes.at(i));
            else if (type == ColumnType::Integer && rows.columns[c].numbers[i] == kAbsent) csv.empty();
            else if (type == ColumnType::Integer) csv.number(rows.columns[c].numbers[i]);
        }
        csv.end_row();
    }
}

void write_child(CsvWriter& csv, const ChildColumn& column, const ColumnValues& values, std::size_t row)
{
    if (column.type == ColumnType::Text)
        csv.text(column.unit == "ip" ? ip_text(values.bytes.at(row)) : std::string(values.bytes.at(row)));
    else if (const auto number = values.numbers[row]; number == kAbsent) csv.empty();
    else if (number >= 0 && std::size_t(number) < column.names.size()) csv.text(column.names[std::size_t(number)]);
    else csv.number(number);
}

// One line per child row, with the time of its run.
void write_table(CsvWriter& csv, const Rows& rows, const Column& column)
{
    const auto& tables = rows.columns[*rows.kind->column_index(column.name)].bytes;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto children = decode_child_rows(column.children, tables.at(i));
        for (std::size_t row = 0; children && row < children->count; ++row) {
            csv.text(iso_time(rows.at_us[i])).number(rows.at_us[i]);
            for (std::size_t c = 0; c < column.children.size(); ++c)
                write_child(csv, column.children[c], children->columns[c], row);
            csv.end_row();
        }
    }
}

// The column of child rows that is asked for; none when the runs themselves are.
Result<const Column*> table_of(const Kind& kind, std::string_view name)
{
    if (name.empty()) return static_cast<const Column*>(nullptr);
    for (const auto& column : kind.columns)
        if (column.type == ColumnType::Table && column.name == name) return &column;
    return fail_field("table", "must be a table of the probe's kind");
}

Task<Result<std::string>> write_page(Services& services, const ProbeAndKind& of, store::TimeRange range, const Column* table,
                                     CsvWriter& csv, std::string cursor)
{
    NW_CO_TRY(auto page, co_await services.telemetry.samples({.probe = of.probe.id,
                                                              .kind = of.kind,
                                                              .range = range,
                                                              .limit = kRowsPerExportPiece,
                                                              .cursor = std::move(cursor)}));
    if (table) write_table(csv, page.rows.rows, *table);
    else write_csv(csv, page.rows.rows);
    co_return std::move(page.next);
}

}  // namespace

Task<Reply> export_samples(Services& services, Call& call)
{
    NW_CO_TRY(auto of, co_await probe_of(services, call));
    NW_CO_TRY(const auto range, range_of(call));
    NW_CO_TRY(const auto* table, table_of(*of.kind, call.request.query["table"]));
    CsvExport source{.file_name = std::string(table ? table->name : of.kind->name) + "-" + to_text(of.probe.id) + ".csv",
                     .header = {"at", "at_us"}};
    if (!table) source.header.insert(source.header.end(), {"outcome", "reason", "address", "clock"});
    for (const auto& column : of.kind->columns)
        if (!table && fits_a_cell(column)) source.header.push_back(column.name);
    if (table)
        for (const auto& child : table->children) source.header.push_back(child.name);
    source.page = [&services, of = std::move(of), range, table](CsvWriter& csv, std::string cursor) {
        return write_page(services, of, range, table, csv, std::move(cursor));
    };
    co_return csv_response(std::move(source));
}

}  // namespace nw::api
