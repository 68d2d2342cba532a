#include "config.hpp"

#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "net/url.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

namespace nw::controller {
namespace {

struct Option {
    std::string_view name{};
    std::string_view fallback{};
    std::string_view help{};
};

constexpr std::array<Option, 14> kOptions{{
    {"data_dir", "/var/lib/netwatcher-controller", "Directory of all data"},
    {"listen", "127.0.0.1:8080", "Addresses and ports to listen on, separated by commas"},
    {"public_url", "", "Address under which browsers and agents reach this controller"},
    {"tls_certificate", "", "Certificate chain (PEM); with tls_key turns TLS on"},
    {"tls_key", "", "Private key (PEM)"},
    {"trusted_proxies", "", "Addresses whose X-Forwarded-* headers are believed, separated by commas"},
    {"log_level", "info", "debug, info, warn or error"},
    {"raw_days", "30", "Days to keep raw samples"},
    {"five_minute_days", "180", "Days to keep 5-minute roll-ups"},
    {"hour_days", "1095", "Days to keep 1-hour roll-ups"},
    {"builtin_agent", "on", "Whether a workspace may use an agent on this host: on or off"},
    {"agent_program", "", "Program of that agent; empty: netwatcher-agent beside this program"},
    {"downloads_dir", "",
     "Packages of the agent that are handed out; empty: ../share/netwatcher/downloads from this program"},
    {"oui_dir", "/usr/share/ieee-data",
     "Registries of the IEEE (oui.csv, mam.csv, oui36.csv) that name vendors of network cards"},
}};

struct Given {
    std::string value{};
    std::string source{};
};

std::unexpected<Error> refused(std::string_view name, const Given& given, std::string_view allowed)
{
    return fail(Errc::Invalid,
                std::string(name) + " = '" + given.value + "' (" + given.source + "): " + std::string(allowed));
}

Result<Listen> parse_listen(std::string_view name, const Given& given, std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return refused(name, given, "must be ADDRESS:PORT, like 127.0.0.1:8080 or [::]:8443");
    auto address = text.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    const auto digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size() || address.empty())
        return refused(name, given, "must be ADDRESS:PORT, like 127.0.0.1:8080 or [::]:8443");
    return Listen{std::string(address), port};
}

Result<std::uint32_t> parse_days(std::string_view name, const Given& given)
{
    std::uint32_t days = 0;
    const auto* last = given.value.data() + given.value.size();
    const auto [end, error] = std::from_chars(given.value.data(), last, days);
    if (error != std::errc{} || end != last || days < 1 || days > 36'500)
        return refused(name, given, "must be 1 to 36500 days");
    return days;
}

Result<LogLevel> parse_level(std::string_view name, const Given& given)
{
    constexpr std::array<std::string_view, 4> levels{"debug", "info", "warn", "error"};
    for (std::size_t i = 0; i < levels.size(); ++i)
        if (levels[i] == given.value) return LogLevel(i);
    return refused(name, given, "must be debug, info, warn or error");
}

std::vector<std::string> parse_list(const std::string& text)
{
    std::vector<std::string> items;
    for (const auto part : split(text, ','))
        if (!trimmed(part).empty()) items.emplace_back(trimmed(part));
    return items;
}

std::vector<std::string_view> known_names()
{
    std::vector<std::string_view> names;
    for (const auto& option : kOptions) names.push_back(option.name);
    return names;
}

std::unexpected<Error> unknown(std::string_view name, std::string_view source)
{
    const auto known = known_names();
    const auto near = nearest(name, known);
    return fail(Errc::Invalid, std::string(source) + ": unknown option '" + std::string(name) + "'"
                                   + (near ? "; did you mean " + *near + "?" : ""));
}

// A TOML value in the text form that flags and the environment use; arrays are joined by commas.
std::string text_of(const toml::node& node)
{
    if (const auto text = node.value<std::string>(); text && node.is_string()) return *text;
    if (const auto number = node.value<std::int64_t>(); number && node.is_integer()) return std::to_string(*number);
    if (const auto* items = node.as_array()) {
        std::string joined;
        for (const auto& item : *items) joined += (joined.empty() ? "" : ",") + text_of(item);
        return joined;
    }
    return "(neither text, number nor list)";
}

Status read_file(const std::string& file, std::map<std::string, Given, std::less<>>& values)
{
    toml::table table;
    try {
        table = toml::parse_file(file);
    } catch (const toml::parse_error& error) {
        const auto& where = error.source().begin;
        return fail(Errc::Invalid, file + ": line " + std::to_string(where.line) + ": " + std::string(error.description()));
    }
    const auto names = known_names();
    for (const auto& [key, node] : table) {
        const auto name = std::string(key.str());
        if (std::ranges::find(names, name) == names.end()) return unknown(name, file);
        values[name] = {text_of(node), file};
    }
    return {};
}

Result<Config> to_config(const std::map<std::string, Given, std::less<>>& values)
{
    Config config;
    const auto& given = [&](std::string_view name) -> const Given& { return values.find(name)->second; };
    config.data_dir = given("data_dir").value;
    config.listen.clear();
    for (const auto& part : parse_list(given("listen").value)) {
        NW_TRY(auto listen, parse_listen("listen", given("listen"), part));
        config.listen.push_back(std::move(listen));
    }
    if (config.listen.empty()) return refused("listen", given("listen"), "needs at least one ADDRESS:PORT");
    config.public_url = given("public_url").value;
    if (!config.public_url.empty() && !net::parse_url(config.public_url))
        return refused("public_url", given("public_url"), "must begin with http:// or https://");
    config.tls_certificate = given("tls_certificate").value;
    config.tls_key = given("tls_key").value;
    if (config.tls_certificate.empty() != config.tls_key.empty())
        return fail(Errc::Invalid, "tls_certificate and tls_key go together: one of them is missing");
    config.trusted_proxies = parse_list(given("trusted_proxies").value);
    NW_TRY(config.log_level, parse_level("log_level", given("log_level")));
    NW_TRY(config.raw_days, parse_days("raw_days", given("raw_days")));
    NW_TRY(config.five_minute_days, parse_days("five_minute_days", given("five_minute_days")));
    NW_TRY(config.hour_days, parse_days("hour_days", given("hour_days")));
    const auto& builtin = given("builtin_agent");
    if (builtin.value != "on" && builtin.value != "off") return refused("builtin_agent", builtin, "must be on or off");
    config.builtin_agent = builtin.value == "on";
    config.agent_program = given("agent_program").value;
    config.downloads_dir = given("downloads_dir").value;
    config.oui_dir = given("oui_dir").value;
    if (config.five_minute_days < config.raw_days || config.hour_days < config.five_minute_days)
        return fail(Errc::Invalid, "raw_days, five_minute_days and hour_days must not become shorter in this order");
    return config;
}

}  // namespace

const std::vector<std::string_view>& option_names()
{
    static const auto names = known_names();
    return names;
}

std::string_view option_help(std::string_view name)
{
    const auto found = std::ranges::find(kOptions, name, &Option::name);
    return found == kOptions.end() ? std::string_view() : found->help;
}

Result<Loaded> load_config(const std::string& file, const Values& environment, const Values& flags)
{
    std::map<std::string, Given, std::less<>> values;
    for (const auto& option : kOptions) values[std::string(option.name)] = {std::string(option.fallback), "default"};
    if (!file.empty()) NW_CHECK(read_file(file, values));
    for (const auto& [name, value] : environment) values[name] = {value, "environment"};
    for (const auto& [name, value] : flags) values[name] = {value, "flag"};
    NW_TRY(auto config, to_config(values));
    Loaded loaded{.config = std::move(config)};
    for (const auto& option : kOptions) {
        const auto& given = values.find(option.name)->second;
        loaded.printed += std::string(option.name) + " = " + json_quoted(given.value) + "  # " + given.source + "\n";
    }
    return loaded;
}

}  // namespace nw::controller
