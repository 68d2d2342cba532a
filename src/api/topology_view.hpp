// The map as the API shows it: a workspace's graph, whole and in deltas.
#pragma once

#include "base/json_writer.hpp"
#include "quality/grade.hpp"
#include "store/metadata/records.hpp"
#include "topology/graph.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace nw::api {

// What the graph does not know itself.
struct MapContext {
    quality::GradeThresholds thresholds{};
    std::map<AgentId, store::Agent> agents{};
};

struct MapSpan {
    std::string generation{};
    std::int64_t at_us = 0;
    std::int64_t from_us = 0;
    std::int64_t until_us = 0;
    bool live = false;
    bool truncated = false;
};

// A node by its forwarding loss, a target by its delay too; a link, between hops that answer, by what is lost on it.
quality::Graded grade_of(const topology::Node& node, const quality::GradeThresholds& thresholds);
quality::Grade grade_of(const topology::Edge& edge, const quality::GradeThresholds& thresholds);

// `Topology` of docs/openapi.yaml; `graph` may be null.
std::string topology_json(const topology::Graph* graph, const MapSpan& span, const MapContext& context);
// The live event that takes a reader from `previous` to `generation`.
std::string topology_event(const topology::Graph& graph, const topology::Change& change, std::string_view previous,
                           std::string_view generation, const MapContext& context);

}  // namespace nw::api
