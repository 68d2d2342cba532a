// What to measure: a kind and its settings, validated against the kind's declaration.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/ids.hpp"
#include "model/kind.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace nw {

// Numbers, durations and booleans are integers, everything else is text.
using SettingValue = std::variant<std::int64_t, std::string>;
using Settings = std::map<std::string, SettingValue, std::less<>>;

// Of settings that need not be complete. Without such a setting, or one of the other type: empty, nothing.
std::string text_setting(const Settings& settings, std::string_view name);
std::optional<std::int64_t> number_setting(const Settings& settings, std::string_view name);

struct ProbeSpec {
    ProbeId id{};
    std::uint32_t revision = 0;  // grows with each edit
    const Kind* kind = nullptr;  // outlives the spec: kinds are constants of the program
    Settings settings{};         // complete: every declared setting is present

    std::int64_t number(std::string_view name) const;
    const std::string& text(std::string_view name) const;
    Millis interval() const { return Millis(number("interval")); }

    friend bool operator==(const ProbeSpec&, const ProbeSpec&) = default;
};

// Checks `given` against the declaration and fills in defaults. The error lists every field that is wrong,
// named "<prefix><setting>".
Result<Settings> validated(const Kind& kind, const Settings& given, std::string_view prefix = "settings.");

// A host name (RFC 1123, with underscores as the DNS allows) or an IPv4 or IPv6 address, with optional zone.
bool is_host(std::string_view text);

}  // namespace nw
