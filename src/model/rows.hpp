// Samples of one probe kind, column by column: the shape in which results travel, are stored and are read.
// Row i of every vector belongs together.
#pragma once

#include "base/time.hpp"
#include "model/ids.hpp"
#include "model/kind.hpp"
#include "model/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nw {

// Byte strings end to end; an empty one is "no value".
struct BytesColumn {
    std::string data{};
    std::vector<std::uint32_t> ends{};  // ends[i] is where string i ends in `data`

    std::size_t size() const { return ends.size(); }
    std::string_view at(std::size_t row) const
    {
        const auto begin = row == 0 ? 0 : ends[row - 1];
        return std::string_view(data).substr(begin, ends[row] - begin);
    }
    void push(std::string_view bytes)
    {
        data += bytes;
        ends.push_back(std::uint32_t(data.size()));
    }
    friend bool operator==(const BytesColumn&, const BytesColumn&) = default;
};

// One declared column: `numbers` for Integer, `bytes` for Text and Histogram; the other stays empty.
struct ColumnValues {
    std::vector<std::int64_t> numbers{};
    BytesColumn bytes{};

    friend bool operator==(const ColumnValues&, const ColumnValues&) = default;
};

struct Rows {
    const Kind* kind = nullptr;
    std::vector<std::uint64_t> seq{};  // within the agent's stream
    std::vector<ProbeId> probe{};
    std::vector<std::int64_t> at_us{};  // when the run began, by the agent's clock
    std::vector<Outcome> outcome{};
    std::vector<ClockSource> clock{};
    BytesColumn address{};                // 4 or 16 bytes, network order; the address that was measured
    BytesColumn reason{};                 // why, when the outcome is not ok
    std::vector<ColumnValues> columns{};  // parallel to kind->columns

    std::size_t size() const { return probe.size(); }
    friend bool operator==(const Rows&, const Rows&) = default;
};

Rows make_rows(const Kind& kind);

// One sample as an engine makes it.
struct Sample {
    ProbeId probe{};
    const Kind* kind = nullptr;
    WallTime at{};
    Outcome outcome = Outcome::Ok;
    ClockSource clock = ClockSource::None;
    std::string address{};
    std::string reason{};
    std::vector<std::int64_t> numbers{};  // per column of the kind; kAbsent where there is no value
    std::vector<std::string> bytes{};     // per column of the kind; empty where there is no value

    friend bool operator==(const Sample&, const Sample&) = default;
};

// A sample with every column absent.
Sample make_sample(const Kind& kind, ProbeId probe, WallTime at);
void append(Rows& rows, std::uint64_t seq, const Sample& sample);
Sample sample_at(const Rows& rows, std::size_t row);
// Appends row `row` of `from`; both are of the same kind.
void append_row(Rows& to, const Rows& from, std::size_t row);

}  // namespace nw
