// Samples of one probe kind over a range of time, as the kind's declaration rolls them up, and the metrics that are
// computed from that. Merging is exact and gives the same result in any order: counts, sums and histogram buckets
// are added, ratios and percentiles are computed from the merged values and never averaged.
//
// Pure. A sum that does not fit 64 bits stays at the largest value, and metrics that need it have no value:
// a number that is not true is not shown.
#pragma once

#include "base/result.hpp"
#include "model/kind.hpp"
#include "model/outcome.hpp"
#include "model/rows.hpp"
#include "quality/histogram.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::quality {

struct Aggregate {
    std::uint64_t runs = 0;
    std::array<std::uint64_t, kOutcomeCount> outcomes{};
    std::int64_t first_at_us = kAbsent;
    std::int64_t last_at_us = kAbsent;
    // Parallel to the kind's columns; kAbsent where no run had a value, and for columns that are not integers.
    std::vector<std::int64_t> numbers{};
    // For columns that roll up by Last: when their value was measured. Parallel to `numbers`.
    std::vector<std::int64_t> measured_us{};
    // One per column of type Histogram, in the order of the columns.
    std::vector<Histogram> histograms{};

    bool empty() const { return runs == 0; }
    friend bool operator==(const Aggregate&, const Aggregate&) = default;
};

Aggregate make_aggregate(const Kind& kind);
// Empty again, without giving its room away.
void clear(Aggregate& aggregate);

// Adds row `row`. A histogram that does not decode is left out; decoders upstream refuse such rows.
void add(Aggregate& to, const Rows& rows, std::size_t row);
// Both are of `kind`.
void merge(const Kind& kind, Aggregate& to, const Aggregate& from);

// Position of column `column` in Aggregate::histograms; nothing when it is no histogram.
std::optional<std::size_t> histogram_index(const Kind& kind, std::string_view column);

// The metric's value in the metric's unit; nothing when it cannot be computed (no packets, no such column).
std::optional<double> evaluate(const Kind& kind, const Metric& metric, const Aggregate& aggregate);

// Compact bytes of an aggregate, as roll-ups and summaries store it. Layout: docs/storage.md.
void encode(const Kind& kind, const Aggregate& aggregate, std::string& out);
enum class Histograms : std::uint8_t { Read, Skip };
// Takes one aggregate off the front of `in`. Columns that were declared later than the bytes were written are absent.
Result<Aggregate> decode_aggregate(const Kind& kind, std::string_view& in, Histograms histograms = Histograms::Read);

}  // namespace nw::quality
