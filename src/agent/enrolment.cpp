#include "agent/enrolment.hpp"

#include "agent/desired_state.hpp"
#include "agent/self_health.hpp"
#include "base/digest.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "net/http_client.hpp"
#include "net/json.hpp"
#include "net/url.hpp"

namespace nw::agent {
namespace {

constexpr std::size_t kIdentityBytesMax = 64 << 10;

std::string text_at(const net::Json& json, std::string_view name)
{
    const auto* text = json.at(name).text();
    return text ? *text : std::string();
}

// The answer's own words where it has any (RFC 9457).
Error refusal(const net::ClientResponse& response)
{
    const auto body = net::parse_json(response.body);
    auto detail = body ? text_at(*body, "detail") : std::string();
    if (detail.empty() && body) detail = text_at(*body, "title");
    if (detail.empty()) detail = "HTTP status " + std::to_string(response.status);
    const auto code = response.status == 401 || response.status == 403   ? Errc::Denied
                      : response.status >= 500 || response.status == 429 ? Errc::Unavailable
                                                                         : Errc::Invalid;
    return {code, "the controller refused: " + detail, {}};
}

std::string request_body(const Identity& identity, const EnrolRequest& request)
{
    const auto facts = read_system_facts();
    JsonWriter json;
    json.object()
        .field("token", request.token)
        .field("credential_sha256", to_hex(bytes_of(sha256(identity.secret))))
        .field("instance", identity.instance)
        .field("hostname", facts.hostname)
        .field("os", facts.os)
        .field("arch", facts.arch)
        .field("version", request.version)
        .end_object();
    return std::move(json).str();
}

}  // namespace

Result<Identity> load_identity(const std::filesystem::path& file)
{
    NW_TRY(const auto bytes, read_whole_file(file, kIdentityBytesMax));
    auto json = net::parse_json(bytes);
    if (!json) return std::unexpected(std::move(json).error().while_doing("read " + file.string()));
    Identity identity{.controller = text_at(*json, "controller"),
                      .agent_id = text_at(*json, "agent_id"),
                      .name = text_at(*json, "name"),
                      .secret = text_at(*json, "secret"),
                      .instance = text_at(*json, "instance"),
                      .ca_file = text_at(*json, "ca_file")};
    const auto* insecure = json->at("insecure").boolean();
    identity.insecure = insecure && *insecure;
    if (identity.controller.empty() || identity.secret.empty() || identity.instance.empty())
        return fail(Errc::Corrupt, file.string() + ": not an identity");
    return identity;
}

Status save_identity(const Identity& identity, const std::filesystem::path& file)
{
    JsonWriter json;
    json.object()
        .field("controller", identity.controller)
        .field("agent_id", identity.agent_id)
        .field("name", identity.name)
        .field("secret", identity.secret)
        .field("instance", identity.instance)
        .field("ca_file", identity.ca_file)
        .field("insecure", identity.insecure)
        .end_object();
    return write_file_atomically(file, json.str() + "\n");
}

Status check_controller(const std::string& url, bool insecure)
{
    NW_TRY(const auto parsed, net::parse_url(url));
    if (parsed.target != "/") return fail(Errc::Invalid, "the controller's URL has a path: " + url);
    const bool local = parsed.host == "localhost" || parsed.host == "::1" || parsed.host.starts_with("127.");
    if (parsed.tls || local || insecure) return {};
    return fail(Errc::Invalid,
                "plain http to another host would show the credential to everybody on the way: use https, or --insecure");
}

Task<Result<Identity>> enrol(Pool& pool, Random& random, EnrolRequest request, std::filesystem::path file)
{
    while (request.controller.ends_with('/')) request.controller.pop_back();
    NW_CO_CHECK(check_controller(request.controller, request.insecure));
    auto had = load_identity(file);
    if (!had && had.error().code != Errc::NotFound) co_return std::unexpected(std::move(had).error());
    if (had && had->enrolled() && !request.again)
        co_return fail(Errc::Conflict,
                       "already enrolled with " + had->controller + " as " + had->agent_id + "; --again replaces it");
    const bool repeat = had && !had->enrolled() && had->controller == request.controller;
    Identity identity{.controller = request.controller,
                      .secret = repeat ? had->secret : random.hex(32),
                      .instance = had ? had->instance : random.hex(16),
                      .ca_file = request.ca_file,
                      .insecure = request.insecure};
    // Until the answer is there an enrolled identity stays as it is; a fresh one is kept for the repetition.
    if (!had || !had->enrolled()) NW_CO_CHECK(save_identity(identity, file));
    NW_CO_TRY(auto tls, net::make_tls_client({.ca_file = request.ca_file, .verify = !request.insecure}));
    NW_CO_TRY(const auto response, co_await net::fetch(pool, {.method = net::Method::Post,
                                                              .url = request.controller + "/agent/v1/enroll",
                                                              .tls = std::move(tls),
                                                              .headers = {{"Content-Type", "application/json"}},
                                                              .body = request_body(identity, request)}));
    if (response.status != 200) co_return std::unexpected(refusal(response));
    NW_CO_TRY(const auto answer, net::parse_json(response.body));
    identity.agent_id = text_at(answer, "agent_id");
    identity.name = text_at(answer, "name");
    if (identity.agent_id.empty()) co_return fail(Errc::Corrupt, "the controller's answer names no agent");
    NW_CO_CHECK(save_identity(identity, file));
    co_return identity;
}

}  // namespace nw::agent
