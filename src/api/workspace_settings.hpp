// A workspace's settings: grade thresholds, retention and time zone, with their defaults and their JSON form.
#pragma once

#include "base/json_writer.hpp"
#include "base/result.hpp"
#include "net/json.hpp"
#include "quality/grade.hpp"
#include "store/metadata/metadata.hpp"
#include "store/telemetry/telemetry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nw::api {

struct RetentionDays {
    std::int64_t raw = 0;
    std::int64_t five_minute = 0;
    std::int64_t hour = 0;
    friend bool operator==(const RetentionDays&, const RetentionDays&) = default;
};
RetentionDays in_days(const store::Retention& retention);

struct WorkspaceSettings {
    quality::GradeThresholds thresholds{};
    std::optional<RetentionDays> retention{};  // nothing: as the instance keeps everything
    std::string time_zone{"UTC"};
    friend bool operator==(const WorkspaceSettings&, const WorkspaceSettings&) = default;
};

WorkspaceSettings settings_of(const store::Workspace& workspace);
void write_settings(JsonWriter& json, const WorkspaceSettings& settings);
// What holds for the workspace: no longer than the instance keeps everything.
RetentionDays effective(const WorkspaceSettings& settings, const RetentionDays& instance);
// `present` with the members of `given` replaced; problems are named "settings....". Retention longer than `most` is one.
Result<WorkspaceSettings> merged_settings(const WorkspaceSettings& present, const net::Json& given,
                                          const RetentionDays& most);

// A short name for URLs made from a workspace's name, not yet taken.
Result<std::string> free_slug(store::MetadataTx& tx, std::string_view name);

}  // namespace nw::api
