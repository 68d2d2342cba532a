#include "store/telemetry/chunk.hpp"

#include "base/assert.hpp"
#include "base/varint.hpp"
#include "model/child_rows.hpp"
#include "store/telemetry/column_codec.hpp"
#include "store/telemetry/rules.hpp"

#include <algorithm>
#include <numeric>

namespace nw::store {
namespace {

// Tags of sections. Never reused; a column's sections follow at kColumns + 4 * index, those of a table at
// kTables + 64 * index: rows per run, then each child column.
enum Tag : std::uint32_t {
    kTime = 1,
    kOutcome = 2,
    kSeq = 3,
    kSource = 4,
    kReceived = 5,
    kCorrection = 6,
    kAddress = 7,
    kReason = 8,
    kColumns = 64,
    kTables = 1 << 16
};

constexpr std::uint32_t column_tag(std::size_t column, std::size_t stream = 0)
{
    return std::uint32_t(kColumns + 4 * column + stream);
}

constexpr std::uint32_t table_tag(std::size_t column, std::size_t stream)
{
    return std::uint32_t(kTables + 64 * column + stream);
}

auto corrupt(const char* what) { return fail(Errc::Corrupt, std::string("chunk: ") + what); }

// Runs begin at an even pace: the change of the step is small where the step is not.
std::string encode_times(const std::vector<std::int64_t>& times)
{
    std::string out;
    std::int64_t last = 0;
    std::int64_t last_step = 0;
    for (const auto at : times) {
        const auto step = at - last;
        put_varint(out, zigzag(step - last_step));
        last = at;
        last_step = step;
    }
    return out;
}

Status decode_times(std::string_view section, std::uint32_t rows, std::vector<std::int64_t>& out)
{
    if (section.size() < rows) return corrupt("fewer times than rows");
    out.reserve(out.size() + rows);
    const auto* from = section.data();
    const auto* const end = from + section.size();
    std::uint64_t change = 0;
    std::int64_t at = 0;
    std::int64_t step = 0;
    for (std::uint32_t row = 0; row < rows; ++row) {
        if (!take_varint(from, end, change)) return corrupt("times that are cut short");
        step = std::int64_t(std::uint64_t(step) + std::uint64_t(unzigzag(change)));
        at = std::int64_t(std::uint64_t(at) + std::uint64_t(step));
        if (at < 0 || at > kTimeMaxUs) return corrupt("a time outside 1970 to 2100");
        out.push_back(at);
    }
    return from == end ? Status{} : corrupt("more times than rows");
}

std::string encode_outcomes(const Rows& rows)
{
    std::string out;
    for (std::size_t row = 0; row < rows.size(); ++row)
        out += char(std::uint8_t(rows.outcome[row]) | std::uint8_t(rows.clock[row]) << 4);
    return out;
}

Status decode_outcomes(std::string_view section, std::uint32_t rows, Rows& out)
{
    if (section.size() != rows) return corrupt("not one outcome per row");
    out.outcome.reserve(out.outcome.size() + rows);
    out.clock.reserve(out.clock.size() + rows);
    for (const char c : section) {
        const auto byte = std::uint8_t(c);
        const auto outcome = outcome_from(byte & 0x0f);
        if (!outcome || byte >> 4 >= int(kClockSourceNames.size())) return corrupt("an unknown outcome");
        out.outcome.push_back(*outcome);
        out.clock.push_back(ClockSource(byte >> 4));
    }
    return {};
}

std::string encode_sources(const StoredRows& rows)
{
    std::string out;
    for (std::size_t row = 0; row < rows.size();) {
        auto end = row + 1;
        while (end < rows.size() && rows.agent[end] == rows.agent[row] && rows.stream[end] == rows.stream[row]) ++end;
        put_varint(out, end - row);
        put_varint(out, std::uint64_t(rows.agent[row]));
        put_varint(out, std::uint64_t(rows.stream[row]));
        row = end;
    }
    return out;
}

Status decode_sources(std::string_view section, std::uint32_t rows, StoredRows& out)
{
    auto left = rows;
    while (left > 0) {
        const auto run = take_varint(section);
        const auto agent = take_varint(section);
        const auto stream = take_varint(section);
        if (!run || !agent || !stream || *run == 0 || *run > left) return corrupt("a run of agents out of range");
        out.agent.insert(out.agent.end(), *run, AgentId(*agent));
        out.stream.insert(out.stream.end(), *run, StreamId(*stream));
        left -= std::uint32_t(*run);
    }
    return section.empty() ? Status{} : corrupt("more agents than rows");
}

// Receive times are kept in milliseconds after the sample's own.
std::vector<std::int64_t> delays_ms(const StoredRows& rows)
{
    std::vector<std::int64_t> delays(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row)
        delays[row] = rows.received_us[row] / 1000 - rows.rows.at_us[row] / 1000;
    return delays;
}

std::vector<std::int64_t> signed_seqs(const Rows& rows)
{
    std::vector<std::int64_t> seqs;
    for (const auto seq : rows.seq) seqs.push_back(std::int64_t(seq));
    return seqs;
}

void put(std::vector<Section>& to, std::uint32_t tag, std::string bytes)
{
    if (!bytes.empty()) to.push_back({tag, std::move(bytes)});
}

std::vector<Section> hot_sections(const StoredRows& stored)
{
    const auto& rows = stored.rows;
    std::vector<Section> sections;
    put(sections, kTime, encode_times(rows.at_us));
    put(sections, kOutcome, encode_outcomes(rows));
    for (std::size_t i = 0; i < rows.columns.size(); ++i)
        if (rows.kind->columns[i].hot && rows.kind->columns[i].type == ColumnType::Integer)
            put(sections, column_tag(i), encode_numbers(rows.columns[i].numbers));
    return sections;
}

void put_table(std::vector<Section>& to, std::size_t index, const Column& column, const BytesColumn& tables)
{
    if (tables.data.empty()) return;
    ChildRows all;
    std::vector<std::int64_t> counts;
    for (std::size_t row = 0; row < tables.size(); ++row) {
        const auto count = append_child_rows(column.children, tables.at(row), all);
        counts.push_back(std::int64_t(count.value_or(0)));  // what does not decode was dropped on its way in
    }
    put(to, table_tag(index, 0), encode_numbers(counts));
    for (std::size_t i = 0; i < column.children.size(); ++i) {
        const auto& child = all.columns[i];
        put(to, table_tag(index, 1 + i),
            column.children[i].type == ColumnType::Integer ? encode_numbers(child.numbers) : encode_strings(child.bytes));
    }
}

std::vector<Section> rest_sections(const StoredRows& stored)
{
    const auto& rows = stored.rows;
    std::vector<Section> sections;
    put(sections, kSeq, encode_numbers(signed_seqs(rows)));
    put(sections, kSource, encode_sources(stored));
    put(sections, kReceived, encode_numbers(delays_ms(stored)));
    put(sections, kCorrection, encode_numbers(stored.correction_us));
    put(sections, kAddress, encode_strings(rows.address));
    put(sections, kReason, encode_strings(rows.reason));
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        const auto& column = rows.kind->columns[i];
        if (column.type == ColumnType::Integer && !column.hot)
            put(sections, column_tag(i), encode_numbers(rows.columns[i].numbers));
        if (column.type == ColumnType::Text) put(sections, column_tag(i), encode_strings(rows.columns[i].bytes));
        if (column.type == ColumnType::Table) put_table(sections, i, column, rows.columns[i].bytes);
    }
    return sections;
}

std::vector<Section> histogram_sections(const Rows& rows)
{
    std::vector<Section> sections;
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        if (rows.kind->columns[i].type != ColumnType::Histogram) continue;
        auto streams = encode_histograms(rows.columns[i].bytes);
        for (std::size_t s = 0; s < streams.size(); ++s) put(sections, column_tag(i, s), std::move(streams[s]));
    }
    return sections;
}

