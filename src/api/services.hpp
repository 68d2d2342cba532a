// What the handlers work with. Made by the composition root; everything outlives the API.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "identity/audit_budget.hpp"
#include "model/agent_health.hpp"
#include "model/ids.hpp"
#include "model/kind.hpp"
#include "store/telemetry/telemetry.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nw::atlas {
class Atlas;
}
namespace nw::enrich {
class Vendors;
}
namespace nw::identity {
class Identity;
}
namespace nw::live {
class Hub;
}
namespace nw::store {
class Metadata;
class Telemetry;
struct Action;
}  // namespace nw::store

namespace nw::api {

class BuiltinAgent;
class Downloads;
class Feed;
class LiveConnections;

// Two processes that use an agent's credential by turns: it was copied.
struct AgentTwin {
    std::string one{};  // addresses
    std::string other{};
    std::int64_t at_us = 0;
};

// An agent as its sessions see it now.
struct AgentState {
    bool connected = false;
    bool silent = false;  // connected, but quiet for longer than it should be
    std::optional<std::int64_t> last_seen_us{};
    std::optional<std::int64_t> clock_offset_us{};
    std::optional<std::uint64_t> clock_uncertainty_us{};
    std::optional<AgentHealth> health{};
    std::uint64_t applied_state_number = 0;
    std::vector<std::pair<ProbeId, std::string>> problems{};
    std::optional<AgentTwin> twin{};
};

// The agents' sessions, as the API needs them.
class AgentLink {
public:
    virtual ~AgentLink() = default;
    virtual AgentState state(AgentId agent) const = 0;
    // Nothing for agents that are not known (any more).
    virtual std::optional<WorkspaceId> workspace_of(AgentId agent) const = 0;
    // The agent or its probes were changed in the store: read them again and push the difference.
    virtual void refresh(AgentId agent) = 0;
    // The same, and known when it returns: what is answered next may make the agent connect.
    virtual Task<void> refreshed(AgentId agent) = 0;
    // The credential counts no more: end the session at once.
    virtual void revoke(AgentId agent) = 0;
};

// What agents were asked to do once and have not finished.
class ActionDesk {
public:
    virtual ~ActionDesk() = default;
    // It is in the store: tell its agent.
    virtual void opened(const store::Action& action) = 0;
    // NotFound when it is over.
    virtual Status cancel(ActionId id) = 0;
    // Both also of one that ended, until that is in the store: ask before reading the store.
    virtual std::optional<store::Action> find(ActionId id) const = 0;
    virtual std::vector<store::Action> known(WorkspaceId workspace) const = 0;
    virtual std::size_t open_of(AgentId agent) const = 0;
};

struct InstanceInfo {
    std::string version{};
    std::int64_t started_us = 0;
    std::vector<std::string> features{};
    bool secure_cookies = false;        // set when the public address is https
    std::string public_url{};           // of the configuration; a setting made in the panel counts before it
    store::Retention retention{};       // of everything; workspaces may keep less
    std::string_view install_script{};  // template of GET /install.sh (api/downloads.hpp)
};

// Something of the controller itself that an operator has to look after.
struct Problem {
    std::string what{};
    std::int64_t since_us = 0;
};

struct Services {
    store::Metadata& metadata;
    store::Telemetry& telemetry;
    identity::Identity& identity;
    live::Hub& hub;
    LiveConnections& live_connections;
    Feed& feed;
    AgentLink& agents;
    atlas::Atlas& atlas;
    ActionDesk& actions;
    BuiltinAgent& builtin_agent;
    Downloads& downloads;
    enrich::Vendors& vendors;
    const Kinds& kinds;
    const Clock& clock;
    Random& random;
    Log log;
    InstanceInfo instance{};
    identity::AuditBudget stranger_budget{};  // of failures by people who are not signed in
    // The text of GET /metrics, gathered by the composition root from every part.
    std::function<Task<std::string>()> metrics{};
    // What is wrong with the controller at the moment; empty when it is ready.
    std::function<std::string()> not_ready{};
    std::function<std::vector<Problem>()> problems{};
};

}  // namespace nw::api
