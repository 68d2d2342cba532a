// The agent's side of the conversation with the controller: keeps a session up, sends the spool's blocks in order
// with several under way, and takes acknowledgements, states and refusals.
//
// 1. Only what the controller acknowledged is released from the spool; after a reconnect everything else is sent
//    again, and the controller drops what it has.
// 2. Attempts back off with jitter, 0-30 s. An agent that is refused (deleted, unknown, too old) tries again every
//    few minutes, for as long as it runs: a refusal may be a mistake that somebody corrects.
// 3. Being deleted stops measuring at once. Credentials that are not accepted when connecting stop it after
//    denied_stops_after: a controller that was restored, or a proxy in between, must not end measurements at once.
//
// Belongs to the main loop.
#pragma once

#include "agent/clock_estimate.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/run_on.hpp"
#include "base/task_group.hpp"
#include "net/channel.hpp"
#include "spool/spool.hpp"
#include "wire/messages.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace nw::agent {

// How patient the uplink is. Tests are less so.
struct UplinkPatience {
    Nanos backoff_first = Millis(500);
    Nanos backoff_max = Seconds(30);
    Nanos refused_min = Seconds(120);
    Nanos refused_max = Seconds(300);
    Nanos denied_stops_after = Seconds(600);
    Nanos hello_max = Seconds(15);
    Nanos silence_max = Seconds(45);
    Nanos ack_max = Seconds(60);
    Nanos doubt_max = Seconds(3);
};

enum class LinkState : std::uint8_t { Connecting, Connected, Waiting, Refused, Stopped };
std::string_view name_of(LinkState state);

struct LinkStatus {
    LinkState state = LinkState::Connecting;
    WallTime since{};
    std::string what{};  // the last error or refusal
    Nanos retry_in{};    // in state Waiting or Refused, from `since` on
    std::uint64_t sessions = 0;
    std::uint64_t batches_sent = 0;
    std::uint64_t acked_seq = 0;
    std::optional<ClockEstimate::Estimate> clock{};
};

// What the uplink needs of the rest of the agent.
class UplinkEvents {
public:
    virtual ~UplinkEvents() = default;
    // Opens a channel; an error of code Denied means that the credential was refused.
    virtual Task<Result<std::unique_ptr<net::MessageChannel>>> connect() = 0;
    // The greeting, but for the spool's fields.
    virtual wire::Hello hello() = 0;
    virtual AgentHealth health() = 0;
    virtual Task<wire::StateApplied> on_state(wire::State state) = 0;
    virtual void on_action(wire::Action action) = 0;
    // The controller wants nothing from this agent any more; accepted() ends that.
    virtual Task<void> on_revoked(std::string why) = 0;
    virtual Task<void> on_accepted() = 0;
    // The oldest report of the host's network with a number above `number`; null: none.
    virtual const wire::Interfaces* interfaces_after(std::uint64_t number) = 0;
    // The controller has everything of this process up to this number.
    virtual void interfaces_kept(std::uint64_t number) = 0;
};

class Uplink {
public:
    Uplink(Loop& loop, Pool& disk, spool::Spool& spool, const Kinds& kinds, const Clock& clock, Random& random,
           UplinkEvents& events, Log log, UplinkPatience patience = {});
    ~Uplink();

    // Until stop(); cancellation alone may come while a session is being taken down, which it must not interrupt.
    Task<void> run();
    void stop();
    // The spool has something new.
    void wake();
    // Sent when there is a session, lost otherwise: for what is asked for again.
    void tell(const wire::AgentMessage& message);
    // The host's way to the controller may have changed: when it does not answer soon now, the session is taken for dead,
    // long before silence alone would say so.
    void doubt();
    const LinkStatus& status() const { return status_; }

private:
    struct Session;
    enum class End : std::uint8_t { Lost, Resume, Revoked, Refused, Overloaded, Cancelled };

    Task<End> attempt();
    Task<Status> greet(Session& session);
    Task<End> converse(Session& session);
    Task<void> send_loop(Session& session);
    Task<Status> send_more(Session& session);
    Task<Status> send_interfaces(Session& session);
    Task<void> clock_loop(Session& session);
    Task<void> watch(Session& session);
    Task<Status> handle(Session& session, std::string bytes);
    End handle_refusal(const wire::Refused& refused);
    Task<void> pause(End end);
    void set_state(LinkState state, std::string what);
    std::string with_envelope(const spool::Block& block);

    Loop& loop_;
    Pool& disk_;
    spool::Spool& spool_;
    const Kinds& kinds_;
    const Clock& clock_;
    Random& random_;
    UplinkEvents& events_;
    Log log_;
    UplinkPatience patience_;
    LinkStatus status_{};
    ClockEstimate estimate_{};
    Session* session_ = nullptr;
    Timer pause_;
    unsigned failures_ = 0;
    std::optional<Instant> denied_since_{};
    bool revoked_ = false;
    bool stopping_ = false;
    std::uint64_t stream_ = 0;
    std::uint64_t sent_seq_ = 0;  // the highest number sent since the program started
};

}  // namespace nw::agent
