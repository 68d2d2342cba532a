// Users, workspaces, agents, probes and the audit log: everything that is not a sample.
//
// Work happens in transactions that run whole on a pool: `co_await metadata.write([&](MetadataTx& tx) { ... })`.
// A write commits when the function returns a value and rolls back when it returns an Error, so that a change and
// its audit row are stored together or not at all. Repositories that belong to a workspace are made for one
// workspace and cannot reach another: a foreign id is NotFound.
#pragma once

#include "base/assert.hpp"
#include "base/async.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"
#include "base/time.hpp"
#include "model/ids.hpp"
#include "store/metadata/records.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nw::sqlite {
class Database;
}
namespace nw::wire {
struct Interfaces;
}

namespace nw::store {

struct Page {
    std::uint32_t limit = 100;
    std::string cursor{};  // opaque, of the page before; empty for the first
};

template <class T>
struct Paged {
    std::vector<T> items{};
    std::string next{};  // empty: the end
};

class Users {
public:
    explicit Users(sqlite::Database& db) : db_(db) {}

    Result<User> add(User user);  // Conflict when the address is taken
    Result<User> get(UserId id);
    Result<std::optional<User>> by_email(std::string_view email);
    Status rename(UserId id, std::string_view name);
    Status set_preferences(UserId id, std::string_view json);
    Status set_password(UserId id, std::string_view hash);
    Status set_site_admin(UserId id, bool is_site_admin);
    Result<std::int64_t> count();

    Status add_session(const Session& session);
    Result<std::optional<Session>> session_by_token(std::string_view token_hash);
    Result<std::vector<Session>> sessions(UserId user);
    Status touch_session(SessionId id, WallTime seen);
    // NotFound when it is not a session of `user`.
    Status end_session(UserId user, SessionId id);
    Status end_other_sessions(UserId user, SessionId kept);
    Status end_expired_sessions(WallTime now);

private:
    sqlite::Database& db_;
};

class Workspaces {
public:
    explicit Workspaces(sqlite::Database& db) : db_(db) {}

    Result<Workspace> add(Workspace workspace);  // Conflict when the slug is taken
    // `id_or_slug`: "wsp_..." or a slug.
    Result<std::optional<Workspace>> find(std::string_view id_or_slug);
    Result<Workspace> get(WorkspaceId id);
    Result<std::vector<Membership>> of_user(UserId user);
    Result<std::vector<Workspace>> all();
    Result<std::vector<Workspace>> without_owner();
    // Conflict when `revision` is no longer the stored one.
    Result<Workspace> update(const Workspace& changed, std::int64_t revision);
    Status remove(WorkspaceId id, WallTime now);
    Result<std::optional<Invite>> invite_by_token(std::string_view token_hash);

private:
    sqlite::Database& db_;
};

class Members {
public:
    Members(sqlite::Database& db, WorkspaceId workspace) : db_(db), workspace_(workspace) {}

    Result<std::vector<Member>> all();
    Result<std::optional<Role>> role_of(UserId user);
    Status put(UserId user, Role role, WallTime now);
    Status remove(UserId user);
    Result<std::int64_t> owners();

    Result<std::vector<Invite>> invites();
    Status add_invite(const Invite& invite);
    Status accept_invite(InviteId id, WallTime now);
    Status remove_invite(InviteId id);

private:
    sqlite::Database& db_;
    WorkspaceId workspace_;
};

struct AgentFilter {
    std::string text{};  // in name, site, host name or labels
    std::string label{};
};

struct NetworkHistoryFilter {
    std::int64_t from_us = 0;
    std::int64_t until_us = INT64_MAX;
    std::optional<NetworkChangeKind> kind{};
};

class Agents {
public:
    Agents(sqlite::Database& db, WorkspaceId workspace) : db_(db), workspace_(workspace) {}

    Result<Agent> add(Agent agent);
    Result<Agent> get(AgentId id);
    Result<Paged<Agent>> list(const AgentFilter& filter, const Page& page);
    Result<std::vector<Agent>> all();
    // For counting ten thousand of them: nothing but what their status depends on.
    Result<std::vector<AgentBrief>> briefs();
    Result<Agent> update(const Agent& changed, std::int64_t revision);
    Status set_enrolment(AgentId id, std::string_view token_hash, WallTime expires);
    // Its credential, if it has one, becomes a former one, and an unused token ends.
    Result<Agent> revoke(AgentId id, WallTime now);
    Status remove(AgentId id, WallTime now);
    Result<Agent> restore(AgentId id);
    // The newest report of its network that is not younger than `at_us`; nothing when there is none (any more).
    Result<std::optional<NetworkReport>> network(AgentId id, std::int64_t at_us = INT64_MAX);
    // What changed, newest first.
    Result<Paged<NetworkHistoryEntry>> network_history(AgentId id, const NetworkHistoryFilter& filter, const Page& page);
    // How many probes are bound to each interface.
    Result<std::map<std::string, std::int64_t>> bound_probes(AgentId id);
    // Newest first.
    Result<Paged<AgentConnection>> connections(AgentId id, const Page& page);
    // Those that began or ended in the range, the newest `limit` of them, newest first.
    Result<std::vector<AgentConnection>> connections_in(AgentId id, std::int64_t from_us, std::int64_t until_us,
                                                        std::uint32_t limit);

private:
    sqlite::Database& db_;
    WorkspaceId workspace_;
};

struct ProbeFilter {
    std::string text{};  // in name or target
    std::optional<AgentId> agent{};
    std::optional<TargetId> target{};
    std::string kind{};
    std::optional<bool> enabled{};
};

class Probes {
public:
    Probes(sqlite::Database& db, WorkspaceId workspace) : db_(db), workspace_(workspace) {}

