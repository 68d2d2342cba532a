// Probes with their latest result and grade, as the API shows them.
#pragma once

#include "api/agent_view.hpp"
#include "api/services.hpp"
#include "base/json_writer.hpp"
#include "model/ip_text.hpp"
#include "model/outcome.hpp"
#include "quality/grade.hpp"
#include "store/metadata/metadata.hpp"
#include "store/telemetry/telemetry.hpp"

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nw::api {

struct ProbeView {
    store::Probe probe{};
    const Kind* kind = nullptr;  // null: a kind that this program no longer knows
    std::optional<store::Target> target{};
    AgentStatus agent_status = AgentStatus::Offline;
    std::string problem{};  // what the agent said when it cannot run the probe
    std::optional<Sample> latest{};
    quality::Graded graded{};  // of the last 15 minutes
};

// In the order of `probes`, which are all of `workspace`.
Task<Result<std::vector<ProbeView>>> views_of(Services& services, const store::Workspace& workspace,
                                              std::vector<store::Probe> probes);
Task<Result<std::vector<ProbeView>>> views_of_workspace(Services& services, const store::Workspace& workspace);
Task<Result<ProbeView>> view_of(Services& services, const store::Workspace& workspace, store::Probe probe);

// "<agent> → <target>" when it has no name of its own.
std::string display_name(const ProbeView& view);
void write_probe(JsonWriter& json, const ProbeView& view);

struct GradeCounts {
    std::array<std::int64_t, quality::kGradeNames.size()> by_grade{};
    std::int64_t paused = 0;
};
GradeCounts counts_of(std::span<const ProbeView> views);
// The same of a whole workspace, without making the views.
Task<Result<GradeCounts>> count_grades(Services& services, const store::Workspace& workspace);
void write_grade_counts(JsonWriter& json, const GradeCounts& counts);
// {metric: value or null} of every metric of the kind.
void write_metrics(JsonWriter& json, const Kind& kind, const quality::Aggregate& aggregate);
// Empty when excellent: there is nothing to explain.
std::string_view shown_reason(const quality::Graded& graded);

}  // namespace nw::api
