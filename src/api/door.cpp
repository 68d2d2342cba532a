#include "api/door.hpp"

#include "base/digest.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "net/url.hpp"

#include <charconv>

namespace nw::api {
namespace {

constexpr std::string_view kCookie = "nw_session";

// Fills `params` when `path` is of the pattern's shape.
bool matches(std::string_view pattern, const std::vector<std::string_view>& path, net::Params& params)
{
    const auto parts = split(pattern, '/');
    if (parts.size() != path.size()) return false;
    params.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].starts_with('{')) {
            if (path[i].empty()) return false;
            params.emplace(parts[i].substr(1, parts[i].size() - 2), path[i]);
        } else if (parts[i] != path[i]) {
            return false;
        }
    }
    return true;
}

bool changes(net::Method method) { return method != net::Method::Get && method != net::Method::Head; }

bool is_json(std::string_view content_type)
{
    return lower(trimmed(content_type.substr(0, content_type.find(';')))) == "application/json";
}

}  // namespace

Match match_route(std::span<const Route> routes, net::Method method, std::string_view path)
{
    if (method == net::Method::Head) method = net::Method::Get;
    const auto parts = split(path, '/');
    Match match;
    net::Params params;
    for (const auto& route : routes) {
        if (!matches(route.pattern, parts, params)) continue;
        match.path_exists = true;
        if (route.method != method) continue;
        match.route = &route;
        match.params = std::move(params);
        return match;
    }
    return match;
}

Task<net::Response> Door::handle(net::Request request)
{
    auto match = match_route(routes(), request.method, request.path);
    if (!match.route && match.path_exists) co_return net::problem(405, "this method is not allowed here", request.id);
    if (!match.route) {
        if (request.path.starts_with("/api/")) co_return net::problem(404, "there is nothing at this path", request.id);
        co_return co_await fallback_(std::move(request));
    }
    Call call{.request = std::move(request), .path = std::move(match.params)};
    auto reply = co_await enter(*match.route, call);
    co_return to_response(std::move(reply), call);
}

Task<Reply> Door::enter(const Route& route, Call& call)
{
    NW_CO_TRY(auto refusal, co_await authorise(route, call));
    if (refusal) co_return *std::move(refusal);
    if (!call.request.body.empty()) {
        if (!is_json(call.request.header("content-type")))
            co_return net::problem(415, "the body must be application/json", call.request.id);
        auto body = net::parse_json(call.request.body);
        if (!body) co_return net::problem(400, body.error().what, call.request.id);
        call.body = *std::move(body);
    }
    co_return co_await route.handler(services_, call);
}

Task<Result<std::optional<net::Response>>> Door::authorise(const Route& route, Call& call)
{
    const auto token = call.request.cookie(kCookie);
    if (token) {
        NW_CO_TRY(call.who, co_await services_.identity.authenticate(*token));
    }
    if (changes(call.request.method) || call.request.wants_websocket) {
        if (auto same = check_origin(call); !same) {
            co_await audit_denial(route, call);
            co_return net::problem(403, same.error().what, call.request.id);
        }
    }
    if (!call.who) {
        if (route.needs == Needs::Nothing) co_return std::nullopt;
        co_return net::problem(401, "sign in first", call.request.id);
    }
    const bool needs_token = changes(call.request.method) && route.needs != Needs::Nothing;
    if (needs_token && !equal_secrets(call.request.header("x-csrf-token"), call.who->session.csrf_token)) {
        co_await audit_denial(route, call);
        co_return net::problem(403, "the X-CSRF-Token header is missing or not this session's", call.request.id);
    }
    if (route.needs == Needs::SiteAdmin && !call.who->user.is_site_admin) {
        co_await audit_denial(route, call);
        co_return net::problem(403, "only a site administrator may do this", call.request.id);
    }
    if (route.needs == Needs::Membership) {
        const auto* membership = call.who->membership(call.path["workspace"]);
        if (!membership) {
            co_await audit_denial(route, call);
            co_return fail(Errc::NotFound, "no such workspace");
        }
        call.workspace = membership->workspace;
        call.role = membership->role;
        if (!call.holds(*route.permission)) {
            co_await audit_denial(route, call);
            co_return net::problem(403,
                                   "your role " + std::string(store::name_of(call.role)) + " may not do this; it needs "
                                       + std::string(identity::name_of(*route.permission)),
                                   call.request.id);
        }
    }
    co_return std::nullopt;
}

// A browser tells where a request comes from; a page of another origin must not change anything with our cookie.
Status Door::check_origin(const Call& call) const
{
    const auto origin = call.request.header("origin");
    if (origin.empty()) return {};
    const auto from = net::parse_url(origin);
    const auto host = call.request.header("host");
    const auto ours = net::parse_url(std::string(call.request.secure ? "https://" : "http://") + std::string(host));
    const bool same_scheme = from && (from->tls || !call.request.secure);
    if (same_scheme && ours && from->host == ours->host && from->port == ours->port) return {};
    return fail(Errc::Denied, "requests from another origin are not accepted");
}

