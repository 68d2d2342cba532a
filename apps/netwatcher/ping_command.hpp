// `netwatcher ping`: the ping engine without an agent or a controller.
#pragma once

#include "arguments.hpp"
#include "base/result.hpp"
#include "ping_output.hpp"
#include "probe/ping/settings.hpp"

#include <string>
#include <vector>

namespace nw::cli {

struct PingOptions {
    std::vector<std::string> targets{};
    std::string list{};       // a file with one target per line, "-" for standard input
    std::uint64_t count = 0;  // 0: until interrupted
    bool unpaced = false;
    bool quiet = false;
    Format format = Format::Text;
    probe::ping::PingSettings settings{};  // but for the target
};

// Runs until every target has had its packets or the user interrupts.
Result<ExitCode> run_ping(PingOptions options);

}  // namespace nw::cli
