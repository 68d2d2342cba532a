// Builds one Aggregate from many samples: histograms are counted in a flat array instead of being merged one by one.
// Reused from bucket to bucket: take() gives the aggregate and starts anew.
#pragma once

#include "model/kind.hpp"
#include "model/rows.hpp"
#include "quality/aggregate.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace nw::quality {

class Accumulator {
public:
    explicit Accumulator(const Kind& kind);

    void add(const Rows& rows, std::size_t row);
    // A sample in parts: begin_run, then its columns in any order.
    void begin_run(std::int64_t at_us, Outcome outcome);
    void number(std::size_t column, std::int64_t value) { roll_up(column, value, at_us_); }
    // `histogram` is the position among the kind's histogram columns. Bytes that do not decode add what came before.
    void histogram(std::size_t histogram, std::string_view compact);
    void add(const Aggregate& aggregate);

    bool empty() const { return sum_.runs == 0; }
    // Takes exactly the room that it needs: thousands are held at a time.
    Aggregate take();
    // Into an aggregate of the same kind, whose room is used again: for those that are soon written and gone.
    void take(Aggregate& into);

private:
    struct Counts {
        std::vector<std::uint64_t> buckets{};
        std::uint32_t low = kBucketCount;  // of the buckets in use
        std::uint32_t high = 0;
    };
    struct Layout {
        std::size_t column = 0;
        ColumnType type = ColumnType::Integer;
    };

    void put_down(std::size_t histogram, std::vector<Histogram::Entry>& entries);
    void roll_up(std::size_t column, std::int64_t value, std::int64_t at_us);

    const Kind& kind_;
    std::vector<Layout> layout_{};
    std::int64_t at_us_ = 0;
    Aggregate sum_{};
    std::vector<Counts> counts_{};
};

}  // namespace nw::quality
