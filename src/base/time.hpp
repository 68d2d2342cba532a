// Two clocks, two types, so that they cannot be mixed: Instant measures durations and never jumps;
// WallTime is what people read and what is stored. Nothing below apps/ calls ::now() itself.
#pragma once

#include <chrono>
#include <cstdint>

namespace nw {

using Nanos = std::chrono::nanoseconds;
using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;
using Instant = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<Micros>;  // UTC, microseconds since the epoch

constexpr std::int64_t to_us(WallTime t) { return t.time_since_epoch().count(); }
constexpr WallTime from_us(std::int64_t us) { return WallTime(Micros(us)); }

class Clock {
public:
    virtual ~Clock() = default;
    virtual Instant instant() const = 0;
    virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
public:
    Instant instant() const override { return std::chrono::steady_clock::now(); }
    WallTime wall() const override { return std::chrono::floor<Micros>(std::chrono::system_clock::now()); }
};

}  // namespace nw
