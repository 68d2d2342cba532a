#include "store/metadata/metadata.hpp"
#include "store/metadata/rows.hpp"

#include "base/text.hpp"
#include "sqlite/database.hpp"

namespace nw::store {
namespace {

constexpr std::string_view kAgentSelect =
    "SELECT a.id, a.workspace, a.name, a.site, a.labels, a.enabled, a.revision, a.created_us, a.deleted_us, "
    "a.enrol_expires_us, a.enrol_used_us, a.instance, a.credential_hash, a.hostname, a.os, a.arch, a.version, a.address, "
    "a.last_seen_us, a.clock_offset_us, a.clock_uncertainty_us, a.state_number, "
    "(SELECT count(*) FROM probe p WHERE p.agent = a.id AND p.deleted_us IS NULL), a.gateway, a.resolver FROM agent a ";

Agent agent_from(const sqlite::Statement& row)
{
    return {.id = AgentId(row.integer(0)),
            .workspace = WorkspaceId(row.integer(1)),
            .name = row.text(2),
            .site = row.text(3),
            .labels = labels_from(row.view(4)),
            .enabled = row.integer(5) != 0,
            .revision = row.integer(6),
            .created_us = row.integer(7),
            .deleted_us = row.maybe_integer(8),
            .enrol_expires_us = row.maybe_integer(9),
            .enrol_used_us = row.maybe_integer(10),
            .instance = row.text(11),
            .credential_hash = row.text(12),
            .facts = {.hostname = row.text(13),
                      .os = row.text(14),
                      .arch = row.text(15),
                      .version = row.text(16),
                      .address = row.text(17),
                      .gateway = row.text(23),
                      .resolver = row.text(24)},
            .last_seen_us = row.maybe_integer(18),
            .clock_offset_us = row.maybe_integer(19),
            .clock_uncertainty_us = row.maybe_integer(20),
            .state_number = std::uint64_t(row.integer(21)),
            .probe_count = row.integer(22)};
}

Result<std::optional<Agent>> agent_where(sqlite::Database& db, sqlite::Statement& select)
{
    (void)db;
    NW_TRY(const bool found, select.step());
    if (!found) return std::nullopt;
    return agent_from(select);
}

// The credential that counted until now, if it is another one than `next`: who still uses it is told so.
Status keep_former(sqlite::Database& db, AgentId id, std::string_view next, WallTime now)
{
    constexpr std::int64_t former_kept = 16;
    sqlite::Statement keep(db, "INSERT OR IGNORE INTO former_credential SELECT id, ?2, credential_hash FROM agent "
                               "WHERE id = ?1 AND credential_hash IS NOT NULL AND credential_hash IS NOT ?3");
    NW_CHECK(keep.bind(1, sql_id(id)).bind(2, to_us(now)).bind_blob(3, next).run());
    sqlite::Statement trim(db, "DELETE FROM former_credential WHERE agent = ?1 AND until_us <= (SELECT until_us FROM "
                               "former_credential WHERE agent = ?1 ORDER BY until_us DESC LIMIT 1 OFFSET ?2)");
    return trim.bind(1, sql_id(id)).bind(2, former_kept).run();
}

// Pages are in the order of (name, id); the cursor names the last row of the page before.
std::string cursor_of(const Agent& agent) { return to_base32(std::uint64_t(agent.id)) + agent.name; }

struct After {
    std::string name{};
    std::int64_t id = 0;
};

Result<After> after_from(const std::string& cursor)
{
    if (cursor.empty()) return After{};
    const auto id = cursor.size() < 13 ? std::nullopt : from_base32(std::string_view(cursor).substr(0, 13));
    if (!id) return fail_field("cursor", "is not one that was given out");
    return After{cursor.substr(13), std::int64_t(*id)};
}

}  // namespace

Result<Agent> Agents::add(Agent agent)
{
    agent.workspace = workspace_;
    sqlite::Statement insert(
        db_, "INSERT INTO agent (id, workspace, name, site, labels, enabled, created_us) VALUES (?, ?, ?, ?, ?, ?, ?)");
    const auto labels = to_json(agent.labels);
    NW_CHECK(insert.bind(1, sql_id(agent.id))
                 .bind(2, sql_id(workspace_))
                 .bind(3, agent.name)
                 .bind(4, agent.site)
                 .bind(5, labels)
                 .bind(6, std::int64_t{agent.enabled})
                 .bind(7, agent.created_us)
                 .run());
    return get(agent.id);
}

Result<Agent> Agents::get(AgentId id)
{
    sqlite::Statement select(db_, std::string(kAgentSelect) + "WHERE a.id = ? AND a.workspace = ? AND a.deleted_us IS NULL");
    NW_TRY(auto found, agent_where(db_, select.bind(1, sql_id(id)).bind(2, sql_id(workspace_))));
    if (!found) return fail(Errc::NotFound, "no such agent");
    return *std::move(found);
}

Result<Paged<Agent>> Agents::list(const AgentFilter& filter, const Page& page)
{
    NW_TRY(const auto after, after_from(page.cursor));
    sqlite::Statement select(db_, std::string(kAgentSelect)
                                      + "WHERE a.workspace = ?1 AND a.deleted_us IS NULL AND (a.name, a.id) > (?2, ?3) "
                                        "AND (a.name LIKE ?4 ESCAPE '\\' OR a.site LIKE ?4 ESCAPE '\\' OR a.hostname LIKE "
                                        "?4 ESCAPE '\\' OR a.labels LIKE ?4 ESCAPE '\\') ORDER BY a.name, a.id");
    const auto pattern = like_anywhere(filter.text);
    select.bind(1, sql_id(workspace_)).bind(2, after.name).bind(3, after.id).bind(4, pattern);
    Paged<Agent> result;
    for (;;) {
        NW_TRY(const bool more, select.step());
        if (!more) return result;
        auto agent = agent_from(select);
        if (!filter.label.empty() && !has_label(agent.labels, filter.label)) continue;
        if (result.items.size() == page.limit) {
            result.next = cursor_of(result.items.back());
            return result;
        }
        result.items.push_back(std::move(agent));
    }
}

Result<std::vector<Agent>> Agents::all()
{
    sqlite::Statement select(db_, std::string(kAgentSelect)
                                      + "WHERE a.workspace = ? AND a.deleted_us IS NULL ORDER BY a.name, a.id");
    select.bind(1, sql_id(workspace_));
    std::vector<Agent> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(agent_from(row)); }));
    return found;
}

