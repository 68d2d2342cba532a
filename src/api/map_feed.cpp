#include "api/map_feed.hpp"

#include "api/workspace_settings.hpp"

#include "atlas/atlas.hpp"
#include "live/hub.hpp"
#include "store/metadata/metadata.hpp"

namespace nw::api {
namespace {

live::Topic map_topic(WorkspaceId workspace) { return {.workspace = workspace, .kind = live::TopicKind::Topology}; }

}  // namespace

Task<Result<MapContext>> map_context(Services& services, WorkspaceId workspace)
{
    co_return co_await services.metadata.read([&](store::MetadataTx& tx) -> Result<MapContext> {
        NW_TRY(const auto found, tx.workspaces().get(workspace));
        NW_TRY(auto agents, tx.agents(workspace).all());
        MapContext context{.thresholds = settings_of(found).thresholds};
        for (auto& agent : agents) context.agents.emplace(agent.id, std::move(agent));
        return context;
    });
}

std::vector<WorkspaceId> MapFeed::behind(const Services& services) const
{
    std::vector<WorkspaceId> behind;
    for (const auto& [workspace, generation] : told_) {
        const auto* graph = services.atlas.graph(workspace);
        if (graph && graph->generation() != generation && services.hub.wanted(map_topic(workspace)))
            behind.push_back(workspace);
    }
    return behind;
}

void MapFeed::bring_up_to_date(Services& services, WorkspaceId workspace, const MapContext& context)
{
    const auto* graph = services.atlas.graph(workspace);
    const auto now = graph ? graph->generation() : 0;
    const auto [known, fresh] = told_.try_emplace(workspace, now);
    if (fresh || !graph || known->second == now) return;
    const auto before = std::exchange(known->second, now);
    if (!services.hub.wanted(map_topic(workspace))) return;
    const auto change = graph->changes_since(before);
    const auto generation = services.atlas.generation_text(now);
    // Who is too far behind for a delta finds that this one does not fit, and reads everything again.
    const auto previous = change ? services.atlas.generation_text(before) : generation;
    services.hub.publish(map_topic(workspace),
                         {topology_event(*graph, change.value_or(topology::Change{}), previous, generation, context)});
}

}  // namespace nw::api
