// Synthetic pings with the habits of real ones, the same on every run: per probe a base delay that wanders, per packet a
// spread with a tail, a busier half of the day, losses in bursts; 60 packets per sample.
#pragma once

#include "model/kinds/ping.hpp"
#include "model/rows.hpp"
#include "wire/batch.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nw::bench {

inline constexpr std::int64_t kStart = 1'769'212'800'000'000;  // 2026-01-24, midnight
inline constexpr std::uint64_t kProbesPerAgent = 20;

// xorshift64*: much quicker than the product's generators, which is what a load generator needs.
class Chance {
public:
    explicit Chance(std::uint64_t seed) : state_(seed * 2 + 1) {}
    std::uint64_t u64()
    {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_ * 0x2545f4914f6cdd1dULL;
    }
    double unit() { return double(u64() >> 11) * 0x1p-53; }

private:
    std::uint64_t state_;
};

// Values of one sample in the order of ping's columns, and its histogram.
struct Ping {
    std::uint64_t probe = 0;
    std::int64_t at_us = 0;
    std::vector<std::int64_t> numbers{};
    std::string histogram{};
};

class Generator {
public:
    Generator(std::uint64_t probes, Seconds interval, std::int64_t start = kStart);

    // The next sample: probes take turns in the order of their phases, so that times nearly ascend.
    const Ping& next();
    // The next `count` samples as the batches of their agents, about 100 rows each.
    std::vector<wire::Batch> batches(std::size_t rows);

private:
    struct Probe {
        double base = 0;
        double spread = 0;
        double walk = 0;
        bool bad = false;
        std::int64_t phase = 0;
    };
    void measure(Probe& probe, double busy);

    std::vector<Probe> probes_{};
    std::vector<std::uint64_t> order_{};
    std::vector<std::uint64_t> seq_{};
    std::vector<Rows> pending_{};
    std::int64_t interval_;
    std::int64_t start_;
    std::uint64_t turn_ = 0;
    std::uint64_t round_ = 0;
    Chance chance_{42};
    Ping ping_{};
    std::vector<std::uint16_t> counts_{};
};

AgentId agent_of(std::uint64_t probe);
StreamId stream_of(std::uint64_t probe);

}  // namespace nw::bench
