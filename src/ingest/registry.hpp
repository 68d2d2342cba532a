// What the controller knows of its agents at this moment: credentials, desired states, who is connected and how they
// are. Reads the metadata store, answers from memory, and writes what agents say about themselves behind.
//
// Belongs to one loop.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/task_group.hpp"
#include "ingest/directory.hpp"
#include "store/metadata/metadata.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nw::ingest {

// A connected agent that says nothing for so long is shown as stale: it reports its health three times as often.
inline constexpr std::chrono::seconds kSilentAfter{45};
inline constexpr std::size_t kWritesPendingMax = 100'000;

// Two processes that use one credential by turns.
struct AgentTwin {
    std::string one{};  // addresses
    std::string other{};
    WallTime at{};
};

struct AgentLive {
    bool connected = false;
    bool silent = false;
    std::optional<WallTime> last_seen{};
    std::optional<std::int64_t> clock_offset_us{};
    std::optional<std::uint64_t> clock_uncertainty_us{};
    std::optional<AgentHealth> health{};
    std::uint64_t applied_state_number = 0;
    std::vector<std::pair<ProbeId, std::string>> problems{};
    std::optional<AgentTwin> twin{};
};

struct RegistryStats {
    std::uint64_t agents = 0;
    std::uint64_t connected = 0;
    std::uint64_t writes_pending = 0;
    std::uint64_t writes_dropped = 0;  // of what agents say about themselves, never of samples
};

class Registry final : public AgentDirectory {
public:
    Registry(Executor loop, store::Metadata& metadata, const Kinds& kinds, const Clock& clock, Log log);

    // Reads every agent; before serving.
    Task<Status> load();
    // Runs until the tasks are closed.
    void start(TaskGroup& tasks);

    // What a credential is worth. Unknown ones may be anybody's, or ours from before this controller was restored.
    Standing standing(AgentId claimed, std::string_view secret) const;
    // The store has a new version of the agent or of its probes.
    Task<Status> refresh(AgentId agent);

    AgentLive live(AgentId agent) const;
    std::optional<WorkspaceId> workspace_of(AgentId agent) const;
    RegistryStats stats() const;

    // Called after a refresh that changed the desired state, and when what is shown of an agent has changed.
    void on_state_changed(std::function<void(AgentId)> listener) { state_changed_ = std::move(listener); }
    void on_interfaces_stored(std::function<void(AgentId, StreamId, std::uint64_t number)> listener)
    {
        interfaces_stored_ = std::move(listener);
    }
    void on_agent_changed(std::function<void(WorkspaceId, AgentId)> listener) { agent_changed_ = std::move(listener); }

    std::shared_ptr<const DesiredState> desired(AgentId agent) override;
    bool may_report(AgentId agent, ProbeId probe) override;
    void on_connected(const SessionFacts& facts) override;
    void on_disconnected(AgentId agent, std::string_view why, bool replaced) override;
    void on_health(AgentId agent, const AgentHealth& health, std::int64_t clock_offset_us,
                   std::uint64_t clock_uncertainty_us, WallTime received_at) override;
    void on_state_applied(AgentId agent, std::uint64_t number, std::span<const wire::ProbeProblem> problems) override;
    void on_twin(AgentId agent, std::string_view one, std::string_view other, WallTime at) override;
    std::uint64_t interfaces_number(AgentId agent, StreamId stream) override;
    void on_interfaces(AgentId agent, StreamId stream, wire::Interfaces report) override;
    void on_event(AgentId agent, std::string_view what) override;

private:
    struct Entry {
        WorkspaceId workspace{};
        std::string credential_hash{};
        std::vector<std::string> former_hashes{};
        std::shared_ptr<const DesiredState> desired{};  // null: deleted
        std::set<ProbeId> may_report{};
        AgentLive live{};
        std::optional<WallTime> seen_written{};
        store::NetworkMark network{};         // of the last report of its network that is stored, or about to be
        store::NetworkMark network_stored{};  // and of the last one that is
    };
    struct Loaded {
        std::optional<store::Agent> agent{};
        std::vector<store::Probe> probes{};
        std::vector<ProbeId> ever{};
        std::vector<std::string> former{};
        store::NetworkMark network{};
    };
    struct Write {
        std::function<Status(store::MetadataTx&)> work{};
        std::function<void(bool stored)> done{};  // on the loop, when it is known what became of it
    };

    static Result<Loaded> read(store::MetadataTx& tx, AgentId id);
    Entry make_entry(const Loaded& loaded) const;
    void take(AgentId id, Loaded loaded);
    // False when it was dropped.
    void interfaces_written(AgentId agent, store::NetworkMark mark, bool stored);
    bool write_behind(std::function<Status(store::MetadataTx&)> work, std::function<void(bool)> done = {});
    Task<void> write_loop();
    Task<void> watch_silence();
    void changed(AgentId agent, const Entry& entry);

    Executor loop_;
    store::Metadata& metadata_;
    const Kinds& kinds_;
    const Clock& clock_;
    Log log_;
    std::map<AgentId, Entry> agents_{};
    std::function<void(AgentId)> state_changed_{};
    std::function<void(WorkspaceId, AgentId)> agent_changed_{};
    std::function<void(AgentId, StreamId, std::uint64_t)> interfaces_stored_{};
    std::deque<Write> writes_{};
    std::uint64_t writes_dropped_ = 0;
    Timer writes_waiting_;
};

}  // namespace nw::ingest
