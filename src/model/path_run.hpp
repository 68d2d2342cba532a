// What one run of a path probe saw, hop by hop, as values; in a sample it is the table column "hops" of the kind
// `path`. The agent's engine makes it, analysis and API read it.
//
// The columns are a format: append, never remove, reorder or retype.
#pragma once

#include "base/result.hpp"
#include "model/kind.hpp"
#include "model/rows.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw {

// The numbers of both are formats.
enum class HopAnswer : std::uint8_t {
    None = 0,         // nothing came back
    Exceeded = 1,     // a router on the way
    Arrived = 2,      // the destination itself
    Unreachable = 3,  // somebody says that it goes no further
    TooBig = 4,       // the next link does not take a packet of this size
};
inline constexpr std::array<std::string_view, 5> kHopAnswerNames{"none", "exceeded", "arrived", "unreachable", "too_big"};

// What missing answers mean (probe/path/verdict.hpp).
enum class HopVerdict : std::uint8_t { None = 0, Forwarding = 1, RateLimited = 2, Silent = 3, Filtered = 4 };
inline constexpr std::array<std::string_view, 5> kHopVerdictNames{"none", "forwarding", "rate_limited", "silent",
                                                                  "filtered"};
constexpr std::string_view name_of(HopVerdict verdict) { return kHopVerdictNames[std::size_t(verdict)]; }

// An entry of an MPLS label stack (RFC 4950, RFC 5462).
struct MplsEntry {
    std::uint32_t label = 0;         // 20 bits
    std::uint8_t traffic_class = 0;  // 3 bits
    bool bottom = false;
    std::uint8_t ttl = 0;

    friend bool operator==(const MplsEntry&, const MplsEntry&) = default;
};

// What a router says of one of its interfaces (RFC 5837).
struct HopInterface {
    std::uint8_t role = 0;  // 0 incoming, 1 sub-IP part of it, 2 outgoing, 3 next hop
    std::optional<std::uint32_t> index{};
    std::string address{};  // 4 or 16 bytes in network order, or empty
    std::string name{};     // as it came: anything
    std::optional<std::uint32_t> mtu{};

    friend bool operator==(const HopInterface&, const HopInterface&) = default;
};

// One responder at one TTL of one path, and the probes of this run that it was asked with.
struct PathHop {
    std::uint16_t path = 0;  // which of the pinned flows
    std::uint8_t ttl = 0;
    std::string address{};  // 4 or 16 bytes in network order; empty: nobody answered
    std::string name{};     // by reverse DNS, when it was known by then: anything
    HopAnswer answer = HopAnswer::None;
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;
    std::uint32_t sent = 0;
    std::uint32_t received = 0;
    std::int64_t rtt_min_us = kAbsent;  // as all of these when nothing was received
    std::int64_t rtt_max_us = kAbsent;
    std::int64_t rtt_sum_us = 0;
    std::int64_t rtt_sum_squares_us2 = 0;
    std::int64_t ipdv_sum_us = 0;
    std::uint32_t ipdv_count = 0;
    HopVerdict verdict = HopVerdict::None;
    double confidence = 0;                     // kept in thousandths
    double forwarding_loss_ratio = 0;          // kept in millionths
    std::optional<double> limit_per_second{};  // answers that a rate limiter lets through; kept in thousandths
    std::optional<std::uint32_t> mtu{};  // the largest packet that reaches it in one piece, when that has been looked for
    std::optional<std::uint8_t> reply_ttl{};
    // The packet as the responder quoted it, where it was not as sent.
    std::optional<std::uint8_t> quoted_ttl{};
    std::optional<std::uint8_t> dscp{};
    std::optional<std::uint8_t> ecn{};
    std::optional<std::uint16_t> mss{};
    std::string nat_source{};
    std::string nat_destination{};
    bool nat_ports = false;
    std::vector<MplsEntry> mpls{};
    std::vector<HopInterface> interfaces{};

    friend bool operator==(const PathHop&, const PathHop&) = default;
};

inline constexpr std::array<ChildColumn, 30> kHopColumns{{
    {.name = "path", .label = "Path"},
    {.name = "ttl", .label = "TTL"},
    {.name = "address", .type = ColumnType::Text, .unit = "ip", .label = "Address"},
    {.name = "name", .type = ColumnType::Text, .label = "Name"},
    {.name = "answer", .label = "Answer", .names = kHopAnswerNames},
    {.name = "icmp_type", .label = "ICMP type"},
    {.name = "icmp_code", .label = "ICMP code"},
    {.name = "sent", .unit = "packets", .label = "Sent"},
    {.name = "received", .unit = "packets", .label = "Received"},
    {.name = "rtt_min", .unit = "us", .label = "RTT minimum"},
    {.name = "rtt_max", .unit = "us", .label = "RTT maximum"},
    {.name = "rtt_sum", .unit = "us", .label = "RTT sum"},
    {.name = "rtt_sum_squares", .unit = "us2", .label = "RTT sum of squares"},
    {.name = "ipdv_sum", .unit = "us", .label = "Sum of |delay variation|"},
    {.name = "ipdv_count", .unit = "packets", .label = "Pairs for delay variation"},
    {.name = "verdict", .label = "Verdict", .names = kHopVerdictNames},
    {.name = "confidence", .unit = "permille", .label = "Confidence"},
    {.name = "forwarding_loss", .unit = "ppm", .label = "Forwarding loss"},
    {.name = "limit", .unit = "mHz", .label = "Rate limit"},
    {.name = "mtu", .unit = "B", .label = "MTU"},
    {.name = "reply_ttl", .label = "TTL of the answer"},
    {.name = "quoted_ttl", .label = "TTL as quoted"},
    {.name = "dscp", .label = "DSCP as quoted"},
    {.name = "ecn", .label = "ECN as quoted"},
    {.name = "mss", .unit = "B", .label = "MSS as quoted"},
    {.name = "nat_source", .type = ColumnType::Text, .unit = "ip", .label = "Source as quoted"},
    {.name = "nat_destination", .type = ColumnType::Text, .unit = "ip", .label = "Destination as quoted"},
    {.name = "nat_ports", .label = "Ports were rewritten"},
    {.name = "mpls", .type = ColumnType::Text, .label = "MPLS label stack"},            // "label/tc/s/ttl ..."
    {.name = "interfaces", .type = ColumnType::Text, .label = "Interface (RFC 5837)"},  // "role/index/mtu/address/name ..."
}};

inline constexpr std::size_t kHopNameBytesMax = 255;
inline constexpr std::size_t kMplsEntriesMax = 16;
inline constexpr std::size_t kHopInterfacesMax = 8;

// Ascending by (path, ttl), and of one TTL whoever answered most first. Those beyond kChildRowsMax are left out.
std::string encode_hops(const std::vector<PathHop>& hops);
// Corrupt when a value is out of its range.
Result<std::vector<PathHop>> decode_hops(std::string_view bytes);
// Of a row of the kind `path`; without hops when the run had none.
Result<std::vector<PathHop>> hops_of(const Rows& rows, std::size_t row);

}  // namespace nw
