// What an agent says about itself, with every batch and in between.
#pragma once

#include <cstdint>

namespace nw {

struct AgentHealth {
    std::uint64_t lateness_p99_us = 0;
    std::uint64_t socket_drops = 0;
    std::uint32_t cpu_permille = 0;
    std::uint32_t steal_permille = 0;
    std::uint64_t spool_rows = 0;
    std::uint64_t spool_bytes = 0;
    std::uint64_t rss_bytes = 0;
    std::uint32_t probes = 0;
    std::uint64_t packets_per_second = 0;
    std::int64_t at_us = 0;
    bool spool_refused = false;  // its disk takes no results: they are held in memory, within bounds

    friend bool operator==(const AgentHealth&, const AgentHealth&) = default;
};

}  // namespace nw
