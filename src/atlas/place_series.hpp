// How one router, target or link of the map did over a range: what the map of each bucket of time says of it.
//
// Made from stored runs of the probes whose paths pass there. What is read is bounded whatever is asked: of many probes
// some, spread over all of them, with every run, because a short loss must not be missed; over a long range of a bucket
// some runs that follow one another, in another part of it for each probe. The answer says when it is a sample. A bucket
// without runs that passed there has no value: that is a gap and not zero.
#pragma once

#include "atlas/path_probe.hpp"
#include "base/async.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"
#include "store/telemetry/telemetry.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nw::atlas {

inline constexpr std::size_t kPlaceProbesMin = 4;  // of many probes; fewer say too little of who passes
inline constexpr std::size_t kPlaceProbesMax = 24;
inline constexpr std::size_t kPlaceRunsMax = 12'000;     // of all probes and buckets together, about
inline constexpr std::size_t kPlaceBucketRunsMax = 400;  // of one probe in one bucket
inline constexpr std::uint32_t kPlaceBucketsMax = 200;

// A node by its id, or a link by those of its ends.
struct Place {
    std::string node{};
    std::string source{};
    std::string target{};
    std::string address{};  // of the node, or of the link's target: 4 or 16 bytes

    bool is_link() const { return node.empty(); }
};

// From the id of a node ("r192.0.2.1") or of a link ("a...>r192.0.2.1"). Nothing for what has neither loss nor delay of its
// own: agents, hops that do not answer, and links of those.
std::optional<Place> place_of(std::string_view id);
// Whether a path of the graph passes there.
std::vector<ProbeId> probes_through(const topology::Graph& graph, const Place& place);
// Whether a hop with this address, as text, is there.
bool touches(const Place& place, std::string_view address);

struct PlaceBucket {
    topology::Traffic near{};  // of a link: at its source
    topology::Traffic far{};   // of a link at its target; of a node what it did
};

struct PlaceSeries {
    std::int64_t from_us = 0;
    std::int64_t step_us = 0;
    std::vector<std::optional<PlaceBucket>> buckets{};
    std::size_t probes = 0;  // that were read
    std::size_t runs = 0;
    bool sampled = false;  // there are more probes or runs than were read
};

Task<Result<PlaceSeries>> read_place(store::Telemetry& telemetry, Pool& pool, const Place& place,
                                     std::span<const PathProbe> probes, store::TimeRange range, std::uint32_t buckets);

}  // namespace nw::atlas
