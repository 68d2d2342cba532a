#include "wire/messages.hpp"

#include "base/varint.hpp"
#include "wire/health_pb.hpp"
#include "wire/interfaces_pb.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>

namespace nw::wire {
namespace {

constexpr int kListMax = 64;
constexpr std::size_t kShortTextMax = 256;

auto corrupt(std::string_view what) { return fail(Errc::Corrupt, "message: " + std::string(what)); }

bool short_texts(std::initializer_list<const std::string*> texts)
{
    return std::ranges::all_of(texts,
                               [](const auto* text) { return text->size() <= kShortTextMax && is_clean_text(*text); });
}

void put(const Hello& hello, pb::AgentMessage& out)
{
    auto& to = *out.mutable_hello();
    to.set_protocol(hello.protocol);
    for (const auto& capability : hello.capabilities) to.add_capabilities(capability);
    to.set_version(hello.version);
    to.set_stream(std::uint64_t(hello.stream));
    to.set_first_unacked_seq(hello.first_unacked_seq);
    to.set_state_number(hello.state_number);
    to.set_hostname(hello.hostname);
    to.set_os(hello.os);
    to.set_arch(hello.arch);
    for (const auto kind : hello.kinds) to.add_kinds(kind);
    to.set_boot(hello.boot);
    to.set_gateway(hello.gateway);
    to.set_resolver(hello.resolver);
}

// AgentMessage.batch on the wire: field 2, length-delimited. Batches are most of what is sent; they are wrapped and
// unwrapped without being looked at, so that what was measured is encoded once and stored as received.
constexpr char kBatchTag = 2 << 3 | 2;

std::string wrapped(const RawBatch& batch)
{
    std::string message(1, kBatchTag);
    message.reserve(batch.bytes.size() + 6);
    put_varint(message, batch.bytes.size());
    return message += batch.bytes;
}

// Of a message that is one batch and nothing else, as all our agents send them.
std::optional<RawBatch> unwrapped(std::string_view message)
{
    if (!message.starts_with(kBatchTag)) return std::nullopt;
    message.remove_prefix(1);
    const auto size = take_varint(message);
    if (!size || *size != message.size()) return std::nullopt;
    return RawBatch{std::string(message)};
}

void put(const Lost& lost, pb::AgentMessage& out)
{
    auto& to = *out.mutable_lost();
    to.set_stream(std::uint64_t(lost.stream));
    to.set_first_seq(lost.first_seq);
    to.set_last_seq(lost.last_seq);
    to.set_reason(lost.reason);
    to.set_from_us(lost.from_us);
    to.set_until_us(lost.until_us);
}

void put(const StateApplied& applied, pb::AgentMessage& out)
{
    auto& to = *out.mutable_state_applied();
    to.set_number(applied.number);
    to.set_need_full(applied.need_full);
    for (const auto& problem : applied.problems) {
        auto& entry = *to.add_problems();
        entry.set_probe(std::uint64_t(problem.probe));
        entry.set_what(problem.what);
    }
}

void put(const AgentHealth& health, pb::AgentMessage& out) { to_pb(health, *out.mutable_health()); }
void put(const ClockRequest& request, pb::AgentMessage& out) { out.mutable_clock_request()->set_agent_us(request.agent_us); }

void put(const Interfaces& interfaces, pb::AgentMessage& out) { to_pb(interfaces, *out.mutable_interfaces()); }

void put(const ActionReport& report, pb::AgentMessage& out)
{
    auto& to = *out.mutable_action_report();
    to.set_id(std::uint64_t(report.id));
    to.set_state(std::uint32_t(report.state));
    to.set_steps_done(report.steps_done);
    to.set_steps(report.steps);
    to.set_reason(report.reason);
    if (!report.result.empty()) (void)to.mutable_result()->ParseFromString(report.result);  // our own encoding
}

void put_settings(const Settings& settings, google::protobuf::Map<std::string, pb::SettingValue>& to)
{
    for (const auto& [name, value] : settings) {
        auto& setting = to[name];
        if (const auto* number = std::get_if<std::int64_t>(&value)) setting.set_number(*number);
        else setting.set_text(std::get<std::string>(value));
    }
}

void put_state(const State& state, pb::State& to)
{
    to.set_number(state.number);
    to.set_base(state.base);
    for (const auto& probe : state.upsert) {
        auto& entry = *to.add_upsert();
        entry.set_id(std::uint64_t(probe.id));
        entry.set_revision(probe.revision);
        entry.set_kind(probe.kind->number);
        put_settings(probe.settings, *entry.mutable_settings());
    }
    for (const auto probe : state.remove) to.add_remove(std::uint64_t(probe));
}

void put(const Welcome& welcome, pb::ControllerMessage& out)
{
    auto& to = *out.mutable_welcome();
    to.set_protocol(welcome.protocol);
    for (const auto& capability : welcome.capabilities) to.add_capabilities(capability);
    to.set_acked_seq(welcome.acked_seq);
    to.set_now_us(welcome.now_us);
    to.set_interfaces(welcome.interfaces);
}

void put(const Ack& ack, pb::ControllerMessage& out)
{
    out.mutable_ack()->set_stream(std::uint64_t(ack.stream));
    out.mutable_ack()->set_acked_seq(ack.acked_seq);
    out.mutable_ack()->set_interfaces(ack.interfaces);
}

void put(const State& state, pb::ControllerMessage& out) { put_state(state, *out.mutable_state()); }

void put(const Action& action, pb::ControllerMessage& out)
{
    auto& to = *out.mutable_action();
    to.set_id(std::uint64_t(action.id));
    to.set_expires_in_ms(action.expires_in_ms);
    to.set_cancel(action.cancel);
    if (action.kind) to.set_kind(action.kind->number);
    put_settings(action.settings, *to.mutable_settings());
}

void put(const ClockReply& reply, pb::ControllerMessage& out)
{
    out.mutable_clock_reply()->set_agent_us(reply.agent_us);
    out.mutable_clock_reply()->set_controller_us(reply.controller_us);
}

void put(const Refused& refused, pb::ControllerMessage& out)
{
    out.mutable_refused()->set_reason(pb::Refused::Reason(refused.reason));
    out.mutable_refused()->set_what(refused.what);
}

Result<AgentMessage> take(const pb::Hello& in)
{
    if (in.capabilities_size() > kListMax || in.kinds_size() > kListMax) return corrupt("hello lists too much");
    if (!short_texts({&in.version(), &in.hostname(), &in.os(), &in.arch(), &in.gateway(), &in.resolver()}))
        return corrupt("hello with unclean text");
    Hello hello{.protocol = in.protocol(),
                .version = in.version(),
                .stream = StreamId(in.stream()),
                .first_unacked_seq = in.first_unacked_seq(),
                .state_number = in.state_number(),
                .hostname = in.hostname(),
                .os = in.os(),
                .arch = in.arch(),
                .boot = in.boot(),
                .gateway = in.gateway(),
                .resolver = in.resolver()};
    for (const auto& capability : in.capabilities()) {
        if (!short_texts({&capability})) return corrupt("hello with unclean text");
        hello.capabilities.push_back(capability);
    }
    hello.kinds.assign(in.kinds().begin(), in.kinds().end());
    return hello;
}

Result<AgentMessage> take(const pb::Lost& in)
{
    if (in.first_seq() == 0 || in.last_seq() < in.first_seq() || in.last_seq() > UINT64_MAX / 2)
        return corrupt("lost range is not a range");
    if (!short_texts({&in.reason()})) return corrupt("lost with unclean text");
    return Lost{.stream = StreamId(in.stream()),
                .first_seq = in.first_seq(),
                .last_seq = in.last_seq(),
                .reason = in.reason(),
                .from_us = in.from_us(),
                .until_us = in.until_us()};
}

Result<AgentMessage> take(const pb::StateApplied& in)
{
    if (std::size_t(in.problems_size()) > kProbesPerAgentMax) return corrupt("too many problems");
    StateApplied applied{.number = in.number(), .need_full = in.need_full()};
    for (const auto& problem : in.problems()) {
        if (!short_texts({&problem.what()})) return corrupt("problem with unclean text");
        applied.problems.push_back({ProbeId(problem.probe()), problem.what()});
    }
    return applied;
}

// Settings that a newer controller knows and we do not are skipped.
Settings take_settings(const Kind& kind, const google::protobuf::Map<std::string, pb::SettingValue>& in)
{
    Settings given;
    for (const auto& [name, value] : in) {
        if (!kind.setting(name)) continue;
        if (value.has_number()) given.emplace(name, value.number());
        else given.emplace(name, value.text());
    }
    return given;
}

Result<AgentMessage> take(const pb::ActionReport& in)
{
    if (in.state() >= kActionStateNames.size() || in.state() == std::uint32_t(ActionState::Waiting))
        return corrupt("an action in no state");
    if (in.steps_done() > in.steps() || !is_clean_text(in.reason()) || in.reason().size() > kReasonBytesMax)
        return corrupt("a report that cannot be");
    ActionReport report{.id = ActionId(in.id()),
                        .state = ActionState(in.state()),
                        .steps_done = in.steps_done(),
                        .steps = in.steps(),
                        .reason = in.reason()};
    if (in.has_result()) report.result = in.result().SerializeAsString();
    return report;
}

Action take_action(const pb::Action& in, const Kinds& kinds)
{
    Action action{.id = ActionId(in.id()), .expires_in_ms = in.expires_in_ms(), .cancel = in.cancel()};
    if (action.cancel) return action;
    const auto* kind = kinds.by_number(in.kind());
    if (!kind) {
        action.problem = "unknown probe kind " + std::to_string(in.kind());
        return action;
    }
    auto settings = validated(*kind, take_settings(*kind, in.settings()));
    if (!settings) {
        action.problem = settings.error().what;
        return action;
    }
    action.kind = kind;
    action.settings = *std::move(settings);
    return action;
}

Result<State> take_state(const pb::State& in, const Kinds& kinds)
{
    if (std::size_t(in.upsert_size()) > kProbesPerAgentMax || std::size_t(in.remove_size()) > kProbesPerAgentMax)
        return corrupt("more probes than an agent can have");
    State state{.number = in.number(), .base = in.base()};
    for (const auto& entry : in.upsert()) {
        const auto id = ProbeId(entry.id());
        const auto* kind = kinds.by_number(entry.kind());
        if (!kind) {
            state.invalid.push_back({id, "unknown probe kind " + std::to_string(entry.kind())});
            continue;
        }
        auto settings = validated(*kind, take_settings(*kind, entry.settings()));
        if (!settings) {
            state.invalid.push_back({id, settings.error().what});
            continue;
        }
        state.upsert.push_back({.id = id, .revision = entry.revision(), .kind = kind, .settings = *std::move(settings)});
    }
    for (const auto probe : in.remove()) state.remove.push_back(ProbeId(probe));
    return state;
}

Result<ControllerMessage> take(const pb::Welcome& in)
{
    if (in.capabilities_size() > kListMax) return corrupt("welcome lists too much");
    Welcome welcome{
        .protocol = in.protocol(), .acked_seq = in.acked_seq(), .now_us = in.now_us(), .interfaces = in.interfaces()};
    welcome.capabilities.assign(in.capabilities().begin(), in.capabilities().end());
    return welcome;
}

Result<ControllerMessage> take(const pb::Refused& in)
{
    if (!short_texts({&in.what()})) return corrupt("refusal with unclean text");
    const auto known = in.reason() > 0 && in.reason() <= int(RefusedReason::Overloaded);
    return Refused{.reason = known ? RefusedReason(in.reason()) : RefusedReason::Unknown, .what = in.what()};
}

template <class Message, class Body>
std::string encode_one(const Body& body)
{
    if constexpr (std::is_same_v<Body, RawBatch>) return wrapped(body);
    else {
        Message out;
        put(body, out);
        return out.SerializeAsString();
    }
}

template <class Message>
std::string encode_any(const auto& message)
{
    return std::visit([](const auto& body) { return encode_one<Message>(body); }, message);
}

}  // namespace

std::string encode(const AgentMessage& message) { return encode_any<pb::AgentMessage>(message); }
std::string encode(const ControllerMessage& message) { return encode_any<pb::ControllerMessage>(message); }

Result<AgentMessage> decode_agent_message(std::string_view bytes)
{
    if (bytes.size() > kMessageBytesMax) return corrupt("larger than 4 MiB");
    if (auto batch = unwrapped(bytes)) return *std::move(batch);
    pb::AgentMessage in;
    if (!in.ParseFromArray(bytes.data(), int(bytes.size()))) return corrupt("not a protobuf message");
    switch (in.body_case()) {
    case pb::AgentMessage::kHello: return take(in.hello());
    case pb::AgentMessage::kBatch: return RawBatch{in.batch().SerializeAsString()};
    case pb::AgentMessage::kLost: return take(in.lost());
    case pb::AgentMessage::kStateApplied: return take(in.state_applied());
    case pb::AgentMessage::kHealth: return from_pb(in.health());
    case pb::AgentMessage::kActionReport: return take(in.action_report());
    case pb::AgentMessage::kClockRequest: return ClockRequest{in.clock_request().agent_us()};
    case pb::AgentMessage::kInterfaces: {
        NW_TRY(auto interfaces, from_pb(in.interfaces()));
        return interfaces;
    }
    case pb::AgentMessage::BODY_NOT_SET: break;
    }
    return corrupt("of an unknown type");
}

Result<ControllerMessage> decode_controller_message(std::string_view bytes, const Kinds& kinds)
{
    if (bytes.size() > kMessageBytesMax) return corrupt("larger than 4 MiB");
    pb::ControllerMessage in;
    if (!in.ParseFromArray(bytes.data(), int(bytes.size()))) return corrupt("not a protobuf message");
    switch (in.body_case()) {
    case pb::ControllerMessage::kWelcome: return take(in.welcome());
    case pb::ControllerMessage::kAck: return Ack{StreamId(in.ack().stream()), in.ack().acked_seq(), in.ack().interfaces()};
    case pb::ControllerMessage::kState: {
        NW_TRY(auto state, take_state(in.state(), kinds));
        return state;
    }
    case pb::ControllerMessage::kClockReply:
        return ClockReply{in.clock_reply().agent_us(), in.clock_reply().controller_us()};
    case pb::ControllerMessage::kRefused: return take(in.refused());
    case pb::ControllerMessage::kAction: return take_action(in.action(), kinds);
    case pb::ControllerMessage::BODY_NOT_SET: break;
    }
    return corrupt("of an unknown type");
}

std::string encode_state(const State& state)
{
    pb::State out;
    put_state(state, out);
    return out.SerializeAsString();
}

Result<State> decode_state(std::string_view bytes, const Kinds& kinds)
{
    pb::State in;
    if (bytes.size() > kMessageBytesMax || !in.ParseFromArray(bytes.data(), int(bytes.size())))
        return fail(Errc::Corrupt, "state: not a protobuf message");
    return take_state(in, kinds);
}

}  // namespace nw::wire
