// Keeps what the paths of all workspaces say at this moment: the graph of each, and when routes change.
//
// Fed with new samples as they are stored. A row costs its probe's part of the graph and nothing else, and that is drawn a
// little later, a few probes at a time: an agent that catches up holds nobody up. Route changes are
// stored before they are told; what is worked out again after a restart is stored once. At the start every probe is
// brought up to date from what the store has of its last hours, one after the other in the background; until its turn
// comes, its new runs wait for it.
//
// Bounded: per probe ten runs, the few hundred routers of four trackers, and while it waits 64 runs; per workspace
// topology::Graph::kNodesMax; changes that wait to be stored.
//
// Belongs to one loop; what is heavy runs on its pool.
#pragma once

#include "atlas/recent_runs.hpp"
#include "base/async.hpp"
#include "base/log.hpp"
#include "base/run_on.hpp"
#include "base/task_group.hpp"
#include "base/time.hpp"
#include "model/kind.hpp"
#include "model/rows.hpp"
#include "store/metadata/metadata.hpp"
#include "topology/graph.hpp"
#include "topology/route_tracker.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>

namespace nw::store {
class Telemetry;
}

namespace nw::atlas {

inline constexpr std::size_t kDestinationsMax = 4;  // of one probe; beyond, the one not seen for longest is forgotten
inline constexpr std::size_t kWaitingMax = 64;      // runs of a probe whose turn has not come
inline constexpr std::size_t kChangesPendingMax = 10'000;

struct AtlasStats {
    std::uint64_t probes = 0;
    std::uint64_t probes_waiting = 0;  // not yet brought up to date since the start
    std::uint64_t probes_to_draw = 0;  // with new runs that are not yet on the map
    std::uint64_t runs = 0;            // taken in, since the start
    std::uint64_t runs_corrupt = 0;
    std::uint64_t nodes = 0;
    std::uint64_t edges = 0;
    std::uint64_t graphs_truncated = 0;
    std::uint64_t changes = 0;          // stored, since the start
    std::uint64_t changes_pending = 0;  // not yet stored
    std::uint64_t changes_dropped = 0;
};

class Atlas {
public:
    using ChangeListener = std::function<void(WorkspaceId, const store::PathChange&)>;

    // `mark` differs for every process, so that generations of an earlier one are recognised.
    Atlas(Executor loop, store::Metadata& metadata, store::Telemetry& telemetry, const Kinds& kinds, const Clock& clock,
          std::string mark, Log log);
    ~Atlas();

    // Reads which probes there are; before anything else.
    Task<Status> load();
    // Runs until the tasks are closed.
    void start(TaskGroup& tasks);
    // The store has a new version of the agent or of its probes.
    Task<Status> refresh(AgentId agent);
    // Called for each change once it is stored.
    void on_change(ChangeListener listener) { listener_ = std::move(listener); }

    void take(std::span<const Rows> batches);
    // Paths that are measured no more leave the picture; called by itself now and then.
    void expire();

    // What paths say now; nothing while a workspace has none.
    const topology::Graph* graph(WorkspaceId workspace) const;
    // "<mark>.<number>"
    std::string generation_text(std::uint64_t generation) const;
    Pool& pool() { return pool_; }
    AtlasStats stats() const;

private:
    struct Tracked {
        WorkspaceId workspace{};
        const Kind* kind = nullptr;
        topology::ProbeEnds ends{};
        std::int64_t interval_us = 0;
        std::int64_t since_us = 0;  // earlier runs may be of another target
        RecentRuns recent{};
        // By address of the destination: a name that has become another address is no route that has changed.
        std::map<std::string, topology::RouteTracker> trackers{};
        std::int64_t told_us = INT64_MIN;  // the newest change that is stored or waits for it was confirmed then
        bool ready = false;
        std::deque<topology::Run> waiting{};
    };
    struct Facts {
        std::optional<store::Agent> agent{};
        std::vector<store::Probe> probes{};
    };
    struct Pending {
        WorkspaceId workspace{};
        store::PathChange change{};
    };

    static Result<Facts> read(store::MetadataTx& tx, AgentId agent);
    void take_facts(AgentId agent, Facts facts);
    std::optional<Tracked> tracked_from(const store::Agent& agent, const store::Probe& probe) const;
    void forget(ProbeId probe);
    void take_row(const Rows& rows, std::size_t row);
    void follow(ProbeId probe, Tracked& tracked, const topology::Run& run);
    static topology::RouteTracker& tracker_of(Tracked& tracked, const std::string& address);
    void redraw(ProbeId probe, const Tracked& tracked);
    std::int64_t horizon_us(const Tracked& tracked) const;

    Task<void> bring_up_to_date();
    Task<Status> bring_up_to_date(ProbeId probe);
    Task<void> draw();
    Task<void> store_changes();
    Task<void> expire_now_and_then();

    Executor loop_;
    store::Metadata& metadata_;
    store::Telemetry& telemetry_;
    const Kinds& kinds_;
    const Clock& clock_;
    std::string mark_;
    Log log_;
    ChangeListener listener_{};
    std::map<ProbeId, Tracked> probes_{};
    std::map<AgentId, std::set<ProbeId>> by_agent_{};
    std::map<WorkspaceId, topology::Graph> graphs_{};
    std::deque<ProbeId> behind_{};
    std::set<ProbeId> to_draw_{};
    std::deque<Pending> pending_{};
    Timer behind_waiting_;
    Timer drawing_waiting_;
    Timer pending_waiting_;
    AtlasStats stats_{};
    Pool pool_{1};
};

}  // namespace nw::atlas
