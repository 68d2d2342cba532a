// How the agent and its machine are doing: read from the system, per platform.
#pragma once

#include <cstdint>

namespace nw::agent {

struct SystemCounters {
    std::uint64_t busy_ticks = 0;   // of all processors, since boot
    std::uint64_t steal_ticks = 0;  // what the hypervisor took
    std::uint64_t total_ticks = 0;
    std::uint64_t rss_bytes = 0;  // of this process
};

// Zeros where the system does not tell.
SystemCounters read_system_counters();

// Name, system and processor as the greeting tells them.
struct SystemFacts {
    char hostname[256] = {};
    char os[128] = {};
    char arch[64] = {};
};
SystemFacts read_system_facts();

}  // namespace nw::agent
