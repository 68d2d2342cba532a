// The rows of the metadata store as values.
#pragma once

#include "base/time.hpp"
#include "model/action.hpp"
#include "model/host_network.hpp"
#include "model/ids.hpp"
#include "model/network_changes.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::store {

// Ordered: a higher role may do everything a lower one may.
enum class Role : std::uint8_t { Viewer, Operator, Admin, Owner };
inline constexpr std::array<std::string_view, 4> kRoleNames{"viewer", "operator", "admin", "owner"};
constexpr std::string_view name_of(Role role) { return kRoleNames[std::size_t(role)]; }
constexpr std::optional<Role> role_from(std::string_view name)
{
    for (std::size_t i = 0; i < kRoleNames.size(); ++i)
        if (kRoleNames[i] == name) return Role(i);
    return std::nullopt;
}

using Labels = std::vector<std::string>;  // sorted, each once

struct User {
    UserId id{};
    std::string email{};
    std::string name{};
    std::string password_hash{};  // empty: cannot sign in by password
    bool is_site_admin = false;
    std::string preferences{"{}"};  // JSON object
    std::int64_t created_us = 0;
};

struct Session {
    SessionId id{};
    UserId user{};
    std::string token_hash{};  // SHA-256 of the cookie
    std::string csrf_token{};
    std::int64_t created_us = 0;
    std::int64_t last_seen_us = 0;
    std::int64_t expires_us = 0;
    std::string address{};
    std::string user_agent{};
};

struct Workspace {
    WorkspaceId id{};
    std::string slug{};
    std::string name{};
    std::string settings{"{}"};  // JSON object, read by api/workspace_settings
    std::int64_t revision = 1;
    std::int64_t created_us = 0;
    friend bool operator==(const Workspace&, const Workspace&) = default;
};

struct Membership {
    Workspace workspace{};
    Role role = Role::Viewer;
};

struct Member {
    std::optional<std::int64_t> last_seen_us{};
    UserId user{};
    std::string email{};
    std::string name{};
    Role role = Role::Viewer;
    std::int64_t created_us = 0;
};

struct Invite {
    InviteId id{};
    WorkspaceId workspace{};
    std::string token_hash{};
    std::string email{};
    Role role = Role::Viewer;
    UserId created_by{};
    std::int64_t created_us = 0;
    std::int64_t expires_us = 0;
    std::optional<std::int64_t> accepted_us{};
};

// What an agent says about its host.
struct AgentFacts {
    std::string hostname{};
    std::string os{};
    std::string arch{};
    std::string version{};
    std::string address{};  // as the controller sees it
    std::string gateway{};  // of its default route
    std::string resolver{};
    friend bool operator==(const AgentFacts&, const AgentFacts&) = default;
};

struct Agent {
    AgentId id{};
    WorkspaceId workspace{};
    std::string name{};
    std::string site{};
    Labels labels{};
    bool enabled = true;
    std::int64_t revision = 1;
    std::int64_t created_us = 0;
    std::optional<std::int64_t> deleted_us{};
    std::optional<std::int64_t> enrol_expires_us{};
    std::optional<std::int64_t> enrol_used_us{};
    std::string instance{};
    std::string credential_hash{};  // empty: never enrolled
    AgentFacts facts{};
    std::optional<std::int64_t> last_seen_us{};
    std::optional<std::int64_t> clock_offset_us{};
    std::optional<std::int64_t> clock_uncertainty_us{};
    std::uint64_t state_number = 1;
    std::int64_t probe_count = 0;  // reading only
};

// What an agent's status depends on, for counts.
struct AgentBrief {
    AgentId id{};
    bool enrolled = false;
    bool enabled = true;
};

struct AgentConnection {
    std::int64_t id = 0;
    std::int64_t from_us = 0;
    std::optional<std::int64_t> until_us{};  // nothing while it lasts
    std::string address{};
    std::string version{};
    std::string close_reason{};
    bool restarted = false;  // by another process of the agent than the connection before
};

// Which report of an agent's network was stored last: of which stream of the agent, and its number there.
struct NetworkMark {
    StreamId stream{};
    std::uint64_t number = 0;
    friend bool operator==(const NetworkMark&, const NetworkMark&) = default;
};