Status decode_hot(const Frame& frame, std::uint32_t count, Rows& rows)
{
    NW_CHECK(decode_times(frame.section(kTime), count, rows.at_us));
    NW_CHECK(decode_outcomes(frame.section(kOutcome), count, rows));
    for (std::size_t i = 0; i < rows.columns.size(); ++i)
        if (rows.kind->columns[i].hot && rows.kind->columns[i].type == ColumnType::Integer)
            NW_CHECK(decode_numbers(frame.section(column_tag(i)), count, rows.columns[i].numbers));
    return {};
}

Result<std::size_t> sum_of(std::span<const std::int64_t> counts)
{
    std::size_t sum = 0;
    for (const auto count : counts) {
        if (count < 0 || count > std::int64_t(kChildRowsMax)) return corrupt("child rows out of range");
        sum += std::size_t(count);
    }
    if (sum > kChunkChildRowsMax + kChildRowsMax) return corrupt("too many child rows");
    return sum;
}

// From the first to the last row whose time is wanted. Rows are in order of time, unless somebody wrote them who does
// not know that.
RowSpan rows_within(std::span<const std::int64_t> at_us, TimeRange wanted)
{
    RowSpan span;
    for (std::uint32_t row = 0; row < at_us.size(); ++row) {
        if (!wanted.contains(at_us[row])) continue;
        if (span.end == 0) span.begin = row;
        span.end = row + 1;
    }
    return span;
}

