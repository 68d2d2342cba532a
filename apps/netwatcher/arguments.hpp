// What the measuring commands have in common: targets, durations, exit codes.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace nw::cli {

enum class ExitCode : int { Answered = 0, Unanswered = 1, Usage = 2, NotMeasured = 3 };

// "1s", "200ms", "2m"; a bare number is seconds.
Result<Nanos> parse_duration(std::string_view text);

// The named targets and those of the file `list` ("-" for standard input, empty for none), at least one in all.
Result<std::vector<std::string>> gather_targets(std::vector<std::string> named, const std::string& list);

}  // namespace nw::cli
