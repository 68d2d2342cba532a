// A workspace's settings: grade thresholds, retention and time zone, with their defaults and their JSON form.
#pragma once

#include "base/json_writer.hpp"
#include "base/result.hpp"
#include "net/json.hpp"
#include "quality/grade.hpp"
#include "store/metadata/metadata.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace nw::api {

struct WorkspaceSettings {
    quality::GradeThresholds thresholds{};
    std::int64_t raw_days = 30;
    std::int64_t five_minute_days = 180;
    std::int64_t hour_days = 1095;
    std::string time_zone{"UTC"};
    friend bool operator==(const WorkspaceSettings&, const WorkspaceSettings&) = default;
};

WorkspaceSettings settings_of(const store::Workspace& workspace);
void write_settings(JsonWriter& json, const WorkspaceSettings& settings);
// `present` with the members of `given` replaced; problems are named "settings....".
Result<WorkspaceSettings> merged_settings(const WorkspaceSettings& present, const net::Json& given);

// A short name for URLs made from a workspace's name, not yet taken.
Result<std::string> free_slug(store::MetadataTx& tx, std::string_view name);

}  // namespace nw::api
