// Paths as the API shows them. Hop grades come from quality/grade and from forwarding loss only: a router that limits its
// answers or gives none is no fault.
#pragma once

#include "api/agent_view.hpp"
#include "base/json_writer.hpp"
#include "quality/grade.hpp"
#include "store/metadata/records.hpp"
#include "topology/path_set.hpp"
#include "topology/route.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nw::api {

// Whose path it is.
struct PathSubject {
    AgentId agent{};
    std::string agent_name{};
    AgentStatus agent_status = AgentStatus::Offline;
    std::string target{};  // as people know it
    std::string protocol{};
};

struct PathSpan {
    std::int64_t at_us = 0;
    std::int64_t from_us = 0;
    std::int64_t until_us = 0;
};

// `Path` of docs/openapi.yaml. `set` is topology::merge() of the runs of one probe or trace.
void write_path(JsonWriter& json, const PathSubject& subject, const PathSpan& span, const topology::PathSet& set,
                const quality::GradeThresholds& thresholds);
// Names a hop within an answer: "3:192.0.2.1", "4:*".
std::string hop_id(const topology::Hop& hop);
quality::Graded grade_of(const topology::Hop& hop, const quality::GradeThresholds& thresholds);
// A name from the network as it can be shown: printable ASCII, anything else as '?'. Nothing when it is empty.
std::optional<std::string> shown_name(std::string_view name);

// `PathChange`; `before` and `after` name routes.
void write_path_change(JsonWriter& json, const store::PathChange& change, std::string_view before, std::string_view after);
void write_path_change(JsonWriter& json, const store::PathChange& change);
// "3 hops added, 2 removed"
std::string summary_of(const store::PathChange& change);

}  // namespace nw::api
