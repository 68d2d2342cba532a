// How far the controller's clock is ahead of ours, from question and answer over the session. Pure.
//
// Of a round trip that took r, the answer's clock was read at some moment in it: taking the middle, the error is
// at most r / 2. The estimate is that of the quickest round trip lately, whose error bound is the smallest; the
// bound grows with age by what two undisciplined clocks may drift apart.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace nw::agent {

class ClockEstimate {
public:
    struct Estimate {
        std::int64_t offset_us = 0;        // controller minus agent
        std::uint64_t uncertainty_us = 0;  // at least 1
    };

    void add(std::int64_t asked_us, std::int64_t controller_us, std::int64_t answered_us, Instant now);
    std::optional<Estimate> get(Instant now) const;
    // Our own clock was set: what was learnt does not hold any more.
    void forget() { samples_.clear(); }

private:
    struct Sample {
        Instant at{};
        std::int64_t offset_us = 0;
        std::int64_t round_trip_us = 0;
    };
    std::int64_t bound_us(const Sample& sample, Instant now) const;

    std::deque<Sample> samples_{};
};

}  // namespace nw::agent
