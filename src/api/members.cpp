#include "api/fields.hpp"
#include "api/handlers.hpp"

#include "base/json_writer.hpp"

#include <algorithm>

namespace nw::api {
namespace {

void write_member(JsonWriter& json, const store::Member& member)
{
    json.object()
        .key("user")
        .object()
        .field("id", to_text(member.user))
        .field("email", member.email)
        .field("name", member.name)
        .end_object()
        .field("role", store::name_of(member.role))
        .field("joined_us", member.created_us)
        .field("last_seen_us", member.last_seen_us)
        .end_object();
}

Result<store::Member> find_member(store::MetadataTx& tx, WorkspaceId workspace, UserId user)
{
    NW_TRY(const auto members, tx.members(workspace).all());
    const auto found = std::ranges::find(members, user, &store::Member::user);
    if (found == members.end()) return fail(Errc::NotFound, "no such member");
    return *found;
}

// Only an owner makes or unmakes owners, and one always stays.
Status check_owner_rules(store::MetadataTx& tx, const Call& call, store::Role present, std::optional<store::Role> fresh)
{
    const bool touches_owner = present == store::Role::Owner || fresh == store::Role::Owner;
    if (touches_owner && call.role != store::Role::Owner)
        return fail(Errc::Denied, "only an owner may make or unmake owners");
    NW_TRY(const auto owners, tx.members(call.workspace.id).owners());
    if (present == store::Role::Owner && fresh != store::Role::Owner && owners <= 1)
        return fail(Errc::Conflict, "a workspace keeps at least one owner; make another member owner first");
    return {};
}

}  // namespace

Task<Reply> list_members(Services& services, Call& call)
{
    NW_CO_TRY(const auto members,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.members(call.workspace.id).all(); }));
    JsonWriter json;
    json.object().key("items").array();
    for (const auto& member : members) write_member(json, member);
    json.end_array().end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> update_member(Services& services, Call& call)
{
    NW_CO_TRY(const auto user, path_id<UserId>(call, "user"));
    Fields fields(call.body);
    const auto role = store::role_from(fields.word("role", {"owner", "admin", "operator", "viewer"}));
    NW_CO_CHECK(fields.done());
    auto changed = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Member> {
        NW_TRY(const auto present, find_member(tx, call.workspace.id, user));
        NW_CHECK(check_owner_rules(tx, call, present.role, role));
        NW_CHECK(tx.members(call.workspace.id).put(user, *role, services.clock.wall()));
        JsonWriter detail;
        detail.object()
            .key("role")
            .array()
            .text(store::name_of(present.role))
            .text(store::name_of(*role))
            .end_array()
            .end_object();
        NW_CHECK(tx.audit().add(
            audit_entry(services, call, "member.update", "member", to_text(user), present.name, std::move(detail).str())));
        return find_member(tx, call.workspace.id, user);
    });
    NW_CO_TRY(const auto member, std::move(changed));
    services.identity.forget(user);
    JsonWriter json;
    write_member(json, member);
    co_return json_response(std::move(json).str());
}

Task<Reply> remove_member(Services& services, Call& call)
{
    NW_CO_TRY(const auto user, path_id<UserId>(call, "user"));
    NW_CO_CHECK(co_await services.metadata.write([&](store::MetadataTx& tx) -> Status {
        NW_TRY(const auto present, find_member(tx, call.workspace.id, user));
        NW_CHECK(check_owner_rules(tx, call, present.role, std::nullopt));
        NW_CHECK(tx.members(call.workspace.id).remove(user));
        return tx.audit().add(audit_entry(services, call, "member.remove", "member", to_text(user), present.name));
    }));
    services.identity.forget(user);
    co_return no_content();
}

Task<Reply> list_roles(Services&, Call&)
{
    constexpr std::array<std::string_view, 4> labels{"Viewer", "Operator", "Admin", "Owner"};
    JsonWriter json;
    json.object().key("permissions").array();
    for (const auto& info : identity::kPermissions)
        json.object().field("name", info.name).field("label", info.label).end_object();
    json.end_array().key("roles").array();
    for (std::size_t i = store::kRoleNames.size(); i-- > 0;) {
        json.object().field("name", store::kRoleNames[i]).field("label", labels[i]).key("permissions").array();
        for (const auto& info : identity::kPermissions)
            if (identity::may(store::Role(i), info.permission)) json.text(info.name);
        json.end_array().end_object();
    }
    json.end_array().end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
