#include "measure.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

namespace nw::bench {

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double cpu_s()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) * 1e-6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double anonymous_mib()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("RssAnon:")) return std::strtod(line.c_str() + 8, nullptr) / 1024;
    return 0;
}

double percentile(std::vector<double> values, double q)
{
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values[std::min(values.size() - 1, std::size_t(q * double(values.size())))];
}

void print(std::string_view bench, const Figure& figure)
{
    const auto ratio = figure.peer && *figure.peer > 0 ? std::optional(figure.ours / *figure.peer) : std::nullopt;
    std::string ok = "null";
    if (!figure.bar_is_ratio || ratio) ok = (figure.bar_is_ratio ? *ratio : figure.ours) <= figure.bar ? "true" : "false";
    const auto peer =
        figure.peer ? fmt::format("{:.4g}", *figure.peer) : std::string(figure.bar_is_ratio ? "\"peer missing\"" : "null");
    fmt::print("{{\"bench\":\"{}\",\"figure\":\"{}\",\"unit\":\"{}\",\"ours\":{:.4g},\"peer\":{},\"ratio\":{},\"bar\":\"{} "
               "{:g}\",\"ok\":{}}}\n",
               bench, figure.figure, figure.unit, figure.ours, peer, ratio ? fmt::format("{:.3f}", *ratio) : "null",
               figure.bar_is_ratio ? "ratio <=" : "<=", figure.bar, ok);
    std::fflush(stdout);
}

}  // namespace nw::bench
