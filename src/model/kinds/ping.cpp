#include "model/kinds/ping.hpp"

#include "model/kinds/round_trip.hpp"

#include <array>

namespace nw::kinds {
namespace {

constexpr std::array<Choice, 2> kPatterns{{{"spread", "Spread over the interval"}, {"burst", "Burst"}}};

constexpr std::array<Setting, 13> kSettings{{
    {.name = "target",
     .label = "Target",
     .help = "Host name or address to ping.",
     .type = SettingType::Target,
     .required = true,
     .max = 253},
    kInterval,
    {.name = "packets",
     .label = "Packets per interval",
     .help = "Echo requests sent in each interval.",
     .type = SettingType::Integer,
     .unit = "packets",
     .default_number = 20,
     .min = 1,
     .max = 1'000},
    {.name = "timeout",
     .label = "Timeout",
     .help = "A reply that takes longer counts as lost.",
     .type = SettingType::Duration,
     .unit = "ms",
     .default_number = 2'000,
     .min = 10,
     .max = 60'000},
    {.name = "size",
     .label = "Payload size",
     .help = "ICMP payload; the IP packet is 28 (IPv4) or 48 (IPv6) bytes larger.",
     .type = SettingType::Integer,
     .unit = "B",
     .default_number = 56,
     .min = 28,
     .max = 65'000,
     .advanced = true},
    kFamily,
    kDscp,
    {.name = "ttl",
     .label = "TTL",
     .help = "Time to live or hop limit of the requests.",
     .type = SettingType::Integer,
     .default_number = 64,
     .min = 1,
     .max = 255,
     .advanced = true},
    {.name = "dont_fragment",
     .label = "Don't fragment",
     .help = "Routers must not split the packet: shows path MTU trouble.",
     .type = SettingType::Boolean,
     .default_number = 0,
     .min = 0,
     .max = 1,
     .advanced = true},
    kInterface,
    {.name = "source",
     .label = "Source address",
     .help = "Send from this local address.",
     .type = SettingType::Text,
     .max = 45,
     .advanced = true},
    {.name = "pattern",
     .label = "Sending pattern",
     .help = "Spread evenly, or all in one burst.",
     .type = SettingType::Choice,
     .default_text = "spread",
     .choices = kPatterns,
     .advanced = true},
    {.name = "burst_gap",
     .label = "Gap inside a burst",
     .help = "Time between the packets of a burst.",
     .type = SettingType::Duration,
     .unit = "ms",
     .default_number = 10,
     .min = 10,
     .max = 1'000,
     .advanced = true},
}};

constexpr auto kColumns =
    joined(kRoundTripColumns,
           std::array<Column, 8>{{
               {.name = "late", .unit = "packets", .rollup = Rollup::Sum, .label = "Late"},
               {.name = "duplicates", .unit = "packets", .rollup = Rollup::Sum, .label = "Duplicates"},
               {.name = "reordered", .unit = "packets", .rollup = Rollup::Sum, .label = "Reordered (RFC 4737)"},
               {.name = "corrupted", .unit = "packets", .rollup = Rollup::Sum, .label = "Corrupted"},
               {.name = "unreachable", .unit = "packets", .rollup = Rollup::Sum, .label = "Answered by an ICMP error"},
               {.name = "ttl_reply", .unit = "", .rollup = Rollup::Last, .label = "TTL of the reply"},
               kResolveTime,
               kRoundTrips,
           }});

constexpr auto kMetrics = joined(
    kRoundTripMetrics,
    std::array<Metric, 4>{{
        {.name = "late", .label = "Late", .unit = "packets", .formula = Formula::Value, .a = "late"},
        {.name = "duplicates", .label = "Duplicates", .unit = "packets", .formula = Formula::Value, .a = "duplicates"},
        {.name = "reordered", .label = "Reordered", .unit = "packets", .formula = Formula::Value, .a = "reordered"},
        {.name = "corrupted", .label = "Corrupted", .unit = "packets", .formula = Formula::Value, .a = "corrupted"},
    }});

constexpr std::array<std::string_view, 6> kTiles{"rtt_p50", "rtt_p95", "loss_ratio", "jitter", "rtt_min", "rtt_max"};

}  // namespace

constexpr Kind ping{
    .number = 1,
    .name = "ping",
    .label = "Ping",
    .description = "Round-trip time and loss by ICMP echo.",
    .settings = kSettings,
    .columns = kColumns,
    .metrics = kMetrics,
    .presentation = {.distribution = "rtt", .loss = "loss_ratio", .lines = {}, .tiles = kTiles},
};

}  // namespace nw::kinds
