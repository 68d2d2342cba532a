#include "model/kinds/path.hpp"

#include "model/kinds/round_trip.hpp"
#include "model/path_run.hpp"

#include <array>

namespace nw::kinds {
namespace {

constexpr std::array<Choice, 3> kProtocols{{{"icmp", "ICMP echo"}, {"udp", "UDP"}, {"tcp", "TCP SYN"}}};
constexpr std::array<Choice, 6> kFlows{{{"mda", "All branches (multipath detection)"},
                                        {"1", "One flow"},
                                        {"2", "Two flows"},
                                        {"4", "Four flows"},
                                        {"8", "Eight flows"},
                                        {"16", "Sixteen flows"}}};

constexpr std::array<Setting, 13> kSettings{{
    {.name = "target",
     .label = "Target",
     .help = "Host name or address to which the path is traced.",
     .type = SettingType::Target,
     .required = true,
     .max = 253},
    kInterval,
    {.name = "protocol",
     .label = "Protocol",
     .help = "What the packets are: firewalls and routers may treat them differently.",
     .type = SettingType::Choice,
     .default_text = "icmp",
     .choices = kProtocols},
    {.name = "flows",
     .label = "Flows",
     .help = "Load balancers keep a flow on one branch: several flows see several branches.",
     .type = SettingType::Choice,
     .default_text = "mda",
     .choices = kFlows},
    {.name = "cycles",
     .label = "Probes per hop",
     .help = "Packets to each hop in each interval and flow.",
     .type = SettingType::Integer,
     .unit = "packets",
     .default_number = 10,
     .min = 1,
     .max = 100},
    {.name = "port",
     .label = "Port",
     .help = "Destination port with UDP and TCP; 0 stands for 33434 and 80.",
     .type = SettingType::Integer,
     .default_number = 0,
     .min = 0,
     .max = 65'535,
     .advanced = true},
    {.name = "timeout",
     .label = "Timeout",
     .help = "An answer that takes longer counts as lost.",
     .type = SettingType::Duration,
     .unit = "ms",
     .default_number = 2'000,
     .min = 100,
     .max = 10'000,
     .advanced = true},
    {.name = "hops_max",
     .label = "Most hops",
     .help = "Hops beyond it are not looked for.",
     .type = SettingType::Integer,
     .unit = "hops",
     .default_number = 30,
     .min = 1,
     .max = 64,
     .advanced = true},
    {.name = "size",
     .label = "Packet size",
     .help = "Of the whole IP packet; raised to what protocol and family take at least.",
     .type = SettingType::Integer,
     .unit = "B",
     .default_number = 64,
     .min = 28,
     .max = 9'000,
     .advanced = true},
    kDscp,
    {.name = "mtu_discovery",
     .label = "Find the path MTU",
     .help = "Now and then large packets that must not be fragmented: shows where they no longer pass (RFC 4821, RFC 8899).",
     .type = SettingType::Boolean,
     .default_number = 1,
     .min = 0,
     .max = 1,
     .advanced = true},
    kFamily,
    kInterface,
}};

// Of the destination, all flows together; the hops are child rows. What charts need is in the small frame, so that
// they read no hops.
constexpr auto kColumns = joined(
    hot(kRoundTripColumns),
    std::array<Column, 8>{{
        {.name = "hop_count", .unit = "hops", .rollup = Rollup::Last, .label = "Hops to the destination", .hot = true},
        {.name = "path_count", .unit = "paths", .rollup = Rollup::Last, .label = "Paths that were traced", .hot = true},
        {.name = "mtu", .unit = "B", .rollup = Rollup::Min, .label = "Path MTU", .hot = true},
        {.name = "black_hole_ttl",
         .unit = "hops",
         .rollup = Rollup::Last,
         .label = "Last hop before an MTU black hole",
         .hot = true},
        {.name = "unreachable", .unit = "packets", .rollup = Rollup::Sum, .label = "Answered by an ICMP error"},
        kResolveTime,
        kRoundTrips,
        {.name = "hops", .type = ColumnType::Table, .label = "Hops", .children = kHopColumns},
    }});

constexpr auto kMetrics = joined(
    kRoundTripMetrics,
    std::array<Metric, 4>{{
        {.name = "hop_count", .label = "Hops", .unit = "hops", .formula = Formula::Value, .a = "hop_count"},
        {.name = "path_count", .label = "Paths", .unit = "paths", .formula = Formula::Value, .a = "path_count"},
        {.name = "mtu", .label = "Path MTU", .unit = "B", .formula = Formula::Value, .a = "mtu"},
        {.name = "unreachable", .label = "Unreachable", .unit = "packets", .formula = Formula::Value, .a = "unreachable"},
    }});

constexpr std::array<std::string_view, 6> kTiles{"rtt_p50", "rtt_p95", "loss_ratio", "jitter", "hop_count", "path_count"};

}  // namespace

constexpr Kind path{
    .number = 2,
    .name = "path",
    .label = "Path",
    .description = "The routers on the way, with delay and loss at each: every branch of it.",
    .settings = kSettings,
    .columns = kColumns,
    .metrics = kMetrics,
    .presentation = {.distribution = "rtt", .loss = "loss_ratio", .lines = {}, .tiles = kTiles},
};

}  // namespace nw::kinds
