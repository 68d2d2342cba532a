// Tells those who watch a workspace's map what has changed, as deltas from one generation to the next.
//
// A reader's generation must be the one that the next delta starts from. So whoever asks for the whole map brings the
// watchers to the present first, and gets the generation they are at.
//
// Belongs to one loop.
#pragma once

#include "api/services.hpp"
#include "api/topology_view.hpp"
#include "base/async.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace nw::api {

// What the map of a workspace needs besides the graph.
Task<Result<MapContext>> map_context(Services& services, WorkspaceId workspace);

class MapFeed {
public:
    // Workspaces that somebody watches and that have changed.
    std::vector<WorkspaceId> behind(const Services& services) const;
    // Publishes what has changed since the last time.
    void bring_up_to_date(Services& services, WorkspaceId workspace, const MapContext& context);

private:
    std::map<WorkspaceId, std::uint64_t> told_{};  // generations
};

}  // namespace nw::api
