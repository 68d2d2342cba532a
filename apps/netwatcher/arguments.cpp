#include "arguments.hpp"

#include "base/text.hpp"
#include "model/probe_spec.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

namespace nw::cli {
namespace {

constexpr std::size_t kTargetsMax = 1'000'000;

Result<std::vector<std::string>> read_list(const std::string& file)
{
    std::ifstream opened;
    if (file != "-") {
        opened.open(file);
        if (!opened) return fail(Errc::NotFound, "cannot read " + file + ": " + std::strerror(errno));
    }
    std::istream& in = file == "-" ? std::cin : opened;
    std::vector<std::string> targets;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        const auto target = trimmed(std::string_view(line).substr(0, line.find('#')));
        if (target.empty()) continue;
        if (!is_host(target))
            return fail(Errc::Invalid, file + " line " + std::to_string(number) + ": \"" + std::string(target)
                                           + "\" is neither a host name nor an address");
        if (targets.size() == kTargetsMax) return fail(Errc::Invalid, file + ": more than a million targets");
        targets.emplace_back(target);
    }
    return targets;
}

}  // namespace

Result<Nanos> parse_duration(std::string_view text)
{
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto unit = text.substr(std::size_t(end - text.data()));
    double factor = 0;
    for (const auto& [name, seconds] : {std::pair{"", 1.0}, std::pair{"s", 1.0}, std::pair{"ms", 1e-3},
                                        std::pair{"us", 1e-6}, std::pair{"m", 60.0}, std::pair{"h", 3600.0}})
        if (unit == name) factor = seconds;
    if (error != std::errc{} || factor == 0 || !(number >= 0) || number * factor > 86'400)
        return fail(Errc::Invalid, "\"" + std::string(text) + "\" is not a duration up to a day, such as 1s, 200ms or 5m");
    return Nanos(std::int64_t(number * factor * 1e9 + 0.5));
}

Result<std::vector<std::string>> gather_targets(std::vector<std::string> named, const std::string& list)
{
    for (const auto& target : named)
        if (!is_host(target)) return fail(Errc::Invalid, "\"" + target + "\" is neither a host name nor an address");
    if (!list.empty()) {
        NW_TRY(auto listed, read_list(list));
        named.insert(named.end(), std::make_move_iterator(listed.begin()), std::make_move_iterator(listed.end()));
    }
    if (named.empty()) return fail(Errc::Invalid, "no target given");
    return named;
}

}  // namespace nw::cli
