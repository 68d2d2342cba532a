#include "api/cookie.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"

#include "base/json_writer.hpp"
#include "identity/secret.hpp"

#include <fmt/format.h>

namespace nw::api {
namespace {

void write_ref(JsonWriter& json, const store::Workspace& workspace)
{
    json.object()
        .field("id", to_text(workspace.id))
        .field("slug", workspace.slug)
        .field("name", workspace.name)
        .end_object();
}

std::string cookie(const Services& services, const Call& call, std::string_view value, std::int64_t max_age_s)
{
    const bool secure = call.request.secure || services.instance.secure_cookies;
    return fmt::format("nw_session={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{}", value, max_age_s,
                       secure ? "; Secure" : "");
}

Status add_audit(Services& services, const Call& call, store::MetadataTx& tx, std::string_view action)
{
    const auto& user = call.who->user;
    return tx.audit().add(audit_entry(services, call, action, "user", to_text(user.id), user.name));
}

// Sign-ins belong to the instance and to each workspace of the user: its administrators want to see them. Failures have
// a rate of their own.
Task<void> audit_sign_in(Services& services, const Call& call, const store::User& user,
                         const std::vector<store::Membership>& memberships, store::AuditOutcome outcome)
{
    std::optional<std::uint64_t> left_out = 0;
    if (outcome != store::AuditOutcome::Done) left_out = services.stranger_budget.admit(services.clock.instant());
    if (!left_out) co_return;
    auto entry = audit_entry(services, call, "session.sign_in", "user", user.id == UserId{} ? user.email : to_text(user.id),
                             user.name);
    entry.outcome = outcome;
    entry.detail = left_out_detail(*left_out);
    if (user.id != UserId{}) {
        entry.actor = to_text(user.id);
        entry.actor_name = user.name;
    }
    auto written = co_await services.metadata.write([&](store::MetadataTx& tx) -> Status {
        NW_CHECK(tx.audit().add(entry));
        for (const auto& membership : memberships) {
            entry.workspace = membership.workspace.id;
            NW_CHECK(tx.audit().add(entry));
        }
        return {};
    });
    if (!written) services.log.error("a sign-in could not be audited: {}", written.error().what);
}

}  // namespace

std::string expired_cookie(const Services& services, const Call& call) { return cookie(services, call, "", 0); }

std::string me_json(const identity::Principal& principal)
{
    JsonWriter json;
    json.object()
        .key("user")
        .object()
        .field("id", to_text(principal.user.id))
        .field("email", principal.user.email)
        .field("name", principal.user.name)
        .end_object();
    json.field("csrf_token", principal.session.csrf_token).key("memberships").array();
    for (const auto& membership : principal.memberships) {
        json.object().key("workspace");
        write_ref(json, membership.workspace);
        json.field("role", store::name_of(membership.role)).key("permissions").array();
        for (const auto& info : identity::kPermissions)
            if (identity::may(membership.role, info.permission)) json.text(info.name);
        json.end_array().end_object();
    }
    json.end_array()
        .field("is_site_admin", principal.user.is_site_admin)
        .key("preferences")
        .raw(principal.user.preferences)
        .end_object();
    return std::move(json).str();
}

Task<Reply> reply_signed_in(Services& services, const Call& call, identity::SignedIn signed_in, int status)
{
    auto response = json_response(me_json(*signed_in.principal), status);
    const auto life = std::chrono::duration_cast<std::chrono::seconds>(identity::kSessionLife).count();
    response.headers.emplace_back("Set-Cookie", cookie(services, call, signed_in.token, life));
    co_return response;
}

Task<Reply> get_session(Services&, Call& call) { co_return json_response(me_json(*call.who)); }

Task<Reply> sign_in(Services& services, Call& call)
{
    Fields fields(call.body);
    const auto email = fields.text("email", 1, 254);
    const auto password = fields.secret("password", 1, identity::kPasswordBytesMax);
    NW_CO_CHECK(fields.done());
    NW_CO_TRY(auto result, co_await services.identity.sign_in(email, password, call.origin()));
    if (result.wait) {
        auto response =
            net::problem(429, fmt::format("too many attempts; try again in {} s", result.wait->count()), call.request.id);
        response.headers.emplace_back("Retry-After", std::to_string(result.wait->count()));
        co_return response;
    }
    if (!result.signed_in) {
        co_await audit_sign_in(services, call, {.email = email}, {}, store::AuditOutcome::Failed);
        co_return net::problem(401, "the address or the password is not right", call.request.id);
    }
    const auto& principal = *result.signed_in->principal;
    co_await audit_sign_in(services, call, principal.user, principal.memberships, store::AuditOutcome::Done);
    co_return co_await reply_signed_in(services, call, *std::move(result.signed_in), 200);
}

Task<Reply> sign_out(Services& services, Call& call)
{
    NW_CO_CHECK(co_await services.identity.end_session(call.who->user.id, call.who->session.id));
    NW_CO_CHECK(co_await services.metadata.write(
        [&](store::MetadataTx& tx) { return add_audit(services, call, tx, "session.sign_out"); }));
    auto response = no_content();
    response.headers.emplace_back("Set-Cookie", expired_cookie(services, call));
    co_return response;
}

Task<Reply> list_sessions(Services& services, Call& call)
{
    NW_CO_TRY(const auto sessions, co_await services.metadata.read(
                                       [&](store::MetadataTx& tx) { return tx.users().sessions(call.who->user.id); }));
    JsonWriter json;
    json.object().key("items").array();
    for (const auto& session : sessions)
        json.object()
            .field("id", to_text(session.id))
            .field("current", session.id == call.who->session.id)
            .field("created_us", session.created_us)
            .field("last_used_us", session.last_seen_us)
            .field("address", session.address)
            .field("user_agent", session.user_agent)
            .end_object();
    json.end_array().end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> end_session(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<SessionId>(call, "session"));
    NW_CO_CHECK(co_await services.identity.end_session(call.who->user.id, id));
    NW_CO_CHECK(co_await services.metadata.write(
        [&](store::MetadataTx& tx) { return add_audit(services, call, tx, "session.end"); }));
    co_return no_content();
}

namespace {

// The stored preferences with the given members replaced.
Result<std::string> merged_preferences(const net::Json& given, const std::string& stored)
{
    Fields fields(given, "preferences.");
    const auto old = net::parse_json(stored);
    JsonWriter json;
    json.object();
    const auto keep_text = [&](std::string_view name, std::optional<std::string> fresh) {
        if (fresh) json.field(name, *fresh);
        else if (old && old->at(name).text()) json.field(name, *old->at(name).text());
    };
    const auto word = [&](std::string_view name, std::initializer_list<std::string_view> words) {
        return fields.has(name) ? std::optional(fields.word(name, words)) : std::nullopt;
    };
    keep_text("theme", word("theme", {"system", "light", "dark"}));
    keep_text("zone", fields.maybe_text("zone", 1, 64));
    keep_text("density", word("density", {"comfortable", "compact"}));
    keep_text("colours", word("colours", {"standard", "classic"}));
    keep_text("rail", word("rail", {"wide", "narrow"}));
    const auto shortcuts = fields.maybe_boolean("shortcuts");
    if (shortcuts) json.field("shortcuts", *shortcuts);
    else if (old && old->at("shortcuts").boolean()) json.field("shortcuts", *old->at("shortcuts").boolean());
    json.end_object();
    NW_CHECK(fields.done());
    return std::move(json).str();
}

}  // namespace

Task<Reply> update_account(Services& services, Call& call)
{
    const auto& user = call.who->user;
    Fields fields(call.body);
    const auto name = fields.maybe_text("name", 1, 100);
    auto preferences = user.preferences;
    if (fields.has("preferences")) {
        auto merged = merged_preferences(fields.raw("preferences"), user.preferences);
        if (merged) preferences = *std::move(merged);
        else fields.add_problems(merged.error().fields);
    }
    NW_CO_CHECK(fields.done());
    auto changed = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::User> {
        if (name) NW_CHECK(tx.users().rename(user.id, *name));
        NW_CHECK(tx.users().set_preferences(user.id, preferences));
        NW_CHECK(add_audit(services, call, tx, "account.update"));
        return tx.users().get(user.id);
    });
    NW_CO_TRY(auto fresh, std::move(changed));
    services.identity.forget(user.id);
    auto principal = *call.who;
    principal.user = std::move(fresh);
    co_return json_response(me_json(principal));
}

Task<Reply> change_password(Services& services, Call& call)
{
    Fields fields(call.body);
    auto current = fields.secret("current", 1, identity::kPasswordBytesMax);
    auto fresh = fields.secret("new", identity::kPasswordBytesMin, identity::kPasswordBytesMax);
    NW_CO_CHECK(fields.done());
    NW_CO_CHECK(
        co_await services.identity.change_password(call.who, std::move(current), std::move(fresh), call.request.remote));
    NW_CO_CHECK(co_await services.metadata.write(
        [&](store::MetadataTx& tx) { return add_audit(services, call, tx, "account.change_password"); }));
    co_return no_content();
}

}  // namespace nw::api
