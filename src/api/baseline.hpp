// What is usual for a probe in each bucket of a series (quality/baseline.hpp), from the same hours one week before.
#pragma once

#include "api/ranges.hpp"
#include "quality/baseline.hpp"

#include <optional>
#include <vector>

namespace nw::api {

struct UsualColumn {
    const Column* column = nullptr;  // the histogram whose medians were taken
    std::vector<std::optional<quality::Baseline>> buckets{};
};

// `range` is whole buckets of `step_us`. Nothing when the kind has no distribution, when the range is too long for it, or
// when it lies so far back that the five-minute values of the week before are gone.
Task<Result<std::optional<UsualColumn>>> read_baseline(store::Telemetry& telemetry, const ProbeAndKind& of,
                                                       store::TimeRange range, std::int64_t step_us);

}  // namespace nw::api
