#include "config.hpp"

#include "base/text.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace nw::app {
namespace {

constexpr auto kDefaultFile = "/etc/netwatcher/agent.toml";

constexpr std::array kKeys{
    Key{"data_dir", "/var/lib/netwatcher-agent", "Identity, last state and unsent results"},
    Key{"spool_max_mb", "256", "Unsent results kept on disk, megabytes; beyond it the oldest are declared lost"},
    Key{"spool_max_days", "7", "Unsent results kept on disk, days"},
    Key{"allow", "", "Prefixes that may be measured; empty allows every address"},
    Key{"deny", "", "Prefixes that must not be measured; goes before allow"},
    Key{"packets_per_second", "10000", "Packets that this agent sends at most"},
    Key{"log_level", "info", "debug, info, warn or error"},
};

std::string environment_name(std::string_view key)
{
    std::string name = "NETWATCHER_AGENT_";
    for (const char c : key) name += c >= 'a' && c <= 'z' ? char(c - 32) : c;
    return name;
}

Result<std::string> text_of(std::string_view key, const toml::node& node)
{
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* list = node.as_array()) {
        std::string joined;
        for (const auto& item : *list) {
            const auto* text = item.as_string();
            if (!text) return fail(Errc::Invalid, std::string(key) + ": a list of texts is wanted");
            joined += (joined.empty() ? "" : ",") + text->get();
        }
        return joined;
    }
    return fail(Errc::Invalid, std::string(key) + ": neither text, number nor list");
}

Status read_file(const std::filesystem::path& file, Values& values)
{
    toml::table table;
    try {  // toml++ reports through exceptions
        table = toml::parse_file(file.string());
    } catch (const toml::parse_error& error) {
        return fail(Errc::Invalid, file.string() + " line " + std::to_string(error.source().begin.line) + ": "
                                       + std::string(error.description()));
    }
    std::vector<std::string_view> known;
    for (const auto& key : kKeys) known.push_back(key.name);
    for (const auto& [key, node] : table) {
        const auto name = std::string(key.str());
        if (!values.contains(name)) {
            const auto near = nearest(name, known);
            return fail(Errc::Invalid, file.string() + ": unknown key \"" + name + "\""
                                           + (near ? "; did you mean \"" + *near + "\"?" : ""));
        }
        auto text = text_of(name, node);
        if (!text) return std::unexpected(std::move(text).error().while_doing(file.string()));
        values[name] = {*std::move(text), "file " + file.string()};
    }
    return {};
}

Result<std::uint64_t> number_in(const Values& values, std::string_view key, std::uint64_t min, std::uint64_t max)
{
    const auto& value = values.find(key)->second;
    std::uint64_t number = 0;
    const auto* end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, number);
    if (error != std::errc{} || stop != end || number < min || number > max)
        return fail(Errc::Invalid, std::string(key) + " (" + value.source + ") must be a number from " + std::to_string(min)
                                       + " to " + std::to_string(max) + ", not \"" + value.text + "\"");
    return number;
}

Result<std::vector<packet::Prefix>> prefixes_in(const Values& values, std::string_view key)
{
    const auto& value = values.find(key)->second;
    std::vector<packet::Prefix> prefixes;
    for (const auto part : split(value.text, ',')) {
        if (trimmed(part).empty()) continue;
        const auto prefix = packet::parse_prefix(trimmed(part));
        if (!prefix)
            return fail(Errc::Invalid, std::string(key) + " (" + value.source + "): \"" + std::string(trimmed(part))
                                           + "\" is no prefix such as 10.0.0.0/8 or 2001:db8::/32");
        prefixes.push_back(*prefix);
    }
    return prefixes;
}

}  // namespace

std::span<const Key> config_keys() { return kKeys; }

Result<Values> gather(const ConfigSources& sources)
{
    Values values;
    for (const auto& key : kKeys) values[std::string(key.name)] = {std::string(key.fallback), "default"};
    if (sources.file) {
        if (!std::filesystem::exists(*sources.file)) return fail(Errc::NotFound, sources.file->string() + ": no such file");
        NW_CHECK(read_file(*sources.file, values));
    } else if (std::filesystem::exists(kDefaultFile)) {
        NW_CHECK(read_file(kDefaultFile, values));
    }
    for (auto& [name, value] : values) {
        const auto variable = environment_name(name);
        if (const auto found = sources.environment.find(variable); found != sources.environment.end())
            value = {found->second, "environment " + variable};
        if (const auto found = sources.flags.find(name); found != sources.flags.end()) {
            auto flag = name;
            std::ranges::replace(flag, '_', '-');
            value = {found->second, "flag --" + flag};
        }
    }
    return values;
}

Result<Config> interpret(const Values& values)
{
    Config config{.data_dir = values.find("data_dir")->second.text};
    if (config.data_dir.empty()) return fail(Errc::Invalid, "data_dir must not be empty");
    NW_TRY(const auto megabytes, number_in(values, "spool_max_mb", 1, 1'000'000));
    NW_TRY(const auto days, number_in(values, "spool_max_days", 1, 3650));
    NW_TRY(const auto rate, number_in(values, "packets_per_second", 1, 1'000'000));
    NW_TRY(auto allow, prefixes_in(values, "allow"));
    NW_TRY(auto deny, prefixes_in(values, "deny"));
    config.spool = {.bytes_max = megabytes << 20, .age_max = std::chrono::hours(24 * days)};
    config.packets_per_second = std::uint32_t(rate);
    config.policy = probe::Policy(std::move(allow), std::move(deny));
    const auto& level = values.find("log_level")->second;
    constexpr std::array<std::string_view, 4> levels{"debug", "info", "warn", "error"};
    const auto found = std::ranges::find(levels, level.text);
    if (found == levels.end())
        return fail(Errc::Invalid, "log_level (" + level.source + ") must be debug, info, warn or error");
    config.log_level = LogLevel(found - levels.begin());
    return config;
}

std::string printed(const Values& values)
{
    std::string text;
    for (const auto& key : kKeys) {
        const auto& value = values.find(key.name)->second;
        text += std::string(key.name) + " = \"" + value.text + "\"  # " + value.source + "\n";
    }
    return text;
}

}  // namespace nw::app
