#include "api/cookie.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"
#include "api/public_url.hpp"

#include "base/digest.hpp"
#include "base/json_writer.hpp"
#include "identity/secret.hpp"

namespace nw::api {
namespace {

constexpr std::chrono::hours kInviteLife{24 * 7};

struct OpenInvite {
    store::Invite invite{};
    store::Workspace workspace{};
    std::string inviter{};
    bool has_account = false;
};

Result<OpenInvite> open_invite(Services& services, store::MetadataTx& tx, const Call& call)
{
    NW_TRY(auto invite, tx.workspaces().invite_by_token(sha256(call.path.at("token"))));
    if (!invite || invite->accepted_us || invite->expires_us <= to_us(services.clock.wall()))
        return fail(Errc::NotFound, "this invitation is unknown, used or expired");
    NW_TRY(auto workspace, tx.workspaces().get(invite->workspace));
    NW_TRY(const auto inviter, tx.users().get(invite->created_by));
    NW_TRY(const auto account, tx.users().by_email(invite->email));
    return OpenInvite{*std::move(invite), std::move(workspace), inviter.name, account.has_value()};
}

Status join(Services& services, const Call& call, store::MetadataTx& tx, const OpenInvite& open, const store::User& user)
{
    auto members = tx.members(open.workspace.id);
    NW_CHECK(members.accept_invite(open.invite.id, services.clock.wall()));
    NW_TRY(const auto present, members.role_of(user.id));
    // An invitation never takes rights away.
    if (!present || *present < open.invite.role) NW_CHECK(members.put(user.id, open.invite.role, services.clock.wall()));
    auto entry = audit_entry(services, call, "invite.accept", "member", to_text(user.id), user.name);
    entry.workspace = open.workspace.id;
    entry.actor = to_text(user.id);
    entry.actor_name = user.name;
    return tx.audit().add(entry);
}

void write_invite(JsonWriter& json, const store::Invite& invite, std::string_view inviter)
{
    json.object()
        .field("id", to_text(invite.id))
        .field("email", invite.email)
        .field("role", store::name_of(invite.role))
        .field("invited_by", inviter)
        .field("created_us", invite.created_us)
        .field("expires_us", invite.expires_us)
        .end_object();
}

Task<Reply> accept_as_new_user(Services& services, Call& call, OpenInvite open)
{
    Fields fields(call.body);
    store::User user{.id = make_id<UserId>(services.random, services.clock.wall()),
                     .email = open.invite.email,
                     .name = fields.text("name", 1, 100),
                     .created_us = to_us(services.clock.wall())};
    const auto password = fields.secret("password", identity::kPasswordBytesMin, identity::kPasswordBytesMax);
    NW_CO_CHECK(fields.done());
    if (open.has_account)
        co_return fail(Errc::Conflict, "this address already has an account; sign in, then open the link again");
    user.password_hash = co_await services.identity.hash(password);
    NW_CO_CHECK(co_await services.metadata.write([&](store::MetadataTx& tx) -> Status {
        NW_TRY(const auto added, tx.users().add(user));
        return join(services, call, tx, open, added);
    }));
    NW_CO_TRY(auto signed_in, co_await services.identity.open_session(user.id, call.origin()));
    co_return co_await reply_signed_in(services, call, std::move(signed_in), 200);
}

}  // namespace

Task<Reply> get_invite(Services& services, Call& call)
{
    NW_CO_TRY(const auto open,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return open_invite(services, tx, call); }));
    JsonWriter json;
    json.object()
        .field("email", open.invite.email)
        .field("role", store::name_of(open.invite.role))
        .field("workspace", open.workspace.name)
        .field("invited_by", open.inviter)
        .field("expires_us", open.invite.expires_us)
        .field("has_account", open.has_account)
        .end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> accept_invite(Services& services, Call& call)
{
    NW_CO_TRY(auto open,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return open_invite(services, tx, call); }));
    if (!call.who) co_return co_await accept_as_new_user(services, call, std::move(open));
    // The route is public, so the door has not asked for the session's token.
    if (!equal_secrets(call.request.header("x-csrf-token"), call.who->session.csrf_token))
        co_return fail(Errc::Denied, "the X-CSRF-Token header is missing or not this session's");
    NW_CO_CHECK(co_await services.metadata.write(
        [&](store::MetadataTx& tx) { return join(services, call, tx, open, call.who->user); }));
    services.identity.forget(call.who->user.id);
    NW_CO_TRY(const auto memberships, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return tx.workspaces().of_user(call.who->user.id);
    }));
    auto principal = *call.who;
    principal.memberships = memberships;
    co_return json_response(me_json(principal));
}

Task<Reply> list_invites(Services& services, Call& call)
{
    JsonWriter json;
    NW_CO_CHECK(co_await services.metadata.read([&](store::MetadataTx& tx) -> Status {
        NW_TRY(const auto invites, tx.members(call.workspace.id).invites());
        json.object().key("items").array();
        for (const auto& invite : invites) {
            NW_TRY(const auto inviter, tx.users().get(invite.created_by));
            write_invite(json, invite, inviter.name);
        }
        json.end_array().end_object();
        return {};
    }));
    co_return json_response(std::move(json).str());
}

Task<Reply> create_invite(Services& services, Call& call)
{
    Fields fields(call.body);
    const auto email = fields.email("email");
    const auto role = store::role_from(fields.word("role", {"admin", "operator", "viewer"}));
    NW_CO_CHECK(fields.done());
    const auto token = identity::make_token(services.random);
    const auto now = services.clock.wall();
    const store::Invite invite{.id = make_id<InviteId>(services.random, now),
                               .workspace = call.workspace.id,
                               .token_hash = sha256(token),
                               .email = email,
                               .role = *role,
                               .created_by = call.who->user.id,
                               .created_us = to_us(now),
                               .expires_us = to_us(now + kInviteLife)};
    auto made = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<std::string> {
        NW_CHECK(tx.members(call.workspace.id).add_invite(invite));
        NW_CHECK(tx.audit().add(audit_entry(services, call, "invite.create", "invite", to_text(invite.id), email)));
        return public_url(services, tx, call.request);
    });
    NW_CO_TRY(const auto base, std::move(made));
    JsonWriter json;
    json.object().key("invite");
    write_invite(json, invite, call.who->user.name);
    json.field("url", base + "/invite/" + token).end_object();
    co_return json_response(std::move(json).str(), 201);
}

Task<Reply> revoke_invite(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<InviteId>(call, "invite"));
    NW_CO_CHECK(co_await services.metadata.write([&](store::MetadataTx& tx) -> Status {
        NW_CHECK(tx.members(call.workspace.id).remove_invite(id));
        return tx.audit().add(audit_entry(services, call, "invite.revoke", "invite", to_text(id), ""));
    }));
    co_return no_content();
}

}  // namespace nw::api