Result<std::vector<AgentBrief>> Agents::briefs()
{
    sqlite::Statement select(db_, "SELECT id, coalesce(length(credential_hash), 0) > 0, enabled FROM agent "
                                  "WHERE workspace = ? AND deleted_us IS NULL");
    select.bind(1, sql_id(workspace_));
    std::vector<AgentBrief> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) {
        found.push_back({AgentId(row.integer(0)), row.integer(1) != 0, row.integer(2) != 0});
    }));
    return found;
}

Result<Agent> Agents::update(const Agent& changed, std::int64_t revision)
{
    // Enabling and disabling changes what the agent is to do; a name does not, but one number more costs nothing.
    sqlite::Statement update(
        db_, "UPDATE agent SET name = ?, site = ?, labels = ?, enabled = ?, revision = revision + 1, "
             "state_number = state_number + 1 WHERE id = ? AND workspace = ? AND revision = ? AND deleted_us IS NULL");
    const auto labels = to_json(changed.labels);
    NW_CHECK(update.bind(1, changed.name)
                 .bind(2, changed.site)
                 .bind(3, labels)
                 .bind(4, std::int64_t{changed.enabled})
                 .bind(5, sql_id(changed.id))
                 .bind(6, sql_id(workspace_))
                 .bind(7, revision)
                 .run());
    if (db_.rows_changed() == 1) return get(changed.id);
    NW_CHECK(get(changed.id));
    return fail(Errc::Conflict, "the agent was changed meanwhile");
}

Status Agents::set_enrolment(AgentId id, std::string_view token_hash, WallTime expires)
{
    // A new token ends what the old one had opened.
    sqlite::Statement update(
        db_, "UPDATE agent SET enrol_token_hash = ?, enrol_expires_us = ?, enrol_used_us = NULL, revision = revision + 1 "
             "WHERE id = ? AND workspace = ? AND deleted_us IS NULL");
    return run_on_one(
        db_, update.bind_blob(1, token_hash).bind(2, to_us(expires)).bind(3, sql_id(id)).bind(4, sql_id(workspace_)),
        "agent");
}

