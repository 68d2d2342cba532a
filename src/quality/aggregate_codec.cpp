// Bytes of an aggregate: varint length of the body, then the body:
//   runs | mask of outcomes that occurred, a count for each | zigzag first_at | last_at - first_at
//   | number of columns declared at writing | per integer column zigzag(value) + 1, 0 for absent, and for Last
//   columns zigzag(last_at - measured) | per histogram column length and compact form.
// All numbers are varints. The length lets a reader skip columns that it does not know.
#include "quality/aggregate.hpp"

#include "base/varint.hpp"

#include <algorithm>

namespace nw::quality {
namespace {

auto corrupt() { return fail(Errc::Corrupt, "aggregate: cut short or out of range"); }

std::int64_t wrapping_sub(std::int64_t a, std::int64_t b) { return std::int64_t(std::uint64_t(a) - std::uint64_t(b)); }

void put_body(const Kind& kind, const Aggregate& aggregate, std::string& out)
{
    put_varint(out, aggregate.runs);
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < kOutcomeCount; ++i) mask |= std::uint64_t(aggregate.outcomes[i] != 0) << i;
    put_varint(out, mask);
    for (const auto count : aggregate.outcomes)
        if (count) put_varint(out, count);
    put_varint(out, zigzag(aggregate.first_at_us));
    put_varint(out, std::uint64_t(wrapping_sub(aggregate.last_at_us, aggregate.first_at_us)));
    put_varint(out, kind.columns.size());
    for (std::size_t i = 0; i < kind.columns.size(); ++i) {
        if (kind.columns[i].type != ColumnType::Integer) continue;
        const auto value = aggregate.numbers[i];
        put_varint(out, value == kAbsent ? 0 : zigzag(value) + 1);
        if (kind.columns[i].rollup == Rollup::Last && value != kAbsent)
            put_varint(out, zigzag(wrapping_sub(aggregate.last_at_us, aggregate.measured_us[i])));
    }
    for (const auto& histogram : aggregate.histograms) {
        put_varint(out, histogram.compact_bytes());
        histogram.put_compact(out);
    }
}

bool take(std::string_view& in, std::uint64_t& value)
{
    const auto taken = take_varint(in);
    if (taken) value = *taken;
    return taken.has_value();
}

bool take_head(std::string_view& in, Aggregate& to, std::uint64_t& columns)
{
    std::uint64_t mask = 0;
    std::uint64_t first = 0;
    std::uint64_t span = 0;
    if (!take(in, to.runs) || !take(in, mask) || mask >> kOutcomeCount != 0) return false;
    for (std::size_t i = 0; i < kOutcomeCount; ++i)
        if ((mask >> i & 1) != 0 && !take(in, to.outcomes[i])) return false;
    if (!take(in, first) || !take(in, span) || !take(in, columns)) return false;
    to.first_at_us = unzigzag(first);
    to.last_at_us = std::int64_t(std::uint64_t(to.first_at_us) + span);
    return true;
}

bool take_numbers(std::string_view& in, const Kind& kind, std::size_t columns, Aggregate& to)
{
    for (std::size_t i = 0; i < columns; ++i) {
        if (kind.columns[i].type != ColumnType::Integer) continue;
        std::uint64_t value = 0;
        if (!take(in, value)) return false;
        if (value == 0) continue;
        to.numbers[i] = unzigzag(value - 1);
        if (kind.columns[i].rollup != Rollup::Last) continue;
        std::uint64_t age = 0;
        if (!take(in, age)) return false;
        to.measured_us[i] = wrapping_sub(to.last_at_us, unzigzag(age));
    }
    return true;
}

}  // namespace

void encode(const Kind& kind, const Aggregate& aggregate, std::string& out)
{
    std::string body;
    put_body(kind, aggregate, body);
    put_varint(out, body.size());
    out += body;
}

Result<Aggregate> decode_aggregate(const Kind& kind, std::string_view& in, Histograms histograms)
{
    const auto length = take_varint(in);
    if (!length || *length > in.size()) return corrupt();
    auto body = in.substr(0, *length);
    in.remove_prefix(*length);
    auto aggregate = make_aggregate(kind);
    std::uint64_t written = 0;
    if (!take_head(body, aggregate, written)) return corrupt();
    const auto columns = std::size_t(std::min<std::uint64_t>(written, kind.columns.size()));
    if (!take_numbers(body, kind, columns, aggregate)) return corrupt();
    if (histograms == Histograms::Skip) return aggregate;
    if (written > kind.columns.size()) return aggregate;  // numbers of unknown columns stand before the histograms
    std::size_t histogram = 0;
    for (std::size_t i = 0; i < columns; ++i) {
        if (kind.columns[i].type != ColumnType::Histogram) continue;
        std::uint64_t size = 0;
        if (!take(body, size) || size > body.size()) return corrupt();
        NW_TRY(aggregate.histograms[histogram++], Histogram::from_compact(body.substr(0, size)));
        body.remove_prefix(size);
    }
    return aggregate;
}

}  // namespace nw::quality
