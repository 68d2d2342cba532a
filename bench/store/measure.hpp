// Clocks, percentiles and the one line per figure that every benchmark prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::bench {

double now_s();
// CPU seconds of this process, all threads.
double cpu_s();
// Anonymous resident memory: mapped files are the page cache's.
double anonymous_mib();
double percentile(std::vector<double> values, double q);

// {"bench","figure","ours","peer","ratio","bar","ok"}; `peer` absent prints "peer missing" and leaves ok open.
struct Figure {
    std::string figure{};
    std::string unit{};
    double ours = 0;
    std::optional<double> peer{};
    double bar = 0;
    bool bar_is_ratio = false;  // ours / peer <= bar, else ours <= bar
};
void print(std::string_view bench, const Figure& figure);

}  // namespace nw::bench
