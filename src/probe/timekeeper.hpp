// The clocks of an engine: its own timeline (probe/moment.hpp), the kernel's stamps brought to it, and the beat of its
// runs, which is the wall clock's.
//
// 1. Kernel stamps are wall time; they are brought to the timeline by what the wall clock has been set since.
// 2. When it has been set, the beat of every probe is found anew, so that it stays k x interval + phase.
#pragma once

#include "base/log.hpp"
#include "base/time.hpp"
#include "probe/moment.hpp"
#include "probe/start_options.hpp"

namespace nw::probe {

class Timekeeper {
public:
    explicit Timekeeper(const Clock& clock);

    const Clock& clock() const { return clock_; }
    Moment now() const { return Moment(epoch_zero_ + (clock_.instant() - instant_zero_)); }
    WallTime to_wall(Moment when) const;
    Instant to_instant(Moment when) const;
    Moment from_kernel(KernelTime when) const { return Moment(when.time_since_epoch() - wall_ahead_); }

    // True: the wall clock has been set since the last call, and every beat is another one now.
    bool follow_wall_clock(const Log& log);
    // The first start of a probe's runs at or after `from`.
    Moment next_start(ProbeId probe, Nanos interval, Moment from) const;
    // When a probe that is started now begins: `runs` packets or cycles, `spacing` apart, make a run.
    Start plan_start(ProbeId probe, FirstRun first, Nanos interval, Nanos spacing, std::uint32_t runs) const;

private:
    Nanos measure_ahead() const { return clock_.wall().time_since_epoch() - now().time_since_epoch(); }

    const Clock& clock_;
    Instant instant_zero_;
    Nanos epoch_zero_;     // the wall clock at instant_zero_: where the timeline begins
    Nanos wall_ahead_{0};  // what the wall clock has been set forward by since
};

}  // namespace nw::probe
