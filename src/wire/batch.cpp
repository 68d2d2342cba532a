#include "wire/batch.hpp"

#include "wire/health_pb.hpp"

#include "agent.pb.h"
#include <google/protobuf/arena.h>

#include <algorithm>

namespace nw::wire {
namespace {

void put_bytes(pb::ColumnBlock& block, const BytesColumn& column)
{
    if (column.data.empty()) return;  // every row empty: nothing to say
    block.set_data(column.data);
    block.mutable_lengths()->Reserve(int(column.size()));
    std::uint32_t begin = 0;
    for (const auto end : column.ends) {
        block.add_lengths(end - begin);
        begin = end;
    }
}

// Absent numbers repeat a value far from all others; deltas against it would be long, so a column starts its
// deltas anew around each absent value: the delta is taken from the last present one, and absence is the
// one delta that no pair of valid values can make.
constexpr std::int64_t kAbsentDelta = kAbsent;

void put_numbers(pb::ColumnBlock& block, const std::vector<std::int64_t>& numbers)
{
    if (std::ranges::all_of(numbers, [](auto n) { return n == kAbsent; })) return;
    block.mutable_numbers()->Reserve(int(numbers.size()));
    std::int64_t last = 0;
    for (const auto number : numbers) {
        if (number == kAbsent) {
            block.add_numbers(kAbsentDelta);
            continue;
        }
        block.add_numbers(std::int64_t(std::uint64_t(number) - std::uint64_t(last)));
        last = number;
    }
}

void put_rows(pb::KindRows& out, const Rows& rows, std::uint64_t first_seq)
{
    out.set_kind(rows.kind->number);
    std::int64_t last_at = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        out.add_seq_offset(std::uint32_t(rows.seq[i] - first_seq));
        out.add_probe(std::uint64_t(rows.probe[i]));
        out.add_at_delta_us(rows.at_us[i] - last_at);
        last_at = rows.at_us[i];
        out.add_outcome(std::uint32_t(rows.outcome[i]));
        out.add_clock(std::uint32_t(rows.clock[i]));
    }
    put_bytes(*out.mutable_address(), rows.address);
    put_bytes(*out.mutable_reason(), rows.reason);
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        auto& block = *out.add_columns();
        if (rows.kind->columns[i].type == ColumnType::Integer) put_numbers(block, rows.columns[i].numbers);
        else put_bytes(block, rows.columns[i].bytes);
    }
}

auto corrupt(std::string_view what) { return fail(Errc::Corrupt, "batch: " + std::string(what)); }

Status take_bytes(const pb::ColumnBlock& block, std::size_t rows, std::size_t each_max, BytesColumn& out)
{
    out.data = block.data();
    if (block.lengths().empty()) {
        if (!out.data.empty()) return corrupt("bytes without lengths");
        out.ends.assign(rows, 0);
        return {};
    }
    if (std::size_t(block.lengths_size()) != rows) return corrupt("a byte column with the wrong number of rows");
    out.ends.reserve(rows);
    std::uint64_t end = 0;
    for (const auto length : block.lengths()) {
        end += length;
        if (length > each_max || end > out.data.size()) return corrupt("a value longer than allowed");
        out.ends.push_back(std::uint32_t(end));
    }
    if (end != out.data.size()) return corrupt("lengths that do not add up");
    return {};
}

Status take_numbers(const pb::ColumnBlock& block, std::size_t rows, std::vector<std::int64_t>& out)
{
    if (block.numbers().empty()) {
        out.assign(rows, kAbsent);
        return {};
    }
    if (std::size_t(block.numbers_size()) != rows) return corrupt("a number column with the wrong number of rows");
    out.reserve(rows);
    std::int64_t last = 0;
    for (const auto delta : block.numbers()) {
        if (delta == kAbsentDelta) {
            out.push_back(kAbsent);
            continue;
        }
        last = std::int64_t(std::uint64_t(last) + std::uint64_t(delta));
        out.push_back(last);
    }
    return {};
}

Status take_identity(const pb::KindRows& in, const Batch& batch, std::vector<bool>& seen, Rows& rows)
{
    const auto count = std::size_t(in.seq_offset_size());
    if (std::size_t(in.probe_size()) != count || std::size_t(in.at_delta_us_size()) != count
        || std::size_t(in.outcome_size()) != count || std::size_t(in.clock_size()) != count)
        return corrupt("columns of different length");
    rows.seq.reserve(count);
    rows.probe.reserve(count);
    rows.at_us.reserve(count);
    rows.outcome.reserve(count);
    rows.clock.reserve(count);
    std::int64_t at = 0;
    for (int i = 0; i < int(count); ++i) {
        const auto offset = in.seq_offset(i);
        if (offset >= batch.count || seen[offset]) return corrupt("a sequence outside the batch or twice in it");
        seen[offset] = true;
        const auto outcome = outcome_from(in.outcome(i));
        if (!outcome) return corrupt("an unknown outcome");
        if (in.clock(i) >= kClockSourceNames.size()) return corrupt("an unknown clock source");
        at = std::int64_t(std::uint64_t(at) + std::uint64_t(in.at_delta_us(i)));
        // 1970 to 2100: beyond it no clock is believable and day arithmetic would overflow.
        if (at < 0 || at > 4'102'444'800'000'000) return corrupt("a time outside 1970 to 2100");
        rows.seq.push_back(batch.first_seq + offset);
        rows.probe.push_back(ProbeId(in.probe(i)));
        rows.at_us.push_back(at);
        rows.outcome.push_back(*outcome);
        rows.clock.push_back(ClockSource(in.clock(i)));
    }
    return {};
}

Status check_addresses(const BytesColumn& addresses)
{
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto length = addresses.at(i).size();
        if (length != 0 && length != 4 && length != 16) return corrupt("an address that is neither IPv4 nor IPv6");
    }
    return {};
}

