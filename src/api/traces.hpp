// Traces that somebody asked for now: an action of the kind `path`, as the API shows it.
#pragma once

#include "api/services.hpp"
#include "base/json_writer.hpp"
#include "quality/grade.hpp"
#include "store/metadata/records.hpp"

namespace nw::api {

// Grades hops by `thresholds`; without them the trace comes without its path.
void write_trace(JsonWriter& json, const Services& services, const store::Action& action,
                 const quality::GradeThresholds* thresholds);

}  // namespace nw::api
