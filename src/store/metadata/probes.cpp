#include "store/metadata/metadata.hpp"
#include "store/metadata/rows.hpp"

#include "base/text.hpp"
#include "sqlite/database.hpp"

namespace nw::store {
namespace {

constexpr std::string_view kProbeSelect =
    "SELECT p.id, p.workspace, p.agent, p.target, p.kind, p.name, p.enabled, p.settings, p.revision, p.created_us, "
    "p.updated_us, p.deleted_us, a.name FROM probe p JOIN agent a ON a.id = p.agent ";

Probe probe_from(const sqlite::Statement& row)
{
    const auto target = row.maybe_integer(3);
    return {.id = ProbeId(row.integer(0)),
            .workspace = WorkspaceId(row.integer(1)),
            .agent = AgentId(row.integer(2)),
            .target = target ? std::optional(TargetId(*target)) : std::nullopt,
            .kind = row.text(4),
            .name = row.text(5),
            .enabled = row.integer(6) != 0,
            .settings = row.text(7),
            .revision = row.integer(8),
            .created_us = row.integer(9),
            .updated_us = row.integer(10),
            .deleted_us = row.maybe_integer(11),
            .agent_name = row.text(12)};
}

Target target_from(const sqlite::Statement& row)
{
    return {.id = TargetId(row.integer(0)),
            .address = row.text(1),
            .name = row.text(2),
            .labels = labels_from(row.view(3)),
            .revision = row.integer(4),
            .created_us = row.integer(5),
            .probe_count = row.integer(6)};
}

constexpr std::string_view kTargetSelect =
    "SELECT t.id, t.address, t.name, t.labels, t.revision, t.created_us, "
    "(SELECT count(*) FROM probe p WHERE p.target = t.id AND p.deleted_us IS NULL) FROM target t ";

// The agent's desired state has changed: its session will see another number and push the difference.
Status raise_state_number(sqlite::Database& db, AgentId agent)
{
    sqlite::Statement update(db, "UPDATE agent SET state_number = state_number + 1 WHERE id = ?");
    return update.bind(1, sql_id(agent)).run();
}

std::optional<std::int64_t> sql_target(const Probe& probe)
{
    if (!probe.target) return std::nullopt;
    return sql_id(*probe.target);
}

}  // namespace

Result<Probe> Probes::add(Probe probe)
{
    NW_CHECK(Agents(db_, workspace_).get(probe.agent));
    sqlite::Statement insert(
        db_, "INSERT INTO probe (id, workspace, agent, target, kind, name, enabled, settings, created_us, updated_us) "
             "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    NW_CHECK(insert.bind(1, sql_id(probe.id))
                 .bind(2, sql_id(workspace_))
                 .bind(3, sql_id(probe.agent))
                 .bind(4, sql_target(probe))
                 .bind(5, probe.kind)
                 .bind(6, probe.name)
                 .bind(7, std::int64_t{probe.enabled})
                 .bind(8, probe.settings)
                 .bind(9, probe.created_us)
                 .bind(10, probe.created_us)
                 .run());
    NW_CHECK(raise_state_number(db_, probe.agent));
    return get(probe.id);
}

Result<Probe> Probes::get(ProbeId id)
{
    sqlite::Statement select(db_,
                             std::string(kProbeSelect)
                                 + "WHERE p.id = ? AND p.workspace = ? AND p.deleted_us IS NULL AND a.deleted_us IS NULL");
    NW_TRY(const bool found, select.bind(1, sql_id(id)).bind(2, sql_id(workspace_)).step());
    if (!found) return fail(Errc::NotFound, "no such probe");
    return probe_from(select);
}

Result<Paged<Probe>> Probes::list(const ProbeFilter& filter, const Page& page)
{
    std::int64_t after_id = 0;
    std::string after_name;
    if (!page.cursor.empty()) {
        const auto id = page.cursor.size() < 13 ? std::nullopt : from_base32(std::string_view(page.cursor).substr(0, 13));
        if (!id) return fail_field("cursor", "is not one that was given out");
        after_id = std::int64_t(*id);
        after_name = page.cursor.substr(13);
    }
    sqlite::Statement select(db_, std::string(kProbeSelect)
                                      + "LEFT JOIN target t ON t.id = p.target WHERE p.workspace = ?1 AND p.deleted_us IS "
                                        "NULL AND a.deleted_us IS NULL "
                                        "AND (p.name, p.id) > (?2, ?3) AND (p.name LIKE ?4 ESCAPE '\\' OR t.address LIKE ?4 "
                                        "ESCAPE '\\' OR a.name LIKE ?4 ESCAPE '\\') "
                                        "AND (?5 IS NULL OR p.agent = ?5) AND (?6 = '' OR p.kind = ?6) AND (?7 IS NULL OR "
                                        "p.enabled = ?7) AND (?9 IS NULL OR p.target = ?9) "
                                        "ORDER BY p.name, p.id LIMIT ?8");
    const auto pattern = like_anywhere(filter.text);
    const auto agent = filter.agent ? std::optional(sql_id(*filter.agent)) : std::nullopt;
    const auto target = filter.target ? std::optional(sql_id(*filter.target)) : std::nullopt;
    const auto enabled = filter.enabled ? std::optional(std::int64_t{*filter.enabled}) : std::nullopt;
    select.bind(1, sql_id(workspace_))
        .bind(2, after_name)
        .bind(3, after_id)
        .bind(4, pattern)
        .bind(5, agent)
        .bind(6, filter.kind)
        .bind(7, enabled)
        .bind(8, std::int64_t{page.limit} + 1)
        .bind(9, target);
    Paged<Probe> result;
    NW_CHECK(for_each_row(select, [&](const auto& row) { result.items.push_back(probe_from(row)); }));
    if (result.items.size() > page.limit) {
        result.items.pop_back();
        result.next = to_base32(std::uint64_t(result.items.back().id)) + result.items.back().name;
    }
    return result;
}

Result<std::vector<Probe>> Probes::all()
{
    sqlite::Statement select(
        db_, std::string(kProbeSelect)
                 + "WHERE p.workspace = ? AND p.deleted_us IS NULL AND a.deleted_us IS NULL ORDER BY p.name, p.id");
    select.bind(1, sql_id(workspace_));
    std::vector<Probe> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(probe_from(row)); }));
    return found;
}

