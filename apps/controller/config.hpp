// The controller's configuration: flag > environment (NETWATCHER_*) > file (TOML) > default.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nw::controller {

struct Listen {
    std::string address{};
    std::uint16_t port = 0;
};

struct Config {
    std::string data_dir{"/var/lib/netwatcher-controller"};
    std::vector<Listen> listen{{"127.0.0.1", 8080}};
    std::string public_url{};
    std::string tls_certificate{};
    std::string tls_key{};
    std::vector<std::string> trusted_proxies{};
    LogLevel log_level = LogLevel::Info;
    std::uint32_t raw_days = 30;
    std::uint32_t five_minute_days = 180;
    std::uint32_t hour_days = 1095;
    bool builtin_agent = true;
    std::string agent_program{};  // empty: beside this program
    std::string downloads_dir{};  // empty: beside this program's directory
    std::string oui_dir{"/usr/share/ieee-data"};
};

// Given values by name, as text; what the sources have in common.
using Values = std::map<std::string, std::string, std::less<>>;

struct Loaded {
    Config config{};
    std::string printed{};  // every option with its value and where that comes from, as TOML
};

// The options' names, for flags ("--data-dir") and the environment ("NETWATCHER_DATA_DIR").
const std::vector<std::string_view>& option_names();
std::string_view option_help(std::string_view name);

// `file` may be empty. Invalid with the option's name, its source and what is allowed.
Result<Loaded> load_config(const std::string& file, const Values& environment, const Values& flags);

}  // namespace nw::controller
