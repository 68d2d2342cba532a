// What `netwatcher ping` prints: packets as they are settled, and one summary for each target.
#pragma once

#include "probe/ping/engine.hpp"
#include "quality/histogram.hpp"

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace nw::cli {

enum class Format : std::uint8_t { Text, Json, Ndjson, Csv };

struct TargetSummary {
    std::string name{};
    std::string address{};  // 4 or 16 bytes
    std::string trouble{};  // the last reason why something was not answered
    Outcome trouble_outcome = Outcome::Ok;
    std::uint64_t sent = 0, received = 0, unsent = 0;
    std::uint64_t late = 0, duplicates = 0, reordered = 0, corrupted = 0;
    std::int64_t rtt_min_ns = 0, rtt_max_ns = 0, rtt_sum_ns = 0;
    std::int64_t ipdv_sum_us = 0, ipdv_count = 0;
    quality::Histogram rtt{};

    void add(const probe::ping::PacketReport& packet);
    void add(const Sample& run);
};

class Printer {
public:
    Printer(Format format, bool packets, std::FILE* out);

    void packet(const TargetSummary& target, const probe::ping::PacketReport& packet);
    void summaries(const std::vector<TargetSummary>& targets);
    // False once the reader has gone away.
    bool flush();

private:
    void header();

    Format format_;
    bool packets_;
    std::FILE* out_;
    std::string line_{};
    bool started_ = false;
};

}  // namespace nw::cli
