// An invented workspace of a thousand path probes, for the figures of the map.
#pragma once

#include "base/random.hpp"
#include "topology/graph.hpp"
#include "topology/testing.hpp"

#include <cstdint>
#include <vector>

namespace nw::bench {

inline constexpr std::uint32_t kAgents = 40;
inline constexpr std::uint32_t kTargets = 25;
inline constexpr std::uint32_t kBranches = 4;

struct Traced {
    ProbeId id{};
    topology::ProbeEnds ends{};
    std::vector<topology::testing::FakeFlow> flows{};
};

// Of each agent to each target.
std::vector<Traced> thousand(Random& random);

}  // namespace nw::bench
