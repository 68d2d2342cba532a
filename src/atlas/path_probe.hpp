// Probes whose results have hops, and what is to be known of them to draw their paths.
#pragma once

#include "model/ids.hpp"
#include "model/kind.hpp"
#include "store/metadata/records.hpp"
#include "topology/graph.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace nw::atlas {

struct PathProbe {
    ProbeId id{};
    std::string agent_name{};
    const Kind* kind = nullptr;
    topology::ProbeEnds ends{};
    std::int64_t interval_us = 0;
};

// Nothing when results of its kind have no paths.
std::optional<PathProbe> path_probe(const Kinds& kinds, const store::Probe& probe);

}  // namespace nw::atlas
