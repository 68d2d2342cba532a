#include "api/cookie.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"
#include "api/setup_token.hpp"
#include "api/workspace_settings.hpp"

#include "base/json_writer.hpp"
#include "identity/secret.hpp"

namespace nw::api {
namespace {

struct SetupForm {
    std::string token{};
    store::User user{};
    std::string workspace_name{};
};

// The workspaces that were prepared before anybody could sign in (`admin create-workspace`) get their owner; without
// one a workspace is made.
Result<std::vector<store::Workspace>> workspaces_for_owner(Services& services, store::MetadataTx& tx, const SetupForm& form)
{
    NW_TRY(auto prepared, tx.workspaces().without_owner());
    if (!prepared.empty()) return prepared;
    NW_TRY(auto slug, free_slug(tx, form.workspace_name));
    const auto now = services.clock.wall();
    NW_TRY(auto made, tx.workspaces().add({.id = make_id<WorkspaceId>(services.random, now),
                                           .slug = std::move(slug),
                                           .name = form.workspace_name,
                                           .created_us = to_us(now)}));
    return std::vector{std::move(made)};
}

Result<UserId> create_administrator(Services& services, const Call& call, store::MetadataTx& tx, const SetupForm& form)
{
    NW_CHECK(check_setup_token(tx, form.token));
    NW_TRY(const auto user, tx.users().add(form.user));
    NW_TRY(const auto workspaces, workspaces_for_owner(services, tx, form));
    for (const auto& workspace : workspaces)
        NW_CHECK(tx.members(workspace.id).put(user.id, store::Role::Owner, services.clock.wall()));
    NW_CHECK(end_setup(tx));
    auto entry = audit_entry(services, call, "instance.set_up", "user", to_text(user.id), user.name);
    entry.actor = to_text(user.id);
    entry.actor_name = user.name;
    entry.workspace = workspaces.front().id;
    NW_CHECK(tx.audit().add(entry));
    return user.id;
}

}  // namespace

Task<Reply> get_setup(Services& services, Call&)
{
    NW_CO_TRY(const bool needed, co_await services.metadata.read([](store::MetadataTx& tx) { return setup_needed(tx); }));
    JsonWriter json;
    json.object().field("needed", needed).end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> set_up(Services& services, Call& call)
{
    Fields fields(call.body);
    const auto now = services.clock.wall();
    SetupForm form{.token = fields.secret("token", 1, 128),
                   .user = {.id = make_id<UserId>(services.random, now),
                            .email = fields.email("email"),
                            .name = fields.text("name", 1, 100),
                            .is_site_admin = true,
                            .created_us = to_us(now)}};
    const auto password = fields.secret("password", identity::kPasswordBytesMin, identity::kPasswordBytesMax);
    form.workspace_name = fields.text("workspace_name", 1, 100);
    NW_CO_CHECK(fields.done());
    // Before the slow hash: a stranger without the token costs nothing.
    NW_CO_CHECK(co_await services.metadata.read([&](store::MetadataTx& tx) { return check_setup_token(tx, form.token); }));
    form.user.password_hash = co_await services.identity.hash(password);
    auto created = co_await services.metadata.write(
        [&](store::MetadataTx& tx) { return create_administrator(services, call, tx, form); });
    NW_CO_TRY(const auto user, std::move(created));
    NW_CO_TRY(auto signed_in, co_await services.identity.open_session(user, call.origin()));
    co_return co_await reply_signed_in(services, call, std::move(signed_in), 201);
}

}  // namespace nw::api