// `at_us` of the rows; the tables of those outside of `wanted` are left out.
Status decode_table(const Frame& frame, std::size_t index, const Column& column, std::span<const std::int64_t> at_us,
                    TimeRange wanted, BytesColumn& out)
{
    const auto count = std::uint32_t(at_us.size());
    if (frame.section(table_tag(index, 0)).empty()) {
        for (std::uint32_t row = 0; row < count; ++row) out.push({});
        return {};
    }
    std::vector<std::int64_t> counts;
    NW_CHECK(decode_numbers(frame.section(table_tag(index, 0)), count, counts));
    const auto span = rows_within(at_us, wanted);
    NW_TRY(const auto sum, sum_of(counts));
    NW_TRY(const auto before, sum_of(std::span(counts).first(span.begin)));
    NW_TRY(const auto within, sum_of(std::span(counts).subspan(span.begin, span.end - span.begin)));
    const RowSpan children{std::uint32_t(before), std::uint32_t(before + within)};
    ChildRows some{.count = within, .columns = std::vector<ColumnValues>(column.children.size())};
    for (std::size_t i = 0; i < column.children.size(); ++i) {
        const auto section = frame.section(table_tag(index, 1 + i));
        auto& child = some.columns[i];
        if (column.children[i].type == ColumnType::Integer)
            NW_CHECK(decode_numbers(section, std::uint32_t(sum), children, child.numbers));
        else NW_CHECK(decode_strings(section, std::uint32_t(sum), children, wire::kTextBytesMax, child.bytes));
    }
    std::size_t from = 0;
    for (std::uint32_t row = 0; row < count; ++row) {
        const auto held = std::size_t(counts[row]);
        out.push(wanted.contains(at_us[row]) ? encode_child_rows(column.children, some, from, held) : std::string());
        if (row >= span.begin && row < span.end) from += held;
    }
    return {};
}

Status decode_tables(const Frame& frame, std::uint32_t count, TimeRange wanted, Rows& rows)
{
    const auto at_us = std::span(rows.at_us).last(count);
    for (std::size_t i = 0; i < rows.columns.size(); ++i)
        if (rows.kind->columns[i].type == ColumnType::Table)
            NW_CHECK(decode_table(frame, i, rows.kind->columns[i], at_us, wanted, rows.columns[i].bytes));
    return {};
}

Status decode_rest(const Frame& frame, std::uint32_t count, StoredRows& stored)
{
    auto& rows = stored.rows;
    std::vector<std::int64_t> numbers;
    NW_CHECK(decode_numbers(frame.section(kSeq), count, numbers));
    rows.seq.insert(rows.seq.end(), numbers.begin(), numbers.end());
    NW_CHECK(decode_sources(frame.section(kSource), count, stored));
    numbers.clear();
    NW_CHECK(decode_numbers(frame.section(kReceived), count, numbers));
    const auto* at_us = &rows.at_us[rows.at_us.size() - count];
    for (std::size_t row = 0; row < count; ++row) {
        if (numbers[row] < -kTimeMaxUs || numbers[row] > kTimeMaxUs) return corrupt("a receive time out of range");
        stored.received_us.push_back((at_us[row] / 1000 + numbers[row]) * 1000);
    }
    NW_CHECK(decode_numbers(frame.section(kCorrection), count, stored.correction_us));
    NW_CHECK(decode_strings(frame.section(kAddress), count, 16, rows.address));
    NW_CHECK(decode_strings(frame.section(kReason), count, wire::kReasonBytesMax, rows.reason));
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        const auto& column = rows.kind->columns[i];
        if (column.type == ColumnType::Integer && !column.hot)
            NW_CHECK(decode_numbers(frame.section(column_tag(i)), count, rows.columns[i].numbers));
        if (column.type == ColumnType::Text)
            NW_CHECK(decode_strings(frame.section(column_tag(i)), count, wire::kTextBytesMax, rows.columns[i].bytes));
    }
    return {};
}

void resize(BytesColumn& column, std::size_t rows)
{
    if (rows < column.size()) column.data.resize(rows == 0 ? 0 : column.ends[rows - 1]);
    column.ends.resize(rows, std::uint32_t(column.data.size()));
}

// Absent values up to `count` rows, or fewer rows.
void resize(StoredRows& stored, std::size_t count)
{
    auto& rows = stored.rows;
    rows.probe.resize(count);
    rows.at_us.resize(count);
    rows.outcome.resize(count);
    rows.clock.resize(count);
    rows.seq.resize(count);
    stored.agent.resize(count);
    stored.stream.resize(count);
    stored.received_us.resize(count);
    stored.correction_us.resize(count);
    resize(rows.address, count);
    resize(rows.reason, count);
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        if (rows.kind->columns[i].type == ColumnType::Integer) rows.columns[i].numbers.resize(count, kAbsent);
        else resize(rows.columns[i].bytes, count);
    }
}