Task<void> Door::audit_denial(const Route& route, const Call& call)
{
    std::optional<std::uint64_t> left_out = 0;
    if (!call.who) left_out = services_.stranger_budget.admit(services_.clock.instant());
    if (!left_out) co_return;
    auto entry = audit_entry(services_, call, "access.denied", "route",
                             std::string(net::name_of(route.method)) + " " + call.request.path, "");
    entry.outcome = store::AuditOutcome::Denied;
    entry.detail = left_out_detail(*left_out);
    auto written = co_await services_.metadata.write([&](store::MetadataTx& tx) { return tx.audit().add(entry); });
    if (!written) services_.log.error("a denial could not be audited: {}", written.error().what);
}

net::Response Door::to_response(Reply reply, const Call& call) const
{
    if (reply) {
        reply->headers.emplace_back("X-Request-Id", call.request.id);
        if (changes(call.request.method) || reply->content_type == "application/json")
            reply->headers.emplace_back("Cache-Control", "no-store");
        return *std::move(reply);
    }
    auto response = to_problem(reply.error(), call);
    response.headers.emplace_back("X-Request-Id", call.request.id);
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

net::Response Door::to_problem(const Error& error, const Call& call) const
{
    if (error.code == Errc::Corrupt || error.code == Errc::Unavailable)
        services_.log.error("{} {} ({}): {}", net::name_of(call.request.method), call.request.path, call.request.id,
                            error.what);
    // With If-Match a lost race is a failed precondition (RFC 9110 section 13.1.1).
    if (error.code == Errc::Conflict && !call.request.header("if-match").empty())
        return net::problem(412, error.what, call.request.id);
    auto response = net::problem(error, call.request.id);
    if (response.status == 503) response.headers.emplace_back("Retry-After", "5");
    return response;
}

net::Response json_response(std::string json, int status)
{
    return {.status = status, .content_type = "application/json", .body = std::move(json)};
}

net::Response no_content() { return {.status = 204}; }

Result<std::optional<std::int64_t>> query_integer(const Call& call, std::string_view name, std::int64_t min,
                                                  std::int64_t max)
{
    const auto found = call.request.query.find(name);
    if (found == call.request.query.end()) return std::nullopt;
    const auto& text = found->second;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max)
        return fail_field(std::string(name),
                          "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return value;
}

Result<bool> query_flag(const Call& call, std::string_view name)
{
    const auto found = call.request.query.find(name);
    if (found == call.request.query.end() || found->second == "false") return false;
    if (found->second != "true") return fail_field(std::string(name), "must be true or false");
    return true;
}

Result<store::Page> page_of(const Call& call, std::uint32_t limit_default, std::uint32_t limit_max)
{
    NW_TRY(const auto limit, query_integer(call, "limit", 1, limit_max));
    store::Page page{.limit = std::uint32_t(limit.value_or(limit_default))};
    if (const auto found = call.request.query.find("cursor"); found != call.request.query.end()) page.cursor = found->second;
    if (page.cursor.size() > 256) return fail_field("cursor", "is not one that was given out");
    return page;
}

std::string etag_of(std::int64_t revision) { return "\"" + std::to_string(revision) + "\""; }

Result<std::int64_t> revision_to_change(const Call& call, std::int64_t current)
{
    const auto wanted = call.request.header("if-match");
    if (wanted.empty() || wanted == "*") return current;
    if (trimmed(wanted) != etag_of(current)) return fail(Errc::Conflict, "it was changed meanwhile; read it again");
    return current;
}

std::string left_out_detail(std::uint64_t count)
{
    return count == 0 ? "{}" : "{\"left_out_before\":" + std::to_string(count) + "}";
}

store::AuditEntry audit_entry(const Services& services, const Call& call, std::string_view action,
                              std::string_view subject_type, std::string_view subject, std::string_view subject_name,
                              std::string detail)
{
    const bool in_workspace = call.workspace.id != WorkspaceId{};
    return {.workspace = in_workspace ? std::optional(call.workspace.id) : std::nullopt,
            .at_us = to_us(services.clock.wall()),
            .actor = call.who ? to_text(call.who->user.id) : "anonymous",
            .actor_name = call.who ? call.who->user.name : "",
            .action = std::string(action),
            .subject_type = std::string(subject_type),
            .subject = std::string(subject),
            .subject_name = std::string(subject_name),
            .detail = std::move(detail),
            .address = call.request.remote,
            .request = call.request.id};
}

}  // namespace nw::api
