#include "store/metadata/metadata.hpp"
#include "store/metadata/rows.hpp"

#include "sqlite/database.hpp"

namespace nw::store {
namespace {

constexpr std::string_view kWorkspaceColumns = "w.id, w.slug, w.name, w.settings, w.revision, w.created_us";
constexpr std::string_view kInviteColumns =
    "SELECT id, workspace, token_hash, email, role, created_by, created_us, expires_us, accepted_us FROM invite ";

Workspace workspace_from(const sqlite::Statement& row)
{
    return {.id = WorkspaceId(row.integer(0)),
            .slug = row.text(1),
            .name = row.text(2),
            .settings = row.text(3),
            .revision = row.integer(4),
            .created_us = row.integer(5)};
}

Invite invite_from(const sqlite::Statement& row)
{
    return {.id = InviteId(row.integer(0)),
            .workspace = WorkspaceId(row.integer(1)),
            .token_hash = row.text(2),
            .email = row.text(3),
            .role = role_from(row.view(4)).value_or(Role::Viewer),
            .created_by = UserId(row.integer(5)),
            .created_us = row.integer(6),
            .expires_us = row.integer(7),
            .accepted_us = row.maybe_integer(8)};
}

std::string select_workspaces(std::string_view rest)
{
    return "SELECT " + std::string(kWorkspaceColumns) + " FROM workspace w " + std::string(rest);
}

}  // namespace

Result<Workspace> Workspaces::add(Workspace workspace)
{
    sqlite::Statement insert(db_, "INSERT INTO workspace (id, slug, name, settings, created_us) VALUES (?, ?, ?, ?, ?)");
    auto added = insert.bind(1, sql_id(workspace.id))
                     .bind(2, workspace.slug)
                     .bind(3, workspace.name)
                     .bind(4, workspace.settings)
                     .bind(5, workspace.created_us)
                     .run();
    if (!added && added.error().code == Errc::Conflict)
        return std::unexpected(Error{Errc::Conflict, "this short name is taken", {{"slug", "is taken"}}});
    if (!added) return std::unexpected(std::move(added).error());
    return workspace;
}

Result<std::optional<Workspace>> Workspaces::find(std::string_view id_or_slug)
{
    const auto id = parse_id<WorkspaceId>(id_or_slug);
    sqlite::Statement select(db_, select_workspaces(id ? "WHERE w.id = ? AND w.deleted_us IS NULL"
                                                       : "WHERE w.slug = ? AND w.deleted_us IS NULL"));
    if (id) select.bind(1, sql_id(*id));
    else select.bind(1, id_or_slug);
    NW_TRY(const bool found, select.step());
    if (!found) return std::nullopt;
    return workspace_from(select);
}

Result<Workspace> Workspaces::get(WorkspaceId id)
{
    NW_TRY(auto found, find(to_text(id)));
    if (!found) return fail(Errc::NotFound, "no such workspace");
    return *std::move(found);
}

Result<std::vector<Membership>> Workspaces::of_user(UserId user)
{
    sqlite::Statement select(db_, "SELECT " + std::string(kWorkspaceColumns)
                                      + ", m.role FROM workspace w JOIN member m "
                                        "ON m.workspace = w.id WHERE m.user = ? AND w.deleted_us IS NULL ORDER BY w.name");
    select.bind(1, sql_id(user));
    std::vector<Membership> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) {
        found.push_back({workspace_from(row), role_from(row.view(6)).value_or(Role::Viewer)});
    }));
    return found;
}

Result<std::vector<Workspace>> Workspaces::all()
{
    sqlite::Statement select(db_, select_workspaces("WHERE w.deleted_us IS NULL ORDER BY w.id"));
    std::vector<Workspace> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(workspace_from(row)); }));
    return found;
}

Result<std::vector<Workspace>> Workspaces::without_owner()
{
    sqlite::Statement select(db_, select_workspaces("WHERE w.deleted_us IS NULL AND NOT EXISTS (SELECT 1 FROM member m "
                                                    "WHERE m.workspace = w.id AND m.role = 'owner') ORDER BY w.id"));
    std::vector<Workspace> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(workspace_from(row)); }));
    return found;
}

Result<Workspace> Workspaces::update(const Workspace& changed, std::int64_t revision)
{
    sqlite::Statement update(db_, "UPDATE workspace SET name = ?, slug = ?, settings = ?, revision = revision + 1 "
                                  "WHERE id = ? AND revision = ? AND deleted_us IS NULL");
    auto done = update.bind(1, changed.name)
                    .bind(2, changed.slug)
                    .bind(3, changed.settings)
                    .bind(4, sql_id(changed.id))
                    .bind(5, revision)
                    .run();
    if (!done && done.error().code == Errc::Conflict)
        return std::unexpected(Error{Errc::Invalid, "this short name is taken", {{"slug", "is taken"}}});
    if (!done) return std::unexpected(std::move(done).error());
    if (db_.rows_changed() != 1) return fail(Errc::Conflict, "the workspace was changed meanwhile");
    return get(changed.id);
}

