// The one function that grades a probe. Pure: the API serves its result and nothing else grades.
//
// Rules:
// 1. Only runs whose outcome says something about the target count. Without any: Unknown, with the reason.
// 2. Loss, latency and jitter are each held against their levels; the worst decides and is the reason.
// 3. With fewer packets than `packets_min` loss counts as no more than the packets prove (lower end of the 95 %
//    Wilson interval): one lost of 20 is "1 of 20" and not poor, 20 of 20 is critical.
// 4. Runs that failed before a packet could be lost (name resolution, TLS, refused) are held against the levels of
//    loss, counted in runs.
#pragma once

#include "model/kind.hpp"
#include "quality/aggregate.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::quality {

enum class Grade : std::uint8_t { Excellent, Good, Fair, Poor, Critical, Unknown };
inline constexpr std::array<std::string_view, 6> kGradeNames{"excellent", "good", "fair", "poor", "critical", "unknown"};
constexpr std::string_view name_of(Grade grade) { return kGradeNames[std::size_t(grade)]; }

// A value at or above a level has that grade; below `good` it is excellent.
struct Levels {
    double good = 0;
    double fair = 0;
    double poor = 0;
    double critical = 0;

    friend bool operator==(const Levels&, const Levels&) = default;
};

// Workspace defaults; a probe may override them.
struct GradeThresholds {
    Levels loss_ratio{.good = 0.001, .fair = 0.01, .poor = 0.05, .critical = 0.10};
    Levels latency_us{.good = 50e3, .fair = 150e3, .poor = 300e3, .critical = 600e3};  // median round trip
    Levels jitter_us{.good = 5e3, .fair = 20e3, .poor = 50e3, .critical = 100e3};
    std::uint64_t packets_min = 50;
    std::uint64_t latency_count_min = 3;  // fewer answers say nothing about latency and jitter

    friend bool operator==(const GradeThresholds&, const GradeThresholds&) = default;
};

struct Graded {
    Grade grade = Grade::Unknown;
    std::string reason{};  // "loss 12 of 100, critical at 10 %"

    friend bool operator==(const Graded&, const Graded&) = default;
};

Graded grade(const Kind& kind, const Aggregate& aggregate, const GradeThresholds& thresholds = {});

// Of a hop, a link or one of several paths: packets, and what is known of their delays.
struct PacketCounts {
    std::string_view what{"loss"};  // what is lost, in the reason
    std::int64_t sent = 0;
    std::int64_t lost = 0;
    std::uint64_t delays = 0;  // how many packets the following are of
    std::optional<double> delay_us{};
    std::optional<double> jitter_us{};
};

// By rules 2 and 3, with the mean delay in place of the median: of these, no distribution is kept.
Graded grade(const PacketCounts& counts, const GradeThresholds& thresholds = {});

// When the trouble (fair or worse) that lasts until the newest bucket began: the first run of the first bucket of it.
// Buckets that say nothing do not end it. Nothing when all is well now, or when it reaches back to the first bucket:
// it may be older.
std::optional<std::int64_t> degraded_since_us(const std::vector<std::optional<Aggregate>>& buckets,
                                              const std::vector<Grade>& grades);

}  // namespace nw::quality