    // Raises the agent's state number. NotFound when the agent is not of this workspace.
    Result<Probe> add(Probe probe);
    Result<Probe> get(ProbeId id);
    Result<Paged<Probe>> list(const ProbeFilter& filter, const Page& page);
    Result<std::vector<Probe>> all();
    Result<Probe> update(const Probe& changed, std::int64_t revision);
    Status remove(ProbeId id, WallTime now);
    // NotFound when it was deleted before `deleted_since`.
    Result<Probe> restore(ProbeId id, WallTime deleted_since);

    Result<std::vector<Target>> targets();
    Result<Target> target(TargetId id);
    Result<Target> update_target(const Target& changed, std::int64_t revision);
    // The target row of an address, made when it is new.
    Result<TargetId> target_of(std::string_view address, Random& random, WallTime now);

private:
    sqlite::Database& db_;
    WorkspaceId workspace_;
};

class Annotations {
public:
    Annotations(sqlite::Database& db, WorkspaceId workspace) : db_(db), workspace_(workspace) {}

    // NotFound when it is about a probe that is not of this workspace.
    Result<Annotation> add(const Annotation& annotation);
    Result<Annotation> get(AnnotationId id);
    // Those of the workspace that touch the range, the newest `limit` of them, newest first; with a probe only what
    // concerns it.
    Result<std::vector<Annotation>> list(std::optional<ProbeId> probe, std::int64_t from_us, std::int64_t until_us,
                                         std::uint32_t limit);
    Result<Annotation> update(const Annotation& changed, std::int64_t revision);
    Status remove(AnnotationId id, WallTime now);
    // NotFound when it was deleted before `deleted_since`.
    Result<Annotation> restore(AnnotationId id, WallTime deleted_since);

private:
    sqlite::Database& db_;
    WorkspaceId workspace_;
};

// When routes of path probes changed.
class PathChanges {
public:
    PathChanges(sqlite::Database& db, WorkspaceId workspace) : db_(db), workspace_(workspace) {}

    // False when it was known already. NotFound when the probe is not of this workspace.
    Result<bool> add(const PathChange& change);
    // Those of one probe, or of every probe that is not deleted; the newest `limit` of the range, newest first.
    Result<std::vector<PathChange>> list(std::optional<ProbeId> probe, std::int64_t from_us, std::int64_t until_us,
                                         std::uint32_t limit);
    // The last one before `until_us`.
    Result<std::optional<PathChange>> last(ProbeId probe, std::int64_t until_us);
    Status forget_before(std::int64_t us);

private:
    sqlite::Database& db_;
    WorkspaceId workspace_;
};

// What agents of one workspace were asked to do once.
class Actions {
public:
    // The newest are kept.
    static constexpr std::int64_t kKept = 500;

    Actions(sqlite::Database& db, WorkspaceId workspace) : db_(db), workspace_(workspace) {}

    // NotFound when the agent is not of this workspace. Old ones beyond kKept go.
    Result<Action> add(const Action& action);
    Result<Action> get(ActionId id);
    // Newest first, without results.
    Result<Paged<Action>> list(std::optional<AgentId> agent, const Page& page);

private:
    sqlite::Database& db_;
    WorkspaceId workspace_;
};

// What the sessions of agents need, across workspaces.
class AgentSessions {
public:
    explicit AgentSessions(sqlite::Database& db) : db_(db) {}

