// The turns of an engine: when it wakes, how much it may send then, and which of the kernel's stamps it believes.
//
// A turn reads the sockets, fires timeouts and sends what is due. Between turns the engine sleeps until its next packet
// or timeout; replies need no wake-up of their own, the kernel has stamped them.
#pragma once

#include "base/async.hpp"
#include "probe/timekeeper.hpp"
#include "quality/histogram.hpp"

#include <cstdint>
#include <functional>
#include <optional>

namespace nw::probe {

class Turns {
public:
    Turns(Loop& loop, const Timekeeper& time, std::uint32_t packets_per_second_max);

    // A turn begins; returns its time.
    Moment begin();
    // Packets that may be sent now.
    std::size_t allowance() const { return std::size_t(allowance_); }
    void spend(std::size_t packets) { allowance_ -= double(packets); }

    struct Received {
        Moment at{};
        bool kernel_time = false;
    };
    // When a packet that has just been read came in.
    Received received(std::optional<KernelTime> stamp) const;

    // Turns until it is cancelled. `next` is asked after each turn when the next one is needed; hurry() makes it now.
    Task<void> drive(std::function<void()> turn, std::function<Moment()> next);
    // The soonest of what is due next and, when answers are waited for, the next reading of the sockets.
    Moment next(Moment due, bool waiting, Nanos read_every) const;
    void hurry() { timer_.cancel(); }
    // Of the time since it was last asked for.
    Nanos take_lateness_p99();

private:
    const Timekeeper& time_;
    double per_second_;
    double allowance_ = 0;
    Moment turned_{};
    Moment read_before_{};
    quality::Histogram lateness_{};
    Timer timer_;
};

}  // namespace nw::probe
