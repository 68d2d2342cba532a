// The packets of one run, and what they add up to. Values and arithmetic only.
#pragma once

#include "base/time.hpp"
#include "model/outcome.hpp"
#include "model/rows.hpp"
#include "probe/moment.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace nw::probe::ping {

enum class PacketState : std::uint8_t {
    Waiting,
    Answered,
    Lost,         // no reply within the timeout
    Unreachable,  // an ICMP error came back
    Unsent,       // the agent's own host refused to send it
};

struct Packet {
    Moment sent{};
    std::int64_t rtt_ns : 56 = 0;
    PacketState state : 7 = PacketState::Waiting;
    bool kernel_sent : 1 = false;  // `sent` is the kernel's transmit stamp

    Nanos rtt() const { return Nanos(rtt_ns); }
};
static_assert(sizeof(Packet) == 16, "thousands of targets hold their packets in memory");

struct RunCounts {
    std::uint32_t late = 0;
    std::uint32_t duplicates = 0;
    std::uint32_t reordered = 0;
    std::uint32_t corrupted = 0;
};

struct RunResult {
    Moment start{};
    std::span<const Packet> packets{};
    RunCounts counts{};
    Outcome outcome = Outcome::Ok;
    std::string reason{};
    ClockSource clock = ClockSource::None;
    std::optional<std::uint8_t> ttl{};  // of the last reply
    std::optional<Nanos> rtt_before{};  // of the packet sent right before this run's first
};

// Fills the columns of kind "ping": sums, extremes, delay variation (RFC 3393, consecutive packets that both
// came back) and the histogram. A run that was not measured leaves them absent.
void fill_columns(const RunResult& run, Sample& sample);

}  // namespace nw::probe::ping
