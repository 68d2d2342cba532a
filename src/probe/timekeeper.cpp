#include "probe/timekeeper.hpp"

#include "probe/phase.hpp"

#include <algorithm>

namespace nw::probe {
namespace {

// A step of the wall clock worth following; smaller differences come from reading two clocks one after another.
constexpr Nanos kStepMin = Millis(5);
constexpr Nanos kFirstSpacingMax = Millis(100);
// The kernel begins to stamp replies a moment after a socket asks for it.
constexpr Nanos kFirstDelay = Millis(20);

}  // namespace

Timekeeper::Timekeeper(const Clock& clock)
    : clock_(clock), instant_zero_(clock.instant()), epoch_zero_(clock.wall().time_since_epoch())
{}

WallTime Timekeeper::to_wall(Moment when) const
{
    return WallTime(std::chrono::floor<Micros>(when.time_since_epoch() + wall_ahead_));
}

Instant Timekeeper::to_instant(Moment when) const
{
    return instant_zero_ + std::chrono::duration_cast<Instant::duration>(when.time_since_epoch() - epoch_zero_);
}

bool Timekeeper::follow_wall_clock(const Log& log)
{
    auto measured = measure_ahead();
    if (std::chrono::abs(measured - wall_ahead_) < kStepMin) return false;
    measured = measure_ahead();  // once more: the agent may have been interrupted between the two clocks
    if (std::chrono::abs(measured - wall_ahead_) < kStepMin) return false;
    log.warn("the wall clock was set by {} ms", std::chrono::duration_cast<Millis>(measured - wall_ahead_).count());
    wall_ahead_ = measured;
    return true;
}

Moment Timekeeper::next_start(ProbeId probe, Nanos interval, Moment from) const
{
    return Moment(probe::next_start(probe, interval, from.time_since_epoch() + wall_ahead_) - wall_ahead_);
}

Start Timekeeper::plan_start(ProbeId probe, FirstRun first, Nanos interval, Nanos spacing, std::uint32_t runs) const
{
    const auto earliest = now() + kFirstDelay;
    Start start{.first = earliest, .first_spacing = spacing};
    if (first == FirstRun::AtOnce) {
        start.first_spacing = std::min(spacing, kFirstSpacingMax);
        const auto end = start.first + start.first_spacing * std::int64_t(runs - 1) + spacing / 2;
        start.next = next_start(probe, interval, end);
        return start;
    }
    if (first == FirstRun::OnPhase) start.first = next_start(probe, interval, earliest);
    start.next = start.first + interval;
    return start;
}

}  // namespace nw::probe