// An agent's network as it was from `at_us` on.
struct NetworkReport {
    std::int64_t at_us = 0;
    HostNetwork network{};
};

struct NetworkHistoryEntry {
    std::int64_t id = 0;
    std::int64_t at_us = 0;
    NetworkChange change{};
};

struct Target {
    TargetId id{};
    std::string address{};
    std::string name{};
    Labels labels{};
    std::int64_t revision = 1;
    std::int64_t created_us = 0;
    std::int64_t probe_count = 0;  // reading only
};

struct Probe {
    ProbeId id{};
    WorkspaceId workspace{};
    AgentId agent{};
    std::optional<TargetId> target{};
    std::string kind{};
    std::string name{};
    bool enabled = true;
    std::string settings{};  // JSON object, complete; of model/probe_spec
    std::int64_t revision = 1;
    std::int64_t created_us = 0;
    std::int64_t updated_us = 0;
    std::optional<std::int64_t> deleted_us{};
    std::string agent_name{};  // reading only
};

// What somebody knows about a moment, or a span of time.
struct Annotation {
    AnnotationId id{};
    std::optional<ProbeId> probe{};  // nothing: of every probe of the workspace
    std::int64_t at_us = 0;
    std::optional<std::int64_t> until_us{};
    std::string text{};
    std::string author{};  // by name, as it was then
    std::int64_t revision = 1;
    std::int64_t created_us = 0;
    std::int64_t updated_us = 0;
    friend bool operator==(const Annotation&, const Annotation&) = default;
};

// A router that came into a route or left it.
struct PathChangeHop {
    std::uint8_t ttl = 0;
    std::string address{};  // as text
    std::string name{};     // by reverse DNS, as it was then: anything
    friend bool operator==(const PathChangeHop&, const PathChangeHop&) = default;
};

// The route of a path probe has changed.
struct PathChange {
    ProbeId probe{};
    std::int64_t at_us = 0;         // the first run that saw it
    std::int64_t confirmed_us = 0;  // the run that left no doubt
    std::vector<PathChangeHop> added{};
    std::vector<PathChangeHop> removed{};
    std::string before{};  // routes, as bytes of topology/route.hpp
    std::string after{};
    std::int64_t hops_before = 0;
    std::int64_t hops_after = 0;
    friend bool operator==(const PathChange&, const PathChange&) = default;
};

// Something an agent was asked to do once, and how far it has come.
struct Action {
    ActionId id{};
    WorkspaceId workspace{};
    AgentId agent{};
    std::string agent_name{};  // when read
    std::string kind{};
    std::string settings{};  // JSON
    std::string author{};    // by name, as it was then
    ActionState state = ActionState::Waiting;
    std::string reason{};
    std::uint32_t steps_done = 0;
    std::uint32_t steps = 0;
    std::string result{};  // wire::encode_rows() of one row, or empty
    std::int64_t created_us = 0;
    std::int64_t expires_us = 0;  // not begun after that
    std::int64_t give_up_us = 0;  // over by then, whatever the agent says
    std::optional<std::int64_t> started_us{};
    std::optional<std::int64_t> ended_us{};
    friend bool operator==(const Action&, const Action&) = default;
};

enum class AuditOutcome : std::uint8_t { Done, Denied, Failed };
inline constexpr std::array<std::string_view, 3> kAuditOutcomeNames{"done", "denied", "failed"};

struct AuditEntry {
    std::optional<WorkspaceId> workspace{};
    std::int64_t at_us = 0;
    std::string actor{};  // "usr_...", "agt_...", "system", "anonymous"
    std::string actor_name{};
    std::string action{};  // "probe.update"
    std::string subject_type{};
    std::string subject{};  // an id, or what was asked for
    std::string subject_name{};
    AuditOutcome outcome = AuditOutcome::Done;
    std::string detail{"{}"};  // JSON object: field to [before, after]; without secrets
    std::string address{};
    std::string request{};
};

struct AuditRow {
    std::int64_t id = 0;
    AuditEntry entry{};
};

}  // namespace nw::store