Status Workspaces::remove(WorkspaceId id, WallTime now)
{
    // The slug becomes free again; the data stays until the grace period is over.
    sqlite::Statement drop(
        db_, "UPDATE workspace SET deleted_us = ?, slug = slug || '~' || id WHERE id = ? AND deleted_us IS NULL");
    return run_on_one(db_, drop.bind(1, to_us(now)).bind(2, sql_id(id)), "workspace");
}

Result<std::optional<Invite>> Workspaces::invite_by_token(std::string_view token_hash)
{
    sqlite::Statement select(db_, std::string(kInviteColumns) + "WHERE token_hash = ?");
    NW_TRY(const bool found, select.bind_blob(1, token_hash).step());
    if (!found) return std::nullopt;
    return invite_from(select);
}

Result<std::vector<Member>> Members::all()
{
    sqlite::Statement select(db_, "SELECT u.id, u.email, u.name, m.role, m.created_us, (SELECT max(s.last_seen_us) FROM "
                                  "session s WHERE s.user = u.id) FROM member m JOIN user u ON u.id = m.user "
                                  "WHERE m.workspace = ? ORDER BY u.name, u.id");
    select.bind(1, sql_id(workspace_));
    std::vector<Member> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) {
        found.push_back({row.maybe_integer(5), UserId(row.integer(0)), row.text(1), row.text(2),
                         role_from(row.view(3)).value_or(Role::Viewer), row.integer(4)});
    }));
    return found;
}

Result<std::optional<Role>> Members::role_of(UserId user)
{
    sqlite::Statement select(db_, "SELECT role FROM member WHERE workspace = ? AND user = ?");
    NW_TRY(const bool found, select.bind(1, sql_id(workspace_)).bind(2, sql_id(user)).step());
    if (!found) return std::nullopt;
    return role_from(select.view(0));
}

Status Members::put(UserId user, Role role, WallTime now)
{
    sqlite::Statement put(db_, "INSERT INTO member VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET role = excluded.role");
    return put.bind(1, sql_id(workspace_)).bind(2, sql_id(user)).bind(3, name_of(role)).bind(4, to_us(now)).run();
}

Status Members::remove(UserId user)
{
    sqlite::Statement drop(db_, "DELETE FROM member WHERE workspace = ? AND user = ?");
    return run_on_one(db_, drop.bind(1, sql_id(workspace_)).bind(2, sql_id(user)), "member");
}

Result<std::int64_t> Members::owners()
{
    sqlite::Statement select(db_, "SELECT count(*) FROM member WHERE workspace = ? AND role = 'owner'");
    NW_TRY([[maybe_unused]] const bool row, select.bind(1, sql_id(workspace_)).step());
    return select.integer(0);
}

Result<std::vector<Invite>> Members::invites()
{
    sqlite::Statement select(db_,
                             std::string(kInviteColumns) + "WHERE workspace = ? AND accepted_us IS NULL ORDER BY id DESC");
    select.bind(1, sql_id(workspace_));
    std::vector<Invite> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(invite_from(row)); }));
    return found;
}

Status Members::add_invite(const Invite& invite)
{
    sqlite::Statement insert(db_, "INSERT INTO invite VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)");
    return insert.bind(1, sql_id(invite.id))
        .bind(2, sql_id(workspace_))
        .bind_blob(3, invite.token_hash)
        .bind(4, invite.email)
        .bind(5, name_of(invite.role))
        .bind(6, sql_id(invite.created_by))
        .bind(7, invite.created_us)
        .bind(8, invite.expires_us)
        .run();
}

Status Members::accept_invite(InviteId id, WallTime now)
{
    sqlite::Statement update(db_,
                             "UPDATE invite SET accepted_us = ? WHERE id = ? AND workspace = ? AND accepted_us IS NULL");
    return run_on_one(db_, update.bind(1, to_us(now)).bind(2, sql_id(id)).bind(3, sql_id(workspace_)), "invitation");
}

Status Members::remove_invite(InviteId id)
{
    sqlite::Statement drop(db_, "DELETE FROM invite WHERE id = ? AND workspace = ? AND accepted_us IS NULL");
    return run_on_one(db_, drop.bind(1, sql_id(id)).bind(2, sql_id(workspace_)), "invitation");
}

}  // namespace nw::store
