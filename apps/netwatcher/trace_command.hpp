// `netwatcher trace`: the path engine without an agent or a controller.
#pragma once

#include "arguments.hpp"
#include "base/result.hpp"
#include "ping_output.hpp"
#include "probe/path/core.hpp"
#include "probe/path/settings.hpp"

#include <string>
#include <vector>

namespace nw::cli {

struct TraceOptions {
    std::vector<std::string> targets{};
    std::string list{};        // a file with one target per line, "-" for standard input
    std::uint64_t cycles = 0;  // 0: until interrupted on a terminal, else 10
    bool numeric = false;
    Format format = Format::Text;
    probe::path::PathSettings settings{};  // but for the target
};

// Runs until every target has had its cycles or the user interrupts.
Result<ExitCode> run_trace(TraceOptions options);

}  // namespace nw::cli