Result<Agent> Agents::revoke(AgentId id, WallTime now)
{
    NW_CHECK(get(id));
    NW_CHECK(keep_former(db_, id, "", now));
    sqlite::Statement update(db_,
                             "UPDATE agent SET credential_hash = NULL, enrol_token_hash = NULL, enrol_expires_us = NULL, "
                             "revision = revision + 1 WHERE id = ? AND workspace = ?");
    NW_CHECK(run_on_one(db_, update.bind(1, sql_id(id)).bind(2, sql_id(workspace_)), "agent"));
    return get(id);
}

Status Agents::remove(AgentId id, WallTime now)
{
    sqlite::Statement drop(db_, "UPDATE agent SET deleted_us = ?, revision = revision + 1, state_number = state_number + 1 "
                                "WHERE id = ? AND workspace = ? AND deleted_us IS NULL");
    return run_on_one(db_, drop.bind(1, to_us(now)).bind(2, sql_id(id)).bind(3, sql_id(workspace_)), "agent");
}

Result<Agent> Agents::restore(AgentId id)
{
    sqlite::Statement update(db_,
                             "UPDATE agent SET deleted_us = NULL, revision = revision + 1, state_number = state_number + 1 "
                             "WHERE id = ? AND workspace = ? AND deleted_us IS NOT NULL");
    NW_CHECK(run_on_one(db_, update.bind(1, sql_id(id)).bind(2, sql_id(workspace_)), "deleted agent"));
    return get(id);
}

Result<Paged<AgentConnection>> Agents::connections(AgentId id, const Page& page)
{
    NW_CHECK(get(id));
    std::int64_t before = INT64_MAX;
    if (!page.cursor.empty()) {
        const auto given = from_base32(page.cursor);
        if (!given) return fail_field("cursor", "is not one that was given out");
        before = std::int64_t(*given);
    }
    sqlite::Statement select(db_, "SELECT id, from_us, until_us, address, version, close_reason FROM agent_connection "
                                  "WHERE agent = ? AND id < ? ORDER BY id DESC LIMIT ?");
    select.bind(1, sql_id(id)).bind(2, before).bind(3, std::int64_t{page.limit} + 1);
    Paged<AgentConnection> result;
    NW_CHECK(for_each_row(select, [&](const auto& row) {
        result.items.push_back(
            {row.integer(0), row.integer(1), row.maybe_integer(2), row.text(3), row.text(4), row.text(5)});
    }));
    if (result.items.size() > page.limit) {
        result.items.pop_back();
        result.next = to_base32(std::uint64_t(result.items.back().id));
    }
    return result;
}

Result<std::vector<AgentConnection>> Agents::connections_in(AgentId id, std::int64_t from_us, std::int64_t until_us,
                                                            std::uint32_t limit)
{
    NW_CHECK(get(id));
    // 0: a connection of before boots were kept, of which nothing is known.
    sqlite::Statement select(
        db_,
        "SELECT c.id, c.from_us, c.until_us, c.address, c.version, c.close_reason, c.boot != 0 AND coalesce((SELECT "
        "nullif(p.boot, 0) FROM agent_connection p WHERE p.agent = c.agent AND p.id < c.id ORDER BY p.id DESC LIMIT 1), "
        "c.boot) != c.boot FROM agent_connection c WHERE c.agent = ?1 AND ((c.from_us >= ?2 AND c.from_us < ?3) OR "
        "(c.until_us >= ?2 AND c.until_us < ?3)) ORDER BY c.id DESC LIMIT ?4");
    select.bind(1, sql_id(id)).bind(2, from_us).bind(3, until_us).bind(4, std::int64_t{limit});
    std::vector<AgentConnection> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) {
        found.push_back({.id = row.integer(0),
                         .from_us = row.integer(1),
                         .until_us = row.maybe_integer(2),
                         .address = row.text(3),
                         .version = row.text(4),
                         .close_reason = row.text(5),
                         .restarted = row.integer(6) != 0});
    }));
    return found;
}

Result<std::optional<Agent>> AgentSessions::find(AgentId id)
{
    sqlite::Statement select(db_, std::string(kAgentSelect) + "WHERE a.id = ?");
    return agent_where(db_, select.bind(1, sql_id(id)));
}

Result<std::optional<Agent>> AgentSessions::by_enrolment(std::string_view token_hash)
{
    sqlite::Statement select(db_, std::string(kAgentSelect) + "WHERE a.enrol_token_hash = ? AND a.deleted_us IS NULL");
    return agent_where(db_, select.bind_blob(1, token_hash));
}

