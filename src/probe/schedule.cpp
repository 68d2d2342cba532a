#include "probe/schedule.hpp"

#include <algorithm>

namespace nw::probe {
namespace {

constexpr std::uint64_t kMissedRunsMax = 10;
constexpr Nanos kMissedAfter = Seconds(1);

}  // namespace

std::uint32_t Schedule::take_slot()
{
    if (free_.empty()) {
        queued_.push_back(0);
        wheel_.resize(std::uint32_t(queued_.size() * 2));
        return std::uint32_t(queued_.size() - 1);
    }
    const auto slot = free_.back();
    free_.pop_back();
    return slot;
}

Moment Schedule::next_wake(std::int64_t width) const
{
    if (!ready_.empty()) return Moment(kTick * (ticked_ + 1));
    const auto tick = wheel_.next_tick();
    return tick == Wheel::kNever ? Moment::max() : Moment(kTick * ((tick + width - 1) / width * width));
}

MissedRuns missed_runs(Nanos late, Nanos interval)
{
    if (late < std::max(interval, kMissedAfter)) return {};
    const auto runs = std::uint64_t(late / interval);
    return {runs, std::min(runs, kMissedRunsMax)};
}

std::string MissedRuns::reason(std::uint64_t report) const
{
    std::string reason = "the agent did not run at the time";
    if (report + 1 == reported && runs > reported)
        reason += "; " + std::to_string(runs - reported) + " more runs were missed after this one";
    return reason;
}

}  // namespace nw::probe
