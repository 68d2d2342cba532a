#include "store/metadata/metadata.hpp"
#include "store/metadata/rows.hpp"

#include "sqlite/database.hpp"

namespace nw::store {
namespace {

constexpr std::string_view kUserColumns =
    "SELECT id, email, name, password_hash, is_site_admin, preferences, created_us FROM user ";
constexpr std::string_view kSessionColumns =
    "SELECT id, user, token_hash, csrf_token, created_us, last_seen_us, expires_us, address, user_agent FROM session ";

User user_from(const sqlite::Statement& row)
{
    return {.id = UserId(row.integer(0)),
            .email = row.text(1),
            .name = row.text(2),
            .password_hash = row.text(3),
            .is_site_admin = row.integer(4) != 0,
            .preferences = row.text(5),
            .created_us = row.integer(6)};
}

Session session_from(const sqlite::Statement& row)
{
    return {.id = SessionId(row.integer(0)),
            .user = UserId(row.integer(1)),
            .token_hash = row.text(2),
            .csrf_token = row.text(3),
            .created_us = row.integer(4),
            .last_seen_us = row.integer(5),
            .expires_us = row.integer(6),
            .address = row.text(7),
            .user_agent = row.text(8)};
}

}  // namespace

Result<User> Users::add(User user)
{
    sqlite::Statement insert(db_, "INSERT INTO user VALUES (?, ?, ?, ?, ?, ?, ?)");
    auto added = insert.bind(1, sql_id(user.id))
                     .bind(2, user.email)
                     .bind(3, user.name)
                     .bind(4, user.password_hash)
                     .bind(5, std::int64_t{user.is_site_admin})
                     .bind(6, user.preferences)
                     .bind(7, user.created_us)
                     .run();
    if (!added && added.error().code == Errc::Conflict)
        return std::unexpected(
            Error{Errc::Conflict, "this address already has an account", {{"email", "already has an account"}}});
    if (!added) return std::unexpected(std::move(added).error());
    return user;
}

Result<User> Users::get(UserId id)
{
    sqlite::Statement select(db_, std::string(kUserColumns) + "WHERE id = ?");
    NW_TRY(const bool found, select.bind(1, sql_id(id)).step());
    if (!found) return fail(Errc::NotFound, "no such user");
    return user_from(select);
}

Result<std::optional<User>> Users::by_email(std::string_view email)
{
    sqlite::Statement select(db_, std::string(kUserColumns) + "WHERE email = ?");
    NW_TRY(const bool found, select.bind(1, email).step());
    if (!found) return std::nullopt;
    return user_from(select);
}

Status Users::rename(UserId id, std::string_view name)
{
    sqlite::Statement update(db_, "UPDATE user SET name = ? WHERE id = ?");
    return run_on_one(db_, update.bind(1, name).bind(2, sql_id(id)), "user");
}

Status Users::set_preferences(UserId id, std::string_view json)
{
    sqlite::Statement update(db_, "UPDATE user SET preferences = ? WHERE id = ?");
    return run_on_one(db_, update.bind(1, json).bind(2, sql_id(id)), "user");
}

Status Users::set_password(UserId id, std::string_view hash)
{
    sqlite::Statement update(db_, "UPDATE user SET password_hash = ? WHERE id = ?");
    return run_on_one(db_, update.bind(1, hash).bind(2, sql_id(id)), "user");
}

Status Users::set_site_admin(UserId id, bool is_site_admin)
{
    sqlite::Statement update(db_, "UPDATE user SET is_site_admin = ? WHERE id = ?");
    return run_on_one(db_, update.bind(1, std::int64_t{is_site_admin}).bind(2, sql_id(id)), "user");
}

Result<std::int64_t> Users::count()
{
    sqlite::Statement select(db_, "SELECT count(*) FROM user");
    NW_TRY([[maybe_unused]] const bool row, select.step());
    return select.integer(0);
}

Status Users::add_session(const Session& session)
{
    sqlite::Statement insert(db_, "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    return insert.bind(1, sql_id(session.id))
        .bind(2, sql_id(session.user))
        .bind_blob(3, session.token_hash)
        .bind(4, session.csrf_token)
        .bind(5, session.created_us)
        .bind(6, session.last_seen_us)
        .bind(7, session.expires_us)
        .bind(8, session.address)
        .bind(9, session.user_agent)
        .run();
}

Result<std::optional<Session>> Users::session_by_token(std::string_view token_hash)
{
    sqlite::Statement select(db_, std::string(kSessionColumns) + "WHERE token_hash = ?");
    NW_TRY(const bool found, select.bind_blob(1, token_hash).step());
    if (!found) return std::nullopt;
    return session_from(select);
}

Result<std::vector<Session>> Users::sessions(UserId user)
{
    sqlite::Statement select(db_, std::string(kSessionColumns) + "WHERE user = ? ORDER BY last_seen_us DESC");
    select.bind(1, sql_id(user));
    std::vector<Session> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(session_from(row)); }));
    return found;
}

Status Users::touch_session(SessionId id, WallTime seen)
{
    sqlite::Statement update(db_, "UPDATE session SET last_seen_us = ? WHERE id = ?");
    return update.bind(1, to_us(seen)).bind(2, sql_id(id)).run();
}

Status Users::end_session(UserId user, SessionId id)
{
    sqlite::Statement drop(db_, "DELETE FROM session WHERE id = ? AND user = ?");
    return run_on_one(db_, drop.bind(1, sql_id(id)).bind(2, sql_id(user)), "session");
}

Status Users::end_other_sessions(UserId user, SessionId kept)
{
    sqlite::Statement drop(db_, "DELETE FROM session WHERE user = ? AND id <> ?");
    return drop.bind(1, sql_id(user)).bind(2, sql_id(kept)).run();
}

Status Users::end_expired_sessions(WallTime now)
{
    sqlite::Statement drop(db_, "DELETE FROM session WHERE expires_us <= ?");
    return drop.bind(1, to_us(now)).run();
}

}  // namespace nw::store
