// The agent's configuration: flag > environment > file > default, each value with where it came from.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "probe/policy.hpp"
#include "spool/spool.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nw::app {

struct Key {
    std::string_view name{};  // in the file; as a flag with dashes, in the environment NETWATCHER_AGENT_<NAME>
    std::string_view fallback{};
    std::string_view help{};
};
std::span<const Key> config_keys();

struct Value {
    std::string text{};
    std::string source{};  // "default", "file /etc/...", "environment NETWATCHER_AGENT_...", "flag --..."
};

// One value for every key. Unknown keys in the file are errors, with a suggestion.
using Values = std::map<std::string, Value, std::less<>>;

struct ConfigSources {
    std::optional<std::filesystem::path> file{};  // must exist when given
    std::map<std::string, std::string, std::less<>> environment{};
    std::map<std::string, std::string, std::less<>> flags{};  // by key
};
Result<Values> gather(const ConfigSources& sources);

struct Config {
    std::filesystem::path data_dir{};
    spool::Limits spool{};
    probe::Policy policy{};
    std::uint32_t packets_per_second = 10'000;
    LogLevel log_level = LogLevel::Info;
};
Result<Config> interpret(const Values& values);

std::string printed(const Values& values);

}  // namespace nw::app
