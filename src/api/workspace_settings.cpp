#include "api/workspace_settings.hpp"

#include "api/fields.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace nw::api {
namespace {

constexpr std::int64_t kDaysMax = 36'500;

void write_levels(JsonWriter& json, std::string_view name, const quality::Levels& levels)
{
    json.key(name)
        .object()
        .field("good", levels.good)
        .field("fair", levels.fair)
        .field("poor", levels.poor)
        .field("critical", levels.critical)
        .end_object();
}

quality::Levels read_levels(Fields& parent, const net::Json& given, const std::string& name)
{
    Fields fields(given, "settings.thresholds." + name + ".");
    const quality::Levels levels{.good = fields.number("good", 0),
                                 .fair = fields.number("fair", 0),
                                 .poor = fields.number("poor", 0),
                                 .critical = fields.number("critical", 0)};
    if (auto done = fields.done(); !done) parent.add_problems(done.error().fields);
    else if (levels.good > levels.fair || levels.fair > levels.poor || levels.poor > levels.critical)
        parent.add_problems({{"settings.thresholds." + name, "must rise from good to critical"}});
    return levels;
}

void read_thresholds(Fields& parent, const net::Json& given, quality::GradeThresholds& thresholds)
{
    Fields fields(given, "settings.thresholds.");
    const auto levels = [&](const std::string& name) {
        if (!fields.has(name)) fields.refuse(name, "is required");
        return fields.has(name) ? read_levels(parent, fields.raw(name), name) : quality::Levels{};
    };
    thresholds.loss_ratio = levels("loss_ratio");
    thresholds.latency_us = levels("latency_us");
    thresholds.jitter_us = levels("jitter_us");
    if (auto done = fields.done(); !done) parent.add_problems(done.error().fields);
}

void read_retention(Fields& parent, const net::Json& given, WorkspaceSettings& settings, const RetentionDays& most)
{
    Fields fields(given, "settings.retention.");
    const auto days = [&](const char* name, std::int64_t max) {
        const auto count = fields.integer(name, 1, kDaysMax);
        if (count > max)
            fields.refuse(name,
                          "must not be longer than this controller keeps everything: " + std::to_string(max) + " days");
        return count;
    };
    const RetentionDays keep{.raw = days("raw_days", most.raw),
                             .five_minute = days("five_minute_days", most.five_minute),
                             .hour = days("hour_days", most.hour)};
    if (keep.five_minute < keep.raw) fields.refuse("five_minute_days", "must not be shorter than raw_days");
    if (keep.hour < keep.five_minute) fields.refuse("hour_days", "must not be shorter than five_minute_days");
    if (auto done = fields.done(); !done) return parent.add_problems(done.error().fields);
    // As long as everything: then also when the instance keeps more one day.
    settings.retention = keep == most ? std::nullopt : std::optional(keep);
}

// A name of the IANA database as this system has it.
bool is_time_zone(std::string_view name)
{
    if (name == "UTC") return true;
    if (name.empty() || name.front() == '/' || name.find("..") != name.npos) return false;
    std::error_code ignored;
    return std::filesystem::is_regular_file(std::filesystem::path("/usr/share/zoneinfo") / name, ignored);
}

}  // namespace

void write_settings(JsonWriter& json, const WorkspaceSettings& settings)
{
    json.object().key("thresholds").object();
    write_levels(json, "loss_ratio", settings.thresholds.loss_ratio);
    write_levels(json, "latency_us", settings.thresholds.latency_us);
    write_levels(json, "jitter_us", settings.thresholds.jitter_us);
    json.end_object();
    if (const auto& keep = settings.retention)
        json.key("retention")
            .object()
            .field("raw_days", keep->raw)
            .field("five_minute_days", keep->five_minute)
            .field("hour_days", keep->hour)
            .end_object();
    json.field("time_zone", settings.time_zone).end_object();
}

RetentionDays in_days(const store::Retention& retention)
{
    const auto days = [](Seconds keep) { return std::int64_t(std::chrono::floor<std::chrono::days>(keep).count()); };
    return {days(retention.raw), days(retention.five_minutes), days(retention.hour)};
}

RetentionDays effective(const WorkspaceSettings& settings, const RetentionDays& instance)
{
    const auto own = settings.retention.value_or(instance);
    return {std::min(own.raw, instance.raw), std::min(own.five_minute, instance.five_minute),
            std::min(own.hour, instance.hour)};
}

Result<WorkspaceSettings> merged_settings(const WorkspaceSettings& present, const net::Json& given,
                                          const RetentionDays& most)
{
    auto settings = present;
    Fields fields(given, "settings.");
    if (fields.has("thresholds")) read_thresholds(fields, fields.raw("thresholds"), settings.thresholds);
    if (fields.has("retention")) read_retention(fields, fields.raw("retention"), settings, most);
    if (const auto zone = fields.maybe_text("time_zone", 1, 64)) {
        if (!is_time_zone(*zone))
            fields.refuse("time_zone", "must be a name of the IANA time zone database, like Europe/Madrid");
        settings.time_zone = *zone;
    }
    NW_CHECK(fields.done());
    return settings;
}

WorkspaceSettings settings_of(const store::Workspace& workspace)
{
    // What is stored was validated when it was written; a default stands in for what an older program did not know.
    const auto json = net::parse_json(workspace.settings);
    if (!json) return {};
    constexpr RetentionDays any{kDaysMax, kDaysMax, kDaysMax};
    return merged_settings({}, *json, any).value_or(WorkspaceSettings{});
}

Result<std::string> free_slug(store::MetadataTx& tx, std::string_view name)
{
    constexpr std::size_t length_max = 40;
    std::string base;
    for (const char c : lower(name)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain) base += c;
        else if (!base.empty() && base.back() != '-') base += '-';
    }
    base.resize(std::min(base.size(), length_max));
    while (base.ends_with('-')) base.pop_back();
    if (base.empty()) base = "workspace";
    for (int number = 1; number < 10'000; ++number) {
        auto slug = number == 1 ? base : base + "-" + std::to_string(number);
        NW_TRY(const auto taken, tx.workspaces().find(slug));
        if (!taken) return slug;
    }
    return fail(Errc::Conflict, "no short name is free for this workspace name");
}

}  // namespace nw::api
