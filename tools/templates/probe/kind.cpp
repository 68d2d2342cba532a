#include "model/kinds/@name@.hpp"

#include <array>

namespace nw::kinds {
namespace {

constexpr std::array<Setting, 3> kSettings{{
    {.name = "target", .label = "Target", .help = "Host name or address to measure.",
     .type = SettingType::Target, .required = true, .max = 253},
    {.name = "interval", .label = "Interval", .help = "One result per interval.",
     .type = SettingType::Duration, .unit = "ms", .default_number = 60'000, .min = 1'000, .max = 86'400'000},
    {.name = "timeout", .label = "Timeout", .help = "An answer that takes longer counts as lost.",
     .type = SettingType::Duration, .unit = "ms", .default_number = 5'000, .min = 10, .max = 60'000},
}};

// Sums and histograms rather than means, so that ranges merge exactly.
constexpr std::array<Column, 4> kColumns{{
    {.name = "sent", .unit = "", .rollup = Rollup::Sum, .label = "Asked", .hot = true},
    {.name = "received", .unit = "", .rollup = Rollup::Sum, .label = "Answered", .hot = true},
    {.name = "time_sum", .unit = "us", .rollup = Rollup::Sum, .label = "Sum of times", .hot = true},
    {.name = "time", .type = ColumnType::Histogram, .unit = "us", .rollup = Rollup::Merge, .label = "Time"},
}};

constexpr std::array<Metric, 4> kMetrics{{
    {.name = "loss_ratio", .label = "Loss", .unit = "ratio", .formula = Formula::Complement, .a = "received", .b = "sent"},
    {.name = "time_mean", .label = "Mean time", .unit = "us", .formula = Formula::Mean, .a = "time_sum", .b = "received"},
    {.name = "time_p50", .label = "Median time", .unit = "us", .formula = Formula::Quantile, .a = "time", .q = 0.50},
    {.name = "time_p95", .label = "95th percentile", .unit = "us", .formula = Formula::Quantile, .a = "time", .q = 0.95},
}};

constexpr std::array<std::string_view, 3> kTiles{"time_p50", "time_p95", "loss_ratio"};

}  // namespace

constexpr Kind @name@{
    .number = @number@,
    .name = "@name@",
    .label = "@NAME@",
    .description = "Say in one line what is measured.",
    .settings = kSettings,
    .columns = kColumns,
    .metrics = kMetrics,
    .presentation = {.distribution = "time", .loss = "loss_ratio", .lines = {}, .tiles = kTiles},
};

}  // namespace nw::kinds
