#include "agent/self_health.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>

namespace nw::agent {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

}  // namespace

SystemCounters read_system_counters()
{
    SystemCounters counters;
    if (const FileHandle file(std::fopen("/proc/stat", "re")); file) {
        // user nice system idle iowait irq softirq steal
        std::array<unsigned long long, 8> t{};
        if (std::fscanf(file.get(), "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3], &t[4], &t[5],
                        &t[6], &t[7])
            == 8) {
            for (const auto ticks : t) counters.total_ticks += ticks;
            counters.busy_ticks = counters.total_ticks - t[3] - t[4];
            counters.steal_ticks = t[7];
        }
    }
    if (const FileHandle file(std::fopen("/proc/self/statm", "re")); file) {
        unsigned long long size = 0;
        unsigned long long resident = 0;
        if (std::fscanf(file.get(), "%llu %llu", &size, &resident) == 2)
            counters.rss_bytes = resident * std::uint64_t(sysconf(_SC_PAGESIZE));
    }
    return counters;
}

SystemFacts read_system_facts()
{
    SystemFacts facts;
    utsname names{};
    if (uname(&names) == 0) {
        std::snprintf(facts.hostname, sizeof facts.hostname, "%s", names.nodename);
        std::snprintf(facts.os, sizeof facts.os, "%.60s %.60s", names.sysname, names.release);
        std::snprintf(facts.arch, sizeof facts.arch, "%.60s", names.machine);
    }
    return facts;
}

}  // namespace nw::agent