    // find() and all() have deleted agents too: their sessions are told so.
    Result<std::optional<Agent>> find(AgentId id);
    Result<std::optional<Agent>> by_enrolment(std::string_view token_hash);
    // The credential from before, if there was another one, becomes a former one.
    Status enrol(AgentId id, std::string_view instance, std::string_view credential_hash, const AgentFacts& facts,
                 WallTime now);
    Result<std::vector<std::string>> former_credentials(AgentId id);
    Result<std::vector<Probe>> probes(AgentId id);
    // Every probe the agent ever had, removed ones too: results may still be in its spool.
    Result<std::vector<ProbeId>> probes_ever(AgentId id);
    Status record_facts(AgentId id, const AgentFacts& facts);
    Status record_seen(AgentId id, WallTime at, std::optional<std::int64_t> clock_offset_us,
                       std::optional<std::int64_t> clock_uncertainty_us);
    Status open_connection(AgentId id, WallTime at, std::string_view address, std::string_view version, std::uint64_t boot);
    Status close_connection(AgentId id, WallTime at, std::string_view why);
    // Keeps the report, and what is different from the one before as history; both bounded in number, size and age.
    Status record_network(AgentId id, NetworkMark mark, const wire::Interfaces& report);
    Result<NetworkMark> network_mark(AgentId id);
    // At start: what was open when the controller died.
    Status close_all_connections(std::string_view why);
    Result<std::vector<Agent>> all();
    // Of all agents.
    Result<std::vector<Action>> open_actions();
    Status record_action(const Action& action);

private:
    sqlite::Database& db_;
};

struct AuditFilter {
    std::optional<WorkspaceId> workspace{};  // nothing: entries of the instance itself
    std::int64_t from_us = 0;
    std::int64_t until_us = INT64_MAX;
    std::string actor{};
    std::string action{};  // an action or its beginning
};

class AuditLog {
public:
    explicit AuditLog(sqlite::Database& db) : db_(db) {}

    Status add(const AuditEntry& entry);
    // Newest first.
    Result<Paged<AuditRow>> list(const AuditFilter& filter, const Page& page);
    // What was done to one subject, the newest `limit` in the range, newest first.
    Result<std::vector<AuditEntry>> of_subject(WorkspaceId workspace, std::string_view subject, std::int64_t from_us,
                                               std::int64_t until_us, std::uint32_t limit);
    // The id of the first row whose hash does not follow from the rows before it.
    Result<std::optional<std::int64_t>> first_broken();

private:
    sqlite::Database& db_;
};

class MetadataTx {
public:
    explicit MetadataTx(sqlite::Database& db) : db_(db) {}

    Users users() { return Users(db_); }
    Workspaces workspaces() { return Workspaces(db_); }
    Members members(WorkspaceId workspace) { return Members(db_, workspace); }
    Agents agents(WorkspaceId workspace) { return Agents(db_, workspace); }
    Probes probes(WorkspaceId workspace) { return Probes(db_, workspace); }
    Annotations annotations(WorkspaceId workspace) { return Annotations(db_, workspace); }
    PathChanges path_changes(WorkspaceId workspace) { return PathChanges(db_, workspace); }
    Actions actions(WorkspaceId workspace) { return Actions(db_, workspace); }
    AgentSessions agent_sessions() { return AgentSessions(db_); }
    AuditLog audit() { return AuditLog(db_); }

    Result<std::optional<std::string>> setting(std::string_view key);
    Status set_setting(std::string_view key, std::string_view value);
    Status remove_setting(std::string_view key);

private:
    sqlite::Database& db_;
};

class Metadata {
public:
    // Opens or creates the file and brings its schema up to date; Corrupt when it is newer than this program.
    static Result<std::unique_ptr<Metadata>> open(const std::filesystem::path& file);
    ~Metadata();

    template <class Work>
    auto read(Work work) -> Task<std::invoke_result_t<Work&, MetadataTx&>>
    {
        using R = std::invoke_result_t<Work&, MetadataTx&>;
        co_return co_await run_on(reader_pool_, [&]() -> R {
            MetadataTx tx(*reader_);
            return work(tx);
        });
    }
    template <class Work>
    auto write(Work work) -> Task<std::invoke_result_t<Work&, MetadataTx&>>
    {
        using R = std::invoke_result_t<Work&, MetadataTx&>;
        co_return co_await run_on(writer_pool_, [&]() -> R { return write_now(work); });
    }
    // The same without a loop, for programs that start or administer: blocks the calling thread.
    template <class Work>
    auto write_now(Work work) -> std::invoke_result_t<Work&, MetadataTx&>
    {
        NW_CHECK(begin());
        MetadataTx tx(*writer_);
        auto result = work(tx);
        if (!result) {
            rollback();
            return result;
        }
        NW_CHECK(commit());
        return result;
    }

    Task<Status> backup(std::filesystem::path file);

private:
    Metadata(std::unique_ptr<sqlite::Database> writer, std::unique_ptr<sqlite::Database> reader);
    Status begin();
    Status commit();
    void rollback();

    std::unique_ptr<sqlite::Database> writer_;
    std::unique_ptr<sqlite::Database> reader_;
    Pool writer_pool_{1};  // destroyed first: no work outlives its database
    Pool reader_pool_{1};
};

// The schema version this program brings a database to.
int schema_version();

}  // namespace nw::store
