// What the cores of all engines share: slots that probes take and give back, two timers for each, and the queue of
// those whose turn it is. Pure.
//
// Everything is sent on a grid of kTick, so that one wake-up serves all that is due around it. Phases lie on the grid:
// nothing waits for it.
#pragma once

#include "probe/moment.hpp"
#include "probe/wheel.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace nw::probe {

inline constexpr Nanos kTick = Millis(10);

inline std::int64_t tick_of(Moment when) { return when.time_since_epoch() / kTick; }
inline std::int64_t tick_from(Moment when) { return (when.time_since_epoch() + kTick - Nanos(1)) / kTick; }

class Schedule {
public:
    enum class Timer : std::uint8_t {
        Next,    // the slot gets its turn
        Expiry,  // something of it has waited long enough
    };

    explicit Schedule(Moment now) : wheel_(tick_of(now)), ticked_(tick_of(now)) {}

    std::uint32_t take_slot();
    void give_back(std::uint32_t slot) { free_.push_back(slot); }
    std::uint32_t slots() const { return std::uint32_t(queued_.size()); }

    void set(std::uint32_t slot, Timer timer, Moment when) { wheel_.set(number(slot, timer), tick_from(when)); }
    void clear(std::uint32_t slot, Timer timer) { wheel_.clear(number(slot, timer)); }
    bool is_set(std::uint32_t slot, Timer timer) const { return wheel_.is_set(number(slot, timer)); }

    // The slot gets its turn as soon as others before it have had theirs.
    void enqueue(std::uint32_t slot)
    {
        if (queued_[slot] == 0) ready_.push_back(slot);
        queued_[slot] = 1;
    }
    bool has_ready() const { return !ready_.empty(); }
    std::uint32_t take_ready()
    {
        const auto slot = ready_.front();
        ready_.pop_front();
        queued_[slot] = 0;
        return slot;
    }

    // Enqueues the slots whose turn has come at `tick`, and calls `expired` with each that has waited long enough.
    template <class Expired>
    void advance(std::int64_t tick, Expired expired)
    {
        if (tick > ticked_) ticked_ = tick;
        fired_.clear();
        wheel_.advance(ticked_, fired_);
        for (const auto timer : fired_) {
            if (timer % 2 == 1) expired(timer / 2);
            else enqueue(timer / 2);
        }
    }
    // The last tick of advance().
    Moment ticked() const { return Moment(kTick * ticked_); }
    // When advance() is needed next, on a grid of so many ticks; far away when nothing is planned.
    Moment next_wake(std::int64_t width = 1) const;

private:
    static std::uint32_t number(std::uint32_t slot, Timer timer) { return slot * 2 + std::uint32_t(timer); }

    std::vector<std::uint32_t> free_{};
    std::vector<std::uint8_t> queued_{};  // by slot
    Wheel wheel_;
    std::deque<std::uint32_t> ready_{};
    std::vector<std::uint32_t> fired_{};
    std::int64_t ticked_;
};

// Runs whose time passed while the agent did not run. A probe that was asleep for a night reports some of them one by
// one, the rest in the last one's reason. Short intervals are caught up with: a second of them is no flood, and nothing
// is left out.
struct MissedRuns {
    std::uint64_t runs = 0;
    std::uint64_t reported = 0;

    std::string reason(std::uint64_t report) const;
};
MissedRuns missed_runs(Nanos late, Nanos interval);

}  // namespace nw::probe
