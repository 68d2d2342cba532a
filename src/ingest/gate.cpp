#include "ingest/gate.hpp"

#include "base/json_writer.hpp"
#include "wire/messages.hpp"

namespace nw::ingest {
namespace {

struct Credential {
    AgentId agent{};
    std::string secret{};
};

std::optional<Credential> credential_of(const net::Request& request)
{
    constexpr std::string_view scheme = "Bearer ";
    auto header = request.header("authorization");
    if (!header.starts_with(scheme)) return std::nullopt;
    header.remove_prefix(scheme.size());
    const auto dot = header.find('.');
    const auto agent = parse_id<AgentId>(header.substr(0, dot));
    if (!agent || dot == std::string_view::npos) return std::nullopt;
    return Credential{*agent, std::string(header.substr(dot + 1))};
}

Task<void> serve(Sessions& sessions, Caller caller, std::unique_ptr<net::MessageChannel> channel)
{
    co_await sessions.serve(std::move(caller), *channel);
}

}  // namespace

net::Response connect_agent(const net::Request& request, const Registry& registry, Sessions& sessions)
{
    const auto credential = credential_of(request);
    const auto standing = credential ? registry.standing(credential->agent, credential->secret) : Standing::Unknown;
    if (standing == Standing::Unknown)
        return net::problem(401, "the agent's credential is not known here; enrol it again", request.id);
    if (!request.wants_websocket) return net::problem(400, "this path is a WebSocket", request.id);
    net::Response response{.status = 101, .message_bytes_max = wire::kMessageBytesMax, .binary_messages = true};
    Caller caller{.agent = credential->agent, .remote = request.remote, .revoked = standing == Standing::Revoked};
    response.websocket = [&sessions, caller = std::move(caller)](std::unique_ptr<net::MessageChannel> channel) {
        return serve(sessions, caller, std::move(channel));
    };
    return response;
}

net::Response tell_address(const net::Request& request, const Registry& registry)
{
    const auto credential = credential_of(request);
    if (!credential || registry.standing(credential->agent, credential->secret) != Standing::Valid)
        return net::problem(401, "the agent's credential does not count here", request.id);
    if (request.method != net::Method::Get) return net::problem(405, "this path is only read", request.id);
    JsonWriter json;
    json.object().field("address", request.remote).end_object();
    return {.status = 200,
            .content_type = "application/json",
            .headers = {{"Cache-Control", "no-store"}},
            .body = std::move(json).str()};
}

}  // namespace nw::ingest
