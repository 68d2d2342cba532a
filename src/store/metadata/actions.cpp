#include "store/metadata/action_result.hpp"
#include "store/metadata/metadata.hpp"
#include "store/metadata/rows.hpp"

#include "sqlite/database.hpp"
#include "wire/batch.hpp"

namespace nw::store {
namespace {

constexpr std::string_view kColumns =
    "SELECT c.id, c.workspace, c.agent, a.name, c.kind, c.settings, c.author, c.state, c.reason, c.steps_done, c.steps, "
    "c.created_us, c.expires_us, c.give_up_us, c.started_us, c.ended_us";
constexpr std::string_view kFrom = " FROM action c JOIN agent a ON a.id = c.agent ";

Action action_from(const sqlite::Statement& row)
{
    return {.id = ActionId(row.integer(0)),
            .workspace = WorkspaceId(row.integer(1)),
            .agent = AgentId(row.integer(2)),
            .agent_name = row.text(3),
            .kind = row.text(4),
            .settings = row.text(5),
            .author = row.text(6),
            .state = ActionState(row.integer(7)),
            .reason = row.text(8),
            .steps_done = std::uint32_t(row.integer(9)),
            .steps = std::uint32_t(row.integer(10)),
            .created_us = row.integer(11),
            .expires_us = row.integer(12),
            .give_up_us = row.integer(13),
            .started_us = row.maybe_integer(14),
            .ended_us = row.maybe_integer(15)};
}

}  // namespace

Result<Rows> result_of(const Action& action, const Kinds& kinds)
{
    if (action.result.empty()) return fail(Errc::NotFound, "no result yet");
    NW_TRY(auto rows, wire::decode_rows(action.result, kinds));
    if (rows.size() != 1) return fail(Errc::Corrupt, "the result of an action is not one row");
    return rows;
}

Result<Action> Actions::add(const Action& action)
{
    NW_CHECK(Agents(db_, workspace_).get(action.agent));
    sqlite::Statement insert(db_, "INSERT INTO action (id, workspace, agent, kind, settings, author, state, created_us, "
                                  "expires_us, give_up_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    NW_CHECK(insert.bind(1, sql_id(action.id))
                 .bind(2, sql_id(workspace_))
                 .bind(3, sql_id(action.agent))
                 .bind(4, action.kind)
                 .bind(5, action.settings)
                 .bind(6, action.author)
                 .bind(7, std::int64_t(action.state))
                 .bind(8, action.created_us)
                 .bind(9, action.expires_us)
                 .bind(10, action.give_up_us)
                 .run());
    sqlite::Statement trim(db_,
                           "DELETE FROM action WHERE workspace = ?1 AND state >= 2 AND id NOT IN (SELECT id FROM action "
                           "WHERE workspace = ?1 ORDER BY created_us DESC, id DESC LIMIT ?2)");
    NW_CHECK(trim.bind(1, sql_id(workspace_)).bind(2, kKept).run());
    return get(action.id);
}

Result<Action> Actions::get(ActionId id)
{
    sqlite::Statement select(db_, std::string(kColumns) + ", c.result" + std::string(kFrom)
                                      + "WHERE c.id = ? AND c.workspace = ?");
    NW_TRY(const bool found, select.bind(1, sql_id(id)).bind(2, sql_id(workspace_)).step());
    if (!found) return fail(Errc::NotFound, "no such action");
    auto action = action_from(select);
    action.result = select.text(16);
    return action;
}

Result<Paged<Action>> Actions::list(std::optional<AgentId> agent, const Page& page)
{
    std::int64_t before = INT64_MAX;
    if (!page.cursor.empty()) {
        const auto id = parse_id<ActionId>(page.cursor);
        if (!id) return fail_field("cursor", "is not one that was given out");
        before = sql_id(*id);
    }
    // Ids are in the order of their making.
    sqlite::Statement select(db_, std::string(kColumns) + std::string(kFrom)
                                      + "WHERE c.workspace = ?1 AND c.id < ?2 AND (?3 IS NULL OR c.agent = ?3) "
                                        "ORDER BY c.id DESC LIMIT ?4");
    select.bind(1, sql_id(workspace_))
        .bind(2, before)
        .bind(3, agent ? std::optional(sql_id(*agent)) : std::nullopt)
        .bind(4, std::int64_t{page.limit} + 1);
    Paged<Action> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.items.push_back(action_from(row)); }));
    if (found.items.size() > page.limit) {
        found.items.pop_back();
        found.next = to_text(found.items.back().id);
    }
    return found;
}

Result<std::vector<Action>> AgentSessions::open_actions()
{
    sqlite::Statement select(db_, std::string(kColumns) + std::string(kFrom) + "WHERE c.state < 2 ORDER BY c.id");
    std::vector<Action> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(action_from(row)); }));
    return found;
}

Status AgentSessions::record_action(const Action& action)
{
    sqlite::Statement update(db_,
                             "UPDATE action SET state = ?, reason = ?, steps_done = ?, steps = ?, result = ?, started_us "
                             "= ?, ended_us = ? WHERE id = ?");
    return update.bind(1, std::int64_t(action.state))
        .bind(2, action.reason)
        .bind(3, std::int64_t{action.steps_done})
        .bind(4, std::int64_t{action.steps})
        .bind_blob(5, action.result)
        .bind(6, action.started_us)
        .bind(7, action.ended_us)
        .bind(8, sql_id(action.id))
        .run();
}

}  // namespace nw::store
