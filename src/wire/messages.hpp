// The messages of the agent-controller protocol as values, and their codec. docs/protocol.md describes the
// conversation; proto/agent.proto is the layout. Pure: no sockets, no clock.
#pragma once

#include "base/result.hpp"
#include "model/action.hpp"
#include "model/probe_spec.hpp"
#include "wire/batch.hpp"
#include "wire/interfaces.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nw::wire {

inline constexpr std::uint32_t kProtocol = 1;
inline constexpr std::size_t kMessageBytesMax = 4 << 20;
inline constexpr std::size_t kProbesPerAgentMax = 20'000;

struct Hello {
    std::uint32_t protocol = kProtocol;
    std::vector<std::string> capabilities{};
    std::string version{};
    StreamId stream{};
    std::uint64_t first_unacked_seq = 1;
    std::uint64_t state_number = 0;
    std::string hostname{};
    std::string os{};
    std::string arch{};
    std::vector<std::uint32_t> kinds{};
    std::uint64_t boot = 0;
    std::string gateway{};   // where the agent's packets go first; empty when there is no such thing
    std::string resolver{};  // and its name server
    friend bool operator==(const Hello&, const Hello&) = default;
};

// A batch still in its serialised form, so that it can be stored as received; decode_batch reads it.
struct RawBatch {
    std::string bytes{};
    friend bool operator==(const RawBatch&, const RawBatch&) = default;
};

struct Lost {
    StreamId stream{};
    std::uint64_t first_seq = 0;
    std::uint64_t last_seq = 0;
    std::string reason{};
    std::int64_t from_us = 0;
    std::int64_t until_us = 0;
    friend bool operator==(const Lost&, const Lost&) = default;
};

struct ProbeProblem {
    ProbeId probe{};
    std::string what{};
    friend bool operator==(const ProbeProblem&, const ProbeProblem&) = default;
};

struct StateApplied {
    std::uint64_t number = 0;
    bool need_full = false;
    std::vector<ProbeProblem> problems{};
    friend bool operator==(const StateApplied&, const StateApplied&) = default;
};

struct ClockRequest {
    std::int64_t agent_us = 0;
    friend bool operator==(const ClockRequest&, const ClockRequest&) = default;
};

// In Hello::capabilities of an agent that takes actions.
inline constexpr std::string_view kActionsCapability = "actions";

// How far an action has come.
struct ActionReport {
    ActionId id{};
    ActionState state = ActionState::Running;
    std::uint32_t steps_done = 0;
    std::uint32_t steps = 0;
    std::string reason{};  // why it failed, or the result is what it is
    std::string result{};  // encode_rows() of one row: what is known so far; or empty
    friend bool operator==(const ActionReport&, const ActionReport&) = default;
};

using AgentMessage = std::variant<Hello, RawBatch, Lost, StateApplied, AgentHealth, ClockRequest, Interfaces, ActionReport>;

struct Welcome {
    std::uint32_t protocol = kProtocol;
    std::vector<std::string> capabilities{};
    std::uint64_t acked_seq = 0;
    std::int64_t now_us = 0;
    std::uint64_t interfaces = 0;  // the last of this stream's reports that is stored, 0 for none
    friend bool operator==(const Welcome&, const Welcome&) = default;
};

struct Ack {
    StreamId stream{};
    std::uint64_t acked_seq = 0;   // cumulative and durable
    std::uint64_t interfaces = 0;  // the last report of the network that is stored, 0 for none in this session
    friend bool operator==(const Ack&, const Ack&) = default;
};

// A full state (base 0) replaces everything, a diff applies to exactly `base`.
struct State {
    std::uint64_t number = 0;
    std::uint64_t base = 0;
    std::vector<ProbeSpec> upsert{};
    std::vector<ProbeId> remove{};
    std::vector<ProbeProblem> invalid{};  // decoding only: probes whose kind or settings this side refuses
    friend bool operator==(const State&, const State&) = default;
};

// Something to do once. Sent again after each greeting while it is open.
struct Action {
    ActionId id{};
    std::uint32_t expires_in_ms = 0;
    bool cancel = false;         // no longer wanted; kind and settings are absent
    const Kind* kind = nullptr;  // decoding: null when `problem` says what is wrong with it
    Settings settings{};
    std::string problem{};
    friend bool operator==(const Action&, const Action&) = default;
};

struct ClockReply {
    std::int64_t agent_us = 0;
    std::int64_t controller_us = 0;
    friend bool operator==(const ClockReply&, const ClockReply&) = default;
};

enum class RefusedReason : std::uint8_t { Unknown, Revoked, TooOld, Replaced, BadMessage, Overloaded };

struct Refused {
    RefusedReason reason = RefusedReason::Unknown;
    std::string what{};
    friend bool operator==(const Refused&, const Refused&) = default;
};

using ControllerMessage = std::variant<Welcome, Ack, State, ClockReply, Refused, Action>;

std::string encode(const AgentMessage& message);
std::string encode(const ControllerMessage& message);
Result<AgentMessage> decode_agent_message(std::string_view bytes);
// Probes are validated against `kinds`; those refused are listed in State::invalid, the rest is applied.
Result<ControllerMessage> decode_controller_message(std::string_view bytes, const Kinds& kinds);

// A state as a file keeps it (the agent's last desired state).
std::string encode_state(const State& state);
Result<State> decode_state(std::string_view bytes, const Kinds& kinds);

}  // namespace nw::wire
