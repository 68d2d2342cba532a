// What the agent sessions need from the rest of the controller, declared here and implemented by whoever composes
// it. All members are called on the loop of the sessions and must not block: answers come from memory.
#pragma once

#include "base/time.hpp"
#include "model/ids.hpp"
#include "model/probe_spec.hpp"
#include "model/rows.hpp"
#include "wire/messages.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nw::ingest {

// What an agent should be measuring. A snapshot: a change is a new one with a higher number.
struct DesiredState {
    std::uint64_t number = 0;         // above 0, grows with each change of this agent's probes
    std::vector<ProbeSpec> probes{};  // ascending by id

    const ProbeSpec* find(ProbeId id) const;
};

// What a credential is worth: a revoked one was ours, and its agent was deleted or enrolled anew.
enum class Standing : std::uint8_t { Unknown, Revoked, Valid };

struct SessionFacts {
    AgentId agent{};
    std::string remote{};  // address as the controller sees it
    std::string version{};
    std::string hostname{};
    std::string os{};
    std::string arch{};
    std::string gateway{};
    std::string resolver{};
    std::vector<std::uint32_t> kinds{};
    std::uint64_t state_number = 0;  // the last state the agent applied, 0 for none
    WallTime since{};
    std::uint64_t boot = 0;  // random per process of the agent
    bool restarted = false;  // another process than in the session before
};

class AgentDirectory {
public:
    virtual ~AgentDirectory() = default;

    // Nothing: the agent is unknown, deleted or suspended, and is told that it is revoked.
    virtual std::shared_ptr<const DesiredState> desired(AgentId agent) = 0;
    // Whether the agent may deliver samples of this probe now: it is assigned, or was until it was edited or removed
    // so recently that results may still be in its spool.
    virtual bool may_report(AgentId agent, ProbeId probe) = 0;

    virtual void on_connected(const SessionFacts& facts) = 0;
    // `replaced`: a newer session of the same agent took over, and the agent is still connected.
    virtual void on_disconnected(AgentId agent, std::string_view why, bool replaced) = 0;
    // Two processes have been using this agent's credential by turns: it was copied.
    virtual void on_twin(AgentId agent, std::string_view one, std::string_view other, WallTime at) = 0;
    virtual void on_health(AgentId agent, const AgentHealth& health, std::int64_t clock_offset_us,
                           std::uint64_t clock_uncertainty_us, WallTime received_at) = 0;
    virtual void on_state_applied(AgentId agent, std::uint64_t number, std::span<const wire::ProbeProblem> problems) = 0;
    // The number of the last report of its network that is stored, of this stream of the agent; 0: none.
    virtual std::uint64_t interfaces_number(AgentId agent, StreamId stream) = 0;
    // Reports come in the order of their numbers; `report.at_us` is in the controller's time already.
    virtual void on_interfaces(AgentId agent, StreamId stream, wire::Interfaces report) = 0;
    // Things an operator should see: a session that replaced another one, declared losses, refused batches.
    virtual void on_event(AgentId agent, std::string_view what) = 0;
};

// What agents are asked to do once. As the directory, it answers from memory.
class ActionBoard {
public:
    virtual ~ActionBoard() = default;

    // What the agent has to be told of after its greeting.
    virtual std::vector<wire::Action> open_for(AgentId agent, bool takes_actions) = 0;
    virtual void on_report(AgentId agent, const wire::ActionReport& report) = 0;
};

// Called in order with samples that are stored for the first time, each exactly once; duplicates stop before.
class Subscriber {
public:
    virtual ~Subscriber() = default;
    virtual void on_rows(AgentId agent, std::span<const Rows> rows, WallTime received_at) = 0;
};

}  // namespace nw::ingest