Result<Rows> take_rows(const pb::KindRows& in, const Batch& batch, const Kinds& kinds, std::vector<bool>& seen)
{
    const auto* kind = kinds.by_number(in.kind());
    if (!kind) return corrupt("unknown probe kind " + std::to_string(in.kind()));
    auto rows = make_rows(*kind);
    NW_CHECK(take_identity(in, batch, seen, rows));
    const auto count = rows.size();
    NW_CHECK(take_bytes(in.address(), count, 16, rows.address));
    NW_CHECK(check_addresses(rows.address));
    NW_CHECK(take_bytes(in.reason(), count, kReasonBytesMax, rows.reason));
    // A newer agent may send more columns than we know; an older one fewer: those are absent.
    static const pb::ColumnBlock nothing;
    for (std::size_t i = 0; i < kind->columns.size(); ++i) {
        const auto& block = int(i) < in.columns_size() ? in.columns(int(i)) : nothing;
        auto& column = rows.columns[i];
        if (kind->columns[i].type == ColumnType::Integer) NW_CHECK(take_numbers(block, count, column.numbers));
        else NW_CHECK(take_bytes(block, count, kTextBytesMax, column.bytes));
    }
    return rows;
}

}  // namespace

std::string encode_rows(const Rows& rows)
{
    pb::KindRows out;
    put_rows(out, rows, 0);
    return out.SerializeAsString();
}

Result<Rows> decode_rows(std::string_view bytes, const Kinds& kinds)
{
    if (bytes.size() > kBatchBytesMax) return corrupt("rows larger than 1 MiB");
    pb::KindRows in;
    if (!in.ParseFromArray(bytes.data(), int(bytes.size()))) return corrupt("rows that are no protobuf message");
    const auto count = std::uint32_t(in.seq_offset_size());
    if (count > kBatchRowsMax) return corrupt("too many rows");
    std::vector<bool> seen(count);
    return take_rows(in, {.count = count}, kinds, seen);
}

std::string encode_batch(const Batch& batch)
{
    google::protobuf::Arena arena;
    auto& out = *google::protobuf::Arena::CreateMessage<pb::Batch>(&arena);
    out.set_stream(std::uint64_t(batch.stream));
    out.set_first_seq(batch.first_seq);
    out.set_count(batch.count);
    out.set_clock_offset_us(batch.clock_offset_us);
    out.set_clock_uncertainty_us(batch.clock_uncertainty_us);
    for (const auto& rows : batch.kinds) put_rows(*out.add_kinds(), rows, batch.first_seq);
    if (batch.health) to_pb(*batch.health, *out.mutable_health());
    return out.SerializeAsString();
}

Result<Batch> decode_batch(std::string_view bytes, const Kinds& kinds, Completeness completeness)
{
    if (bytes.size() > kBatchBytesMax) return corrupt("larger than 1 MiB");
    google::protobuf::Arena arena;
    auto& in = *google::protobuf::Arena::CreateMessage<pb::Batch>(&arena);
    if (!in.ParseFromArray(bytes.data(), int(bytes.size()))) return corrupt("not a protobuf message");
    Batch batch{.stream = StreamId(in.stream()),
                .first_seq = in.first_seq(),
                .count = in.count(),
                .clock_offset_us = in.clock_offset_us(),
                .clock_uncertainty_us = in.clock_uncertainty_us()};
    if (batch.count == 0 || batch.count > kBatchRowsMax) return corrupt("must hold 1 to 10000 sequences");
    if (batch.first_seq == 0 || batch.first_seq > UINT64_MAX / 2) return corrupt("sequence out of range");
    std::vector<bool> seen(batch.count);
    std::size_t total = 0;
    for (const auto& kind : in.kinds()) {
        NW_TRY(auto rows, take_rows(kind, batch, kinds, seen));
        total += rows.size();
        batch.kinds.push_back(std::move(rows));
    }
    if (completeness == Completeness::Full && total != batch.count) return corrupt("sequences without a row");
    if (in.has_health()) batch.health = from_pb(in.health());
    return batch;
}

}  // namespace nw::wire
