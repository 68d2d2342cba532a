#include "api/live.hpp"

#include "api/fields.hpp"
#include "api/handlers.hpp"

#include "base/json_writer.hpp"
#include "live/hub.hpp"

namespace nw::api {
namespace {

constexpr std::size_t kMessageBytesMax = 4096;
constexpr std::size_t kSubscriptionsMax = 64;

struct Connection {
    Services& services;
    identity::PrincipalPtr who{};
    std::string request_id{};
    std::unique_ptr<net::MessageChannel> channel{};
    std::map<std::int64_t, live::SubscriptionId> subscriptions{};  // by the client's number

    ~Connection()
    {
        for (const auto& [number, id] : subscriptions) services.hub.unsubscribe(id);
        services.live_connections.remove(*channel);
    }
};

void post_error(Connection& connection, std::optional<std::int64_t> number, const Error& error)
{
    JsonWriter json;
    json.object().field("type", "error");
    if (number) json.field("id", *number);
    json.key("problem").raw(net::problem(error, connection.request_id).body).end_object();
    connection.channel->post(std::move(json).str());
}

void post_events(net::MessageChannel& channel, std::int64_t number, const std::string& cursor,
                 const std::vector<std::string>& events)
{
    if (events.empty()) return;
    JsonWriter json;
    json.object().field("type", "event").field("id", number).field("cursor", cursor).key("events").array();
    for (const auto& event : events) json.raw(event);
    json.end_array().end_object();
    channel.post(std::move(json).str());
}

void post_position(net::MessageChannel& channel, std::string_view type, std::int64_t number, const std::string& cursor)
{
    JsonWriter json;
    json.object().field("type", type).field("id", number).field("cursor", cursor).end_object();
    channel.post(std::move(json).str());
}

struct Wish {
    std::int64_t number = 0;
    live::Topic topic{};
    std::optional<std::string> after{};
};

// What is asked for, when this user may have it.
Result<Wish> read_wish(const Connection& connection, Fields& fields)
{
    Wish wish;
    wish.number = fields.integer("id", 1, INT32_MAX);
    const auto workspace = fields.text("workspace", 1, 64);
    const auto topic = fields.word("topic", {"agents", "probes", "probe", "topology", "trace"});
    const auto probe = fields.maybe_text("probe", 0, 64);
    const auto trace = fields.maybe_text("trace", 0, 64);
    wish.after = fields.maybe_text("after", 1, 256);
    NW_CHECK(fields.done());
    const auto* membership = connection.who->membership(workspace);
    if (!membership) return fail(Errc::NotFound, "no such workspace");
    const auto needed = topic == "agents" ? identity::Permission::AgentsRead : identity::Permission::ProbesRead;
    if (!identity::may(membership->role, needed)) return fail(Errc::Denied, "your role may not see this");
    wish.topic.workspace = membership->workspace.id;
    wish.topic.kind = topic == "agents"     ? live::TopicKind::Agents
                      : topic == "probes"   ? live::TopicKind::Probes
                      : topic == "topology" ? live::TopicKind::Topology
                      : topic == "trace"    ? live::TopicKind::Trace
                                            : live::TopicKind::Probe;
    if (topic == "probe") {
        const auto id = probe ? parse_id<ProbeId>(*probe) : std::nullopt;
        if (!id) return fail_field("probe", "is required for this topic");
        wish.topic.probe = *id;
    }
    if (topic == "trace") {
        const auto id = trace ? parse_id<ActionId>(*trace) : std::nullopt;
        if (!id) return fail_field("trace", "is required for this topic");
        wish.topic.action = *id;
    }
    return wish;
}

Task<Status> audit_denial(Connection& connection, const Error& error)
{
    auto& services = connection.services;
    const auto& user = connection.who->user;
    store::AuditEntry entry{.at_us = to_us(services.clock.wall()),
                            .actor = to_text(user.id),
                            .actor_name = user.name,
                            .action = "access.denied",
                            .subject_type = "live",
                            .subject_name = error.what,
                            .outcome = store::AuditOutcome::Denied,
                            .request = connection.request_id};
    co_return co_await services.metadata.write([&](store::MetadataTx& tx) { return tx.audit().add(entry); });
}

Task<Status> subscribe(Connection& connection, Fields& fields)
{
    NW_CO_TRY(const auto wish, read_wish(connection, fields));
    auto& services = connection.services;
    if (wish.topic.kind == live::TopicKind::Probe)
        NW_CO_CHECK(co_await services.metadata.read(
            [&](store::MetadataTx& tx) { return tx.probes(wish.topic.workspace).get(wish.topic.probe); }));
    if (wish.topic.kind == live::TopicKind::Trace)
        NW_CO_CHECK(co_await services.metadata.read(
            [&](store::MetadataTx& tx) { return tx.actions(wish.topic.workspace).get(wish.topic.action); }));
    if (connection.subscriptions.contains(wish.number)) co_return fail_field("id", "is in use on this connection");
    if (connection.subscriptions.size() >= kSubscriptionsMax)
        co_return fail(Errc::Invalid, "at most 64 subscriptions on one connection");
    auto& channel = *connection.channel;
    const auto after = wish.after ? std::optional<std::string_view>(*wish.after) : std::nullopt;
    const auto made =
        services.hub.subscribe(wish.topic, after, [&channel, number = wish.number](const auto& cursor, const auto& events) {
            post_events(channel, number, cursor, events);
        });
    connection.subscriptions.emplace(wish.number, made.id);
    post_position(channel, made.reset ? "reset" : "subscribed", wish.number, made.cursor);
    post_events(channel, wish.number, made.cursor, made.missed);
    co_return Status{};
}

Status unsubscribe(Connection& connection, Fields& fields)
{
    const auto number = fields.integer("id", 1, INT32_MAX);
    NW_CHECK(fields.done());
    const auto found = connection.subscriptions.find(number);
    if (found == connection.subscriptions.end()) return fail_field("id", "is no subscription of this connection");
    connection.services.hub.unsubscribe(found->second);
    connection.subscriptions.erase(found);
    return {};
}

Task<void> handle(Connection& connection, const std::string& message)
{
    const auto json = net::parse_json(message);
    if (!json) {
        post_error(connection, std::nullopt, json.error());
        co_return;
    }
    Fields fields(*json);
    const auto* number = json->at("id").integer();
    const auto type = fields.word("type", {"subscribe", "unsubscribe"});
    Status done;
    if (type == "subscribe") done = co_await subscribe(connection, fields);
    else if (type == "unsubscribe") done = unsubscribe(connection, fields);
    else done = fields.done();
    if (done) co_return;
    post_error(connection, number ? std::optional(*number) : std::nullopt, done.error());
    if (done.error().code != Errc::NotFound && done.error().code != Errc::Denied) co_return;
    auto audited = co_await audit_denial(connection, done.error());
    if (!audited) connection.services.log.error("a denial could not be audited: {}", audited.error().what);
}

Task<void> serve(Services& services, identity::PrincipalPtr who, std::string request_id,
                 std::unique_ptr<net::MessageChannel> channel)
{
    Connection connection{
        .services = services, .who = std::move(who), .request_id = std::move(request_id), .channel = std::move(channel)};
    services.live_connections.add(*connection.channel, *connection.who);
    for (;;) {
        const auto message = co_await connection.channel->receive();
        if (!message) co_return;
        co_await handle(connection, *message);
    }
}

}  // namespace

void LiveConnections::close(const identity::Change& change)
{
    for (const auto& [channel, owner] : channels_) {
        if (!change.touches(owner.user, owner.session)) continue;
        if (change.ends_session()) channel->close("the session has ended", net::CloseCode::SignedOut);
        else channel->close("rights may have changed");
    }
}

void LiveConnections::close_all(const std::string& why)
{
    for (const auto& [channel, owner] : channels_) channel->close(why);
}

Task<Reply> open_live(Services& services, Call& call)
{
    if (!call.request.wants_websocket) co_return net::problem(400, "this path is a WebSocket", call.request.id);
    net::Response response{.status = 101, .message_bytes_max = kMessageBytesMax};
    response.websocket = [&services, who = call.who, id = call.request.id](std::unique_ptr<net::MessageChannel> channel) {
        return serve(services, who, id, std::move(channel));
    };
    co_return response;
}

}  // namespace nw::api
