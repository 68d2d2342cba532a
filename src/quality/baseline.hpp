// What is usual at a time of the week: mean and standard deviation of the five-minute medians of the same hours one
// week before. A median per five minutes rather than every packet, so that the band says how the path moves and not
// how wide its smoke is; a chart draws it as mean ± 2σ.
//
// A window needs at least half of its medians, and half an hour of them: less is an anecdote, no baseline.
#pragma once

#include "quality/aggregate.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace nw::quality {

struct Baseline {
    double mean = 0;
    double sigma = 0;  // never below what the histogram can tell apart
    std::uint32_t count = 0;
    friend bool operator==(const Baseline&, const Baseline&) = default;
};

std::optional<Baseline> baseline_of(std::span<const std::optional<double>> medians);
// By how many standard deviations `value` lies above (or, negative, below) what is usual.
double deviation(const Baseline& baseline, double value);

}  // namespace nw::quality
