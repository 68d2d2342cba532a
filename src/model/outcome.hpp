// What became of one scheduled run. "No sample at all" is something else again and has no enumerator.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nw {

// The numbers are part of the wire and storage formats: append, never renumber.
enum class Outcome : std::uint8_t {
    Ok = 0,
    Lost = 1,         // nothing came back
    Unreachable = 2,  // an ICMP error; type, code and reporting router are the reason
    Refused = 3,
    DnsError = 4,
    TlsError = 5,
    ProtocolError = 6,
    AssertionFailed = 7,  // an answer came, but not the expected one
    BindError = 8,        // interface absent, down or without address
    PermissionError = 9,
    ConfigError = 10,
    NotMeasured = 11,  // agent overloaded, own link down, agent suspended
};

inline constexpr std::array<std::string_view, 12> kOutcomeNames{
    "ok",           "lost",           "unreachable",      "refused",    "dns_error",
    "tls_error",    "protocol_error", "assertion_failed", "bind_error", "permission_error",
    "config_error", "not_measured"};
inline constexpr std::size_t kOutcomeCount = kOutcomeNames.size();

constexpr std::string_view name_of(Outcome outcome) { return kOutcomeNames[std::size_t(outcome)]; }

constexpr std::optional<Outcome> outcome_from(std::uint64_t number)
{
    if (number >= kOutcomeCount) return std::nullopt;
    return Outcome(number);
}

// Whether the outcome says something about the target; the others tell of the agent's own trouble and never
// count as up or down.
constexpr bool is_about_target(Outcome outcome) { return outcome <= Outcome::AssertionFailed; }

// Where the packet times of a sample come from.
enum class ClockSource : std::uint8_t { None = 0, User = 1, Kernel = 2, Hardware = 3 };
inline constexpr std::array<std::string_view, 4> kClockSourceNames{"none", "user", "kernel", "hw"};

}  // namespace nw
