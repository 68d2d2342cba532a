// What kinds that send packets and await answers declare alike.
#pragma once

#include "model/kind.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace nw::kinds {

inline constexpr std::array<Choice, 3> kFamilies{
    {{"auto", "Automatic (RFC 6724)"}, {"v4", "IPv4 only"}, {"v6", "IPv6 only"}}};

inline constexpr Setting kInterval{.name = "interval",
                                   .label = "Interval",
                                   .help = "One result per interval.",
                                   .type = SettingType::Duration,
                                   .unit = "ms",
                                   .default_number = 60'000,
                                   .min = 1'000,
                                   .max = 86'400'000};
inline constexpr Setting kFamily{.name = "family",
                                 .label = "Address family",
                                 .help = "Which address of a name is used.",
                                 .type = SettingType::Choice,
                                 .default_text = "auto",
                                 .choices = kFamilies,
                                 .advanced = true};
inline constexpr Setting kDscp{.name = "dscp",
                               .label = "DSCP",
                               .help = "Differentiated services code point of the packets sent (RFC 2474).",
                               .type = SettingType::Integer,
                               .default_number = 0,
                               .min = 0,
                               .max = 63,
                               .advanced = true};
inline constexpr Setting kInterface{.name = "interface",
                                    .label = "Interface",
                                    .help = "Send through this network device only; never through another.",
                                    .type = SettingType::Interface,
                                    .max = 15,
                                    .advanced = true};

// Sums rather than means, so that ranges merge exactly: sum and sum of squares give mean and deviation.
inline constexpr std::array<Column, 8> kRoundTripColumns{{
    {.name = "sent", .unit = "packets", .rollup = Rollup::Sum, .label = "Sent", .hot = true},
    {.name = "received", .unit = "packets", .rollup = Rollup::Sum, .label = "Received", .hot = true},
    {.name = "rtt_min", .unit = "us", .rollup = Rollup::Min, .label = "RTT minimum", .hot = true},
    {.name = "rtt_max", .unit = "us", .rollup = Rollup::Max, .label = "RTT maximum", .hot = true},
    {.name = "rtt_sum", .unit = "us", .rollup = Rollup::Sum, .label = "RTT sum", .hot = true},
    {.name = "rtt_sum_squares", .unit = "us2", .rollup = Rollup::Sum, .label = "RTT sum of squares"},
    {.name = "ipdv_sum", .unit = "us", .rollup = Rollup::Sum, .label = "Sum of |delay variation| (RFC 3393)"},
    {.name = "ipdv_count", .unit = "packets", .rollup = Rollup::Sum, .label = "Pairs for delay variation"},
}};
inline constexpr Column kResolveTime{.name = "resolve_us", .unit = "us", .rollup = Rollup::Max, .label = "Name resolution"};
inline constexpr Column kRoundTrips{
    .name = "rtt", .type = ColumnType::Histogram, .unit = "us", .rollup = Rollup::Merge, .label = "RTT"};

// Of the columns above.
inline constexpr std::array<Metric, 11> kRoundTripMetrics{{
    {.name = "loss_ratio", .label = "Loss", .unit = "ratio", .formula = Formula::Complement, .a = "received", .b = "sent"},
    {.name = "rtt_mean", .label = "RTT mean", .unit = "us", .formula = Formula::Mean, .a = "rtt_sum", .b = "received"},
    {.name = "rtt_min", .label = "RTT minimum", .unit = "us", .formula = Formula::Value, .a = "rtt_min"},
    {.name = "rtt_max", .label = "RTT maximum", .unit = "us", .formula = Formula::Value, .a = "rtt_max"},
    {.name = "rtt_p50", .label = "RTT median", .unit = "us", .formula = Formula::Quantile, .a = "rtt", .q = 0.50},
    {.name = "rtt_p95", .label = "RTT 95th percentile", .unit = "us", .formula = Formula::Quantile, .a = "rtt", .q = 0.95},
    {.name = "rtt_p99", .label = "RTT 99th percentile", .unit = "us", .formula = Formula::Quantile, .a = "rtt", .q = 0.99},
    {.name = "rtt_deviation",
     .label = "RTT standard deviation",
     .unit = "us",
     .formula = Formula::Deviation,
     .a = "rtt_sum",
     .b = "received",
     .c = "rtt_sum_squares"},
    {.name = "jitter", .label = "Jitter", .unit = "us", .formula = Formula::Mean, .a = "ipdv_sum", .b = "ipdv_count"},
    {.name = "sent", .label = "Sent", .unit = "packets", .formula = Formula::Value, .a = "sent"},
    {.name = "received", .label = "Received", .unit = "packets", .formula = Formula::Value, .a = "received"},
}};

template <class T, std::size_t A, std::size_t B>
constexpr std::array<T, A + B> joined(const std::array<T, A>& first, const std::array<T, B>& second)
{
    std::array<T, A + B> all{};
    std::ranges::copy(second, std::ranges::copy(first, all.begin()).out);
    return all;
}

// The same columns, all of them in the small frame.
template <std::size_t N>
constexpr std::array<Column, N> hot(std::array<Column, N> columns)
{
    for (auto& column : columns) column.hot = true;
    return columns;
}

}  // namespace nw::kinds
