// Turns what happens into live events: new samples at once, changes of probes and agents coalesced to one event a
// second each, the map of a workspace likewise, the progress of traces to four. Events are made only for topics that
// somebody watches.
//
// Belongs to one loop.
#pragma once

#include "api/map_feed.hpp"
#include "api/services.hpp"
#include "base/task_group.hpp"
#include "model/rows.hpp"
#include "store/metadata/records.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>

namespace nw::api {

class Feed {
public:
    Feed(Executor loop, Log log);
    // The services hold a reference to the feed: they are made after it.
    void start(Services& services, TaskGroup& tasks);

    void rows(AgentId agent, std::span<const Rows> rows);
    void probe_changed(WorkspaceId workspace, ProbeId probe);
    void probe_gone(WorkspaceId workspace, ProbeId probe);
    // Events of the probe, or of every probe, are to be read again.
    void annotated(WorkspaceId workspace, std::optional<ProbeId> probe);
    void trace_changed(const store::Action& action);
    void agent_changed(WorkspaceId workspace, AgentId agent);
    void agent_gone(WorkspaceId workspace, AgentId agent);
    void route_changed(WorkspaceId workspace, const store::PathChange& change);
    MapFeed& map() { return map_; }

private:
    Task<void> flush_loop();
    Task<void> trace_loop();
    Task<void> publish_trace(store::Action action);
    Task<void> flush_probes(WorkspaceId workspace, std::set<ProbeId> probes, bool edited);
    Task<void> flush_agents(WorkspaceId workspace, std::set<AgentId> agents);
    Task<void> flush_map(WorkspaceId workspace);

    Executor loop_;
    Log log_;
    Services* services_ = nullptr;
    std::map<WorkspaceId, std::set<ProbeId>> measured_{};
    std::map<WorkspaceId, std::set<ProbeId>> edited_{};
    std::map<WorkspaceId, std::set<AgentId>> agents_{};
    MapFeed map_{};
    std::map<ActionId, store::Action> traces_{};
};

}  // namespace nw::api
