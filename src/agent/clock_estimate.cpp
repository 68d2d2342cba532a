#include "agent/clock_estimate.hpp"

#include <algorithm>

namespace nw::agent {
namespace {

constexpr std::size_t kSamplesMax = 64;
// Two crystals apart by 50 ppm each: microseconds of drift per second.
constexpr std::int64_t kDriftPpm = 100;

}  // namespace

void ClockEstimate::add(std::int64_t asked_us, std::int64_t controller_us, std::int64_t answered_us, Instant now)
{
    const auto round_trip = answered_us - asked_us;
    if (round_trip < 0) return forget();  // the clock went backwards in between
    samples_.push_back({now, controller_us - (asked_us + round_trip / 2), round_trip});
    if (samples_.size() > kSamplesMax) samples_.pop_front();
}

std::int64_t ClockEstimate::bound_us(const Sample& sample, Instant now) const
{
    const auto age = std::chrono::duration_cast<Seconds>(now - sample.at).count();
    return sample.round_trip_us / 2 + 1 + age * kDriftPpm;
}

std::optional<ClockEstimate::Estimate> ClockEstimate::get(Instant now) const
{
    if (samples_.empty()) return std::nullopt;
    const auto best = std::ranges::min_element(samples_, {}, [&](const Sample& sample) { return bound_us(sample, now); });
    return Estimate{best->offset_us, std::uint64_t(bound_us(*best, now))};
}

}  // namespace nw::agent