Status decode_all_histograms(const Frame& frame, std::uint32_t count, Rows& rows)
{
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        if (rows.kind->columns[i].type != ColumnType::Histogram) continue;
        NW_CHECK(decode_histograms({frame.section(column_tag(i, 0)), frame.section(column_tag(i, 1)),
                                    frame.section(column_tag(i, 2)), frame.section(column_tag(i, 3))},
                                   count, rows.columns[i].bytes));
    }
    return {};
}

Status decode_parts(Codec& codec, const ChunkView& chunk, ChunkParts parts, StoredRows& out)
{
    NW_TRY(const auto hot, codec.unpack(chunk.hot));
    NW_CHECK(decode_hot(hot, chunk.rows, out.rows));
    if (parts.rest) {
        NW_TRY(const auto rest, codec.unpack(chunk.rest, parts.tables ? UINT32_MAX : kTables));
        NW_CHECK(decode_rest(rest, chunk.rows, out));
        if (parts.tables) NW_CHECK(decode_tables(rest, chunk.rows, parts.tables_of, out.rows));
    }
    if (parts.histograms) {
        NW_TRY(const auto histograms, codec.unpack(chunk.histograms));
        NW_CHECK(decode_all_histograms(histograms, chunk.rows, out.rows));
    }
    return {};
}

}  // namespace

ChunkParts parts_for(const Kind& kind, const std::vector<const Metric*>& metrics)
{
    if (metrics.empty()) return {};
    ChunkParts parts{.rest = false, .histograms = false, .tables = false};
    for (const auto* metric : metrics) {
        for (const auto name : {metric->a, metric->b, metric->c}) {
            const auto index = kind.column_index(name);
            if (!index) continue;
            const auto& column = kind.columns[*index];
            if (column.type == ColumnType::Histogram) parts.histograms = true;
            if (column.type == ColumnType::Text || (column.type == ColumnType::Integer && !column.hot)) parts.rest = true;
        }
    }
    return parts;
}

StoredRows make_stored_rows(const Kind& kind)
{
    StoredRows rows;
    rows.rows = make_rows(kind);
    return rows;
}

void sort_rows(StoredRows& rows)
{
    std::size_t sorted_until = 1;
    while (sorted_until < rows.size() && position_of(rows, sorted_until - 1) <= position_of(rows, sorted_until))
        ++sorted_until;
    if (sorted_until >= rows.size()) return;
    std::vector<std::uint32_t> order(rows.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto position = [&](std::uint32_t row) { return position_of(rows, row); };
    std::ranges::sort(order, {}, position);
    auto sorted = make_stored_rows(*rows.rows.kind);
    for (const auto row : order) append_row(sorted, rows, row);
    rows = std::move(sorted);
}

std::size_t chunk_rows(const StoredRows& rows, std::size_t begin)
{
    const auto& kind = *rows.rows.kind;
    const auto most = std::min<std::size_t>(rows.size() - begin, kChunkRowsMax);
    auto fit = most;
    for (std::size_t i = 0; i < kind.columns.size(); ++i) {
        if (kind.columns[i].type != ColumnType::Table) continue;
        std::size_t children = 0;
        std::size_t count = 0;
        while (count < most && children <= kChunkChildRowsMax)
            children += child_row_count(rows.rows.columns[i].bytes.at(begin + count++));
        fit = std::min(fit, count);
    }
    return fit;
}

Chunk encode_chunk(Codec& codec, const StoredRows& rows)
{
    NW_ASSERT(rows.size() > 0 && rows.size() <= kChunkRowsMax);
    return {.t0_us = rows.rows.at_us.front(),
            .t1_us = rows.rows.at_us.back(),
            .rows = std::uint32_t(rows.size()),
            .hot = codec.pack(hot_sections(rows)),
            .rest = codec.pack(rest_sections(rows)),
            .histograms = codec.pack(histogram_sections(rows.rows))};
}

Status decode_chunk(Codec& codec, const Kind& kind, ProbeId probe, const ChunkView& chunk, ChunkParts parts, StoredRows& out)
{
    NW_ASSERT(out.rows.kind == &kind);
    if (chunk.rows == 0 || chunk.rows > kChunkRowsMax) return corrupt("no rows, or too many");
    const auto before = out.size();
    auto decoded = decode_parts(codec, chunk, parts, out);
    if (decoded) out.rows.probe.resize(before + chunk.rows, probe);
    resize(out, decoded ? before + chunk.rows : before);
    return decoded;
}

}  // namespace nw::store
