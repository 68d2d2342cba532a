#include "quality/baseline.hpp"

#include <algorithm>
#include <cmath>

namespace nw::quality {
namespace {

constexpr std::uint32_t kCountMin = 6;
// Medians come from a histogram that is exact to 0.78 % (quality/histogram.hpp). A quiet path would otherwise have a
// deviation of nearly nothing, and every microsecond would be "40 σ".
constexpr double kSigmaMinRatio = 0.01;

}  // namespace

std::optional<Baseline> baseline_of(std::span<const std::optional<double>> medians)
{
    Baseline found;
    double sum_squares = 0;
    for (const auto& median : medians) {
        if (!median) continue;
        // Welford: no difference of two large sums.
        ++found.count;
        const double delta = *median - found.mean;
        found.mean += delta / found.count;
        sum_squares += delta * (*median - found.mean);
    }
    if (found.count < kCountMin || std::size_t{2} * found.count < medians.size()) return std::nullopt;
    found.sigma = std::max(std::sqrt(sum_squares / (found.count - 1)), std::abs(found.mean) * kSigmaMinRatio);
    return found;
}

double deviation(const Baseline& baseline, double value)
{
    return baseline.sigma > 0 ? (value - baseline.mean) / baseline.sigma : 0;
}

}  // namespace nw::quality
