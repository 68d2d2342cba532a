#include "model/rows.hpp"

#include "base/assert.hpp"

namespace nw {

Rows make_rows(const Kind& kind)
{
    Rows rows;
    rows.kind = &kind;
    rows.columns.resize(kind.columns.size());
    return rows;
}

Sample make_sample(const Kind& kind, ProbeId probe, WallTime at)
{
    Sample sample{.probe = probe, .kind = &kind, .at = at};
    sample.numbers.assign(kind.columns.size(), kAbsent);
    sample.bytes.resize(kind.columns.size());
    return sample;
}

void append(Rows& rows, std::uint64_t seq, const Sample& sample)
{
    NW_ASSERT(rows.kind == sample.kind);
    rows.seq.push_back(seq);
    rows.probe.push_back(sample.probe);
    rows.at_us.push_back(to_us(sample.at));
    rows.outcome.push_back(sample.outcome);
    rows.clock.push_back(sample.clock);
    rows.address.push(sample.address);
    rows.reason.push(sample.reason);
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        if (rows.kind->columns[i].type == ColumnType::Integer) rows.columns[i].numbers.push_back(sample.numbers[i]);
        else rows.columns[i].bytes.push(sample.bytes[i]);
    }
}

Sample sample_at(const Rows& rows, std::size_t row)
{
    auto sample = make_sample(*rows.kind, rows.probe[row], from_us(rows.at_us[row]));
    sample.outcome = rows.outcome[row];
    sample.clock = rows.clock[row];
    sample.address = rows.address.at(row);
    sample.reason = rows.reason.at(row);
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        if (rows.kind->columns[i].type == ColumnType::Integer) sample.numbers[i] = rows.columns[i].numbers[row];
        else sample.bytes[i] = rows.columns[i].bytes.at(row);
    }
    return sample;
}

void append_row(Rows& to, const Rows& from, std::size_t row)
{
    NW_ASSERT(to.kind == from.kind);
    to.seq.push_back(from.seq[row]);
    to.probe.push_back(from.probe[row]);
    to.at_us.push_back(from.at_us[row]);
    to.outcome.push_back(from.outcome[row]);
    to.clock.push_back(from.clock[row]);
    to.address.push(from.address.at(row));
    to.reason.push(from.reason.at(row));
    for (std::size_t i = 0; i < to.columns.size(); ++i) {
        if (to.kind->columns[i].type == ColumnType::Integer) to.columns[i].numbers.push_back(from.columns[i].numbers[row]);
        else to.columns[i].bytes.push(from.columns[i].bytes.at(row));
    }
}

}  // namespace nw
