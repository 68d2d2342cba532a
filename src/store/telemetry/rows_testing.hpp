// Random samples for tests: of any kind, plausible and wild ones.
#pragma once

#include "base/random.hpp"
#include "model/child_rows.hpp"
#include "quality/histogram.hpp"
#include "store/telemetry/chunk.hpp"
#include "store/telemetry/rules.hpp"
#include "store/telemetry/telemetry.hpp"

#include <string>

namespace nw::store::testing_rows {

inline std::string random_histogram(Random& random)
{
    quality::Histogram histogram;
    for (auto n = random.below(30); n > 0; --n)
        histogram.add(Nanos(std::int64_t(1 + random.below(1ULL << (10 + random.below(30))))), 1 + random.below(5));
    return histogram.compact();
}

inline std::string random_child_rows(Random& random, const Column& column)
{
    ChildRows table;
    for (auto n = random.below(20); n > 0; --n) {
        add_row(table, column.children);
        for (std::size_t i = 0; i < column.children.size(); ++i) {
            if (random.below(6) == 0) continue;
            if (column.children[i].type == ColumnType::Integer) set(table, i, std::int64_t(random.below(1000)) - 10);
            else set(table, i, std::string(random.below(17), char('k' + random.below(4))));
        }
    }
    return encode_child_rows(column.children, table);
}

// Numbers that roll up exactly: no saturation, whatever is added.
inline Sample random_sample(Random& random, const Kind& kind, ProbeId probe, std::int64_t at_us, bool wild = false)
{
    auto sample = make_sample(kind, probe, from_us(at_us));
    sample.outcome = *outcome_from(random.below(4) == 0 ? random.below(kOutcomeCount) : 0);
    sample.clock = ClockSource(random.below(4));
    if (random.below(3) != 0) sample.address = std::string(random.below(2) == 0 ? 4 : 16, char(random.below(3)));
    if (sample.outcome != Outcome::Ok) sample.reason = "reason " + std::to_string(random.below(3));
    for (std::size_t i = 0; i < kind.columns.size(); ++i) {
        const auto chance = random.below(8);
        if (kind.columns[i].type == ColumnType::Integer) {
            if (chance == 0) continue;
            sample.numbers[i] = std::int64_t(random.below(1ULL << (1 + random.below(36)))) - (chance == 1 ? 1000 : 0);
            if (wild && chance == 2) sample.numbers[i] = std::int64_t(random.u64() | 1);
        } else if (kind.columns[i].type == ColumnType::Histogram) {
            if (chance != 0) sample.bytes[i] = random_histogram(random);
        } else if (kind.columns[i].type == ColumnType::Table) {
            if (chance != 0) sample.bytes[i] = random_child_rows(random, kind.columns[i]);
        } else {
            sample.bytes[i] = std::string(random.below(40), char('a' + random.below(26)));
        }
    }
    return sample;
}

// `count` rows of one probe in order.
inline StoredRows random_chunk(Random& random, const Kind& kind, ProbeId probe, std::uint32_t count, bool wild = false)
{
    auto rows = make_stored_rows(kind);
    auto at = std::int64_t(1'769'212'800'000'000) + std::int64_t(random.below(1'000'000));
    for (std::uint32_t i = 0; i < count; ++i) {
        at += wild ? std::int64_t(random.below(1'000'000'000)) : 60'000'000 + std::int64_t(random.below(2'000));
        append(rows.rows, 1000 + i * 20 + random.below(3), random_sample(random, kind, probe, at, wild));
        rows.agent.push_back(AgentId(random.below(10) == 0 ? 2 : 1));
        rows.stream.push_back(StreamId(77));
        rows.received_us.push_back((at + std::int64_t(random.below(90'000'000))) / 1000 * 1000);
        rows.correction_us.push_back(random.below(4) == 0 ? std::int64_t(random.below(1000)) - 500 : 0);
    }
    sort_rows(rows);
    return rows;
}

}  // namespace nw::store::testing_rows