Status AgentSessions::enrol(AgentId id, std::string_view instance, std::string_view credential_hash, const AgentFacts& facts,
                            WallTime now)
{
    NW_CHECK(keep_former(db_, id, credential_hash, now));
    sqlite::Statement update(
        db_, "UPDATE agent SET instance = ?, credential_hash = ?, enrol_used_us = ?, hostname = ?, os = ?, arch = ?, "
             "version = ?, address = ?, revision = revision + 1 WHERE id = ? AND deleted_us IS NULL");
    update.bind(1, instance)
        .bind_blob(2, credential_hash)
        .bind(3, to_us(now))
        .bind(4, facts.hostname)
        .bind(5, facts.os)
        .bind(6, facts.arch)
        .bind(7, facts.version)
        .bind(8, facts.address)
        .bind(9, sql_id(id));
    return run_on_one(db_, update, "agent");
}

Result<std::vector<std::string>> AgentSessions::former_credentials(AgentId id)
{
    sqlite::Statement select(db_, "SELECT hash FROM former_credential WHERE agent = ?");
    select.bind(1, sql_id(id));
    std::vector<std::string> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(row.text(0)); }));
    return found;
}

Status AgentSessions::record_facts(AgentId id, const AgentFacts& facts)
{
    sqlite::Statement update(db_, "UPDATE agent SET hostname = ?, os = ?, arch = ?, version = ?, address = ?, gateway = ?, "
                                  "resolver = ? WHERE id = ?");
    return update.bind(1, facts.hostname)
        .bind(2, facts.os)
        .bind(3, facts.arch)
        .bind(4, facts.version)
        .bind(5, facts.address)
        .bind(6, facts.gateway)
        .bind(7, facts.resolver)
        .bind(8, sql_id(id))
        .run();
}

Status AgentSessions::record_seen(AgentId id, WallTime at, std::optional<std::int64_t> clock_offset_us,
                                  std::optional<std::int64_t> clock_uncertainty_us)
{
    sqlite::Statement update(db_, "UPDATE agent SET last_seen_us = ?, clock_offset_us = coalesce(?, clock_offset_us), "
                                  "clock_uncertainty_us = coalesce(?, clock_uncertainty_us) WHERE id = ?");
    return update.bind(1, to_us(at)).bind(2, clock_offset_us).bind(3, clock_uncertainty_us).bind(4, sql_id(id)).run();
}

Status AgentSessions::open_connection(AgentId id, WallTime at, std::string_view address, std::string_view version,
                                      std::uint64_t boot)
{
    constexpr std::int64_t kept_per_agent = 500;
    sqlite::Statement insert(db_,
                             "INSERT INTO agent_connection (agent, from_us, address, version, boot) VALUES (?, ?, ?, ?, ?)");
    NW_CHECK(
        insert.bind(1, sql_id(id)).bind(2, to_us(at)).bind(3, address).bind(4, version).bind(5, std::int64_t(boot)).run());
    sqlite::Statement trim(db_, "DELETE FROM agent_connection WHERE agent = ?1 AND id <= (SELECT id FROM agent_connection "
                                "WHERE agent = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)");
    return trim.bind(1, sql_id(id)).bind(2, kept_per_agent).run();
}

Status AgentSessions::close_connection(AgentId id, WallTime at, std::string_view why)
{
    sqlite::Statement update(
        db_, "UPDATE agent_connection SET until_us = ?, close_reason = ? WHERE agent = ? AND until_us IS NULL");
    return update.bind(1, to_us(at)).bind(2, why).bind(3, sql_id(id)).run();
}

Status AgentSessions::close_all_connections(std::string_view why)
{
    // Nobody saw these end: the agent was last heard of then.
    sqlite::Statement update(
        db_,
        "UPDATE agent_connection SET close_reason = ?, until_us = max(from_us, coalesce((SELECT a.last_seen_us FROM agent a "
        "WHERE a.id = agent_connection.agent), from_us)) WHERE until_us IS NULL");
    return update.bind(1, why).run();
}

Result<std::vector<Agent>> AgentSessions::all()
{
    sqlite::Statement select(db_, std::string(kAgentSelect) + "ORDER BY a.id");
    std::vector<Agent> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(agent_from(row)); }));
    return found;
}

}  // namespace nw::store
