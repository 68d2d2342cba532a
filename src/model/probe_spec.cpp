#include "model/probe_spec.hpp"

#include "base/assert.hpp"
#include "model/ip_text.hpp"

#include <algorithm>
#include <vector>

namespace nw {
namespace {

constexpr std::size_t kHostLengthMax = 253;
constexpr std::size_t kLabelLengthMax = 63;

bool is_address(std::string_view text) { return ip_bytes(text.substr(0, text.find('%'))).has_value(); }

bool is_label(std::string_view label)
{
    if (label.empty() || label.size() > kLabelLengthMax) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    return std::ranges::all_of(label, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

std::string range_text(const Setting& setting)
{
    auto text = std::to_string(setting.min) + " to " + std::to_string(setting.max);
    if (!setting.unit.empty()) text += " " + std::string(setting.unit);
    return text;
}

std::string choices_text(const Setting& setting)
{
    std::string text;
    for (const auto& choice : setting.choices) text += (text.empty() ? "" : ", ") + std::string(choice.value);
    return text;
}

bool is_number(SettingType type)
{
    return type == SettingType::Integer || type == SettingType::Duration || type == SettingType::Boolean;
}

SettingValue default_of(const Setting& setting)
{
    if (is_number(setting.type)) return setting.default_number;
    return std::string(setting.default_text);
}

// What is wrong with `value`, or nothing.
std::string problem_of(const Setting& setting, const SettingValue& value)
{
    if (is_number(setting.type)) {
        const auto* number = std::get_if<std::int64_t>(&value);
        if (!number) return "must be a whole number, " + range_text(setting);
        if (*number < setting.min || *number > setting.max) return "must be " + range_text(setting);
        return {};
    }
    const auto* text = std::get_if<std::string>(&value);
    if (!text) return "must be text";
    if (text->empty()) return setting.required ? "is required" : "";
    switch (setting.type) {
    case SettingType::Target: return is_host(*text) ? "" : "must be a host name or an IPv4 or IPv6 address";
    case SettingType::Choice:
        return std::ranges::find(setting.choices, *text, &Choice::value) != setting.choices.end()
                   ? ""
                   : "must be one of " + choices_text(setting);
    case SettingType::Interface:
        if (text->find('/') != std::string::npos || text->find(' ') != std::string::npos || text->size() > 15)
            return "must be a network device's name";
        [[fallthrough]];
    default:
        if (text->size() > std::size_t(setting.max)) return "must be at most " + std::to_string(setting.max) + " bytes long";
        return is_clean_text(*text) ? "" : "must be UTF-8 text without control characters";
    }
}

}  // namespace

std::string text_setting(const Settings& settings, std::string_view name)
{
    const auto found = settings.find(name);
    const auto* text = found == settings.end() ? nullptr : std::get_if<std::string>(&found->second);
    return text ? *text : std::string();
}

std::optional<std::int64_t> number_setting(const Settings& settings, std::string_view name)
{
    const auto found = settings.find(name);
    const auto* number = found == settings.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
    return number ? std::optional(*number) : std::nullopt;
}

std::int64_t ProbeSpec::number(std::string_view name) const
{
    const auto found = settings.find(name);
    NW_ASSERT(found != settings.end());
    return std::get<std::int64_t>(found->second);
}

const std::string& ProbeSpec::text(std::string_view name) const
{
    const auto found = settings.find(name);
    NW_ASSERT(found != settings.end());
    return std::get<std::string>(found->second);
}

bool is_host(std::string_view text)
{
    if (text.empty() || text.size() > kHostLengthMax) return false;
    if (is_address(text)) return true;
    if (text.ends_with('.')) text.remove_suffix(1);
    const auto labels = split(text, '.');
    const auto& last = labels.back();
    // A name that ends in a number would be a mistyped address ("10.0.0.300").
    const bool numeric_end = std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
    return !numeric_end && std::ranges::all_of(labels, is_label);
}

Result<Settings> validated(const Kind& kind, const Settings& given, std::string_view prefix)
{
    std::vector<FieldProblem> problems;
    Settings complete;
    for (const auto& setting : kind.settings) {
        const auto found = given.find(setting.name);
        auto value = found == given.end() ? default_of(setting) : found->second;
        if (auto problem = problem_of(setting, value); !problem.empty())
            problems.push_back({std::string(prefix) + std::string(setting.name), std::move(problem)});
        complete.emplace(setting.name, std::move(value));
    }
    std::vector<std::string_view> known;
    for (const auto& setting : kind.settings) known.push_back(setting.name);
    for (const auto& [name, value] : given) {
        if (kind.setting(name)) continue;
        const auto near = nearest(name, known);
        problems.push_back({std::string(prefix) + name, "is not a setting of " + std::string(kind.name)
                                                            + (near ? "; did you mean " + *near + "?" : "")});
    }
    if (problems.empty()) return complete;
    auto what = problems.front().field + " " + problems.front().what;
    return std::unexpected(Error{Errc::Invalid, std::move(what), std::move(problems)});
}

}  // namespace nw