Result<Probe> Probes::update(const Probe& changed, std::int64_t revision)
{
    sqlite::Statement update(
        db_, "UPDATE probe SET name = ?, enabled = ?, settings = ?, target = ?, updated_us = ?, revision = revision + 1 "
             "WHERE id = ? AND workspace = ? AND revision = ? AND deleted_us IS NULL");
    NW_CHECK(update.bind(1, changed.name)
                 .bind(2, std::int64_t{changed.enabled})
                 .bind(3, changed.settings)
                 .bind(4, sql_target(changed))
                 .bind(5, changed.updated_us)
                 .bind(6, sql_id(changed.id))
                 .bind(7, sql_id(workspace_))
                 .bind(8, revision)
                 .run());
    if (db_.rows_changed() != 1) {
        NW_CHECK(get(changed.id));
        return fail(Errc::Conflict, "the probe was changed meanwhile");
    }
    NW_CHECK(raise_state_number(db_, changed.agent));
    return get(changed.id);
}

Status Probes::remove(ProbeId id, WallTime now)
{
    NW_TRY(const auto probe, get(id));
    sqlite::Statement drop(
        db_,
        "UPDATE probe SET deleted_us = ?, revision = revision + 1 WHERE id = ? AND workspace = ? AND deleted_us IS NULL");
    NW_CHECK(run_on_one(db_, drop.bind(1, to_us(now)).bind(2, sql_id(id)).bind(3, sql_id(workspace_)), "probe"));
    return raise_state_number(db_, probe.agent);
}

Result<Probe> Probes::restore(ProbeId id, WallTime deleted_since)
{
    sqlite::Statement update(
        db_,
        "UPDATE probe SET deleted_us = NULL, revision = revision + 1 WHERE id = ? AND workspace = ? AND deleted_us >= ?");
    NW_CHECK(run_on_one(db_, update.bind(1, sql_id(id)).bind(2, sql_id(workspace_)).bind(3, to_us(deleted_since)),
                        "deleted probe"));
    NW_TRY(auto probe, get(id));
    NW_CHECK(raise_state_number(db_, probe.agent));
    return probe;
}

Result<std::vector<Target>> Probes::targets()
{
    sqlite::Statement select(db_, std::string(kTargetSelect) + "WHERE t.workspace = ? ORDER BY t.address");
    select.bind(1, sql_id(workspace_));
    std::vector<Target> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) {
        if (row.integer(6) > 0) found.push_back(target_from(row));
    }));
    return found;
}

Result<Target> Probes::target(TargetId id)
{
    sqlite::Statement select(db_, std::string(kTargetSelect) + "WHERE t.id = ? AND t.workspace = ?");
    NW_TRY(const bool found, select.bind(1, sql_id(id)).bind(2, sql_id(workspace_)).step());
    if (!found) return fail(Errc::NotFound, "no such target");
    return target_from(select);
}

Result<Target> Probes::update_target(const Target& changed, std::int64_t revision)
{
    sqlite::Statement update(
        db_,
        "UPDATE target SET name = ?, labels = ?, revision = revision + 1 WHERE id = ? AND workspace = ? AND revision = ?");
    const auto labels = to_json(changed.labels);
    NW_CHECK(update.bind(1, changed.name)
                 .bind(2, labels)
                 .bind(3, sql_id(changed.id))
                 .bind(4, sql_id(workspace_))
                 .bind(5, revision)
                 .run());
    if (db_.rows_changed() == 1) return target(changed.id);
    NW_CHECK(target(changed.id));
    return fail(Errc::Conflict, "the target was changed meanwhile");
}

Result<TargetId> Probes::target_of(std::string_view address, Random& random, WallTime now)
{
    sqlite::Statement select(db_, "SELECT id FROM target WHERE workspace = ? AND address = ?");
    NW_TRY(const bool found, select.bind(1, sql_id(workspace_)).bind(2, address).step());
    if (found) return TargetId(select.integer(0));
    const auto id = make_id<TargetId>(random, now);
    sqlite::Statement insert(db_, "INSERT INTO target (id, workspace, address, created_us) VALUES (?, ?, ?, ?)");
    NW_CHECK(insert.bind(1, sql_id(id)).bind(2, sql_id(workspace_)).bind(3, address).bind(4, to_us(now)).run());
    return id;
}

Result<std::vector<Probe>> AgentSessions::probes(AgentId id)
{
    sqlite::Statement select(db_, std::string(kProbeSelect)
                                      + "WHERE p.agent = ? AND p.deleted_us IS NULL AND a.deleted_us IS NULL ORDER BY p.id");
    select.bind(1, sql_id(id));
    std::vector<Probe> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(probe_from(row)); }));
    return found;
}

Result<std::vector<ProbeId>> AgentSessions::probes_ever(AgentId id)
{
    sqlite::Statement select(db_, "SELECT id FROM probe WHERE agent = ?");
    select.bind(1, sql_id(id));
    std::vector<ProbeId> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(ProbeId(row.integer(0))); }));
    return found;
}

}  // namespace nw::store
