// The agents' sessions on the controller: hello, batches in and acknowledgements out, desired state down.
// docs/protocol.md describes the conversation. Transport-agnostic: a session speaks through a MessageChannel.
//
// - Acknowledges only what the store made durable, and publishes each new row exactly once.
// - One session per agent: a newer one replaces the older, which is told so; the directory is told of both.
// - A changed state is pushed at once, as a difference from the last state the agent confirmed.
// - Bounded: at most kAppendsInFlight batches per session wait for the store; then reading stops.
//
// Lives on one loop; every member is called there.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "ingest/directory.hpp"
#include "ingest/store_watch.hpp"
#include "net/channel.hpp"
#include "store/telemetry/telemetry.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nw::ingest {

inline constexpr std::size_t kAppendsInFlight = 16;

struct SessionsOptions {
    std::size_t sessions_max = 20'000;
    // A connection that said nothing for so long is closed; agents report their health more often than that.
    Millis silence_max{90'000};
    Millis hello_max{10'000};
};

struct SessionsStats {
    std::uint64_t open = 0;
    std::uint64_t accepted = 0;
    std::uint64_t replaced = 0;
    std::uint64_t batches = 0;
    std::uint64_t rows = 0;          // new
    std::uint64_t rows_foreign = 0;  // of probes that were not the agent's; dropped
    std::uint64_t batches_refused = 0;
    std::uint64_t gaps = 0;
};

// Who opened a connection, as far as its credential tells.
struct Caller {
    AgentId agent{};
    std::string remote{};
    bool revoked = false;  // the credential was the agent's and is no more: told so, whatever the agent is now
};

class Sessions {
public:
    // Everything referred to outlives the sessions. Subscribers are called in the order given.
    Sessions(Executor loop, store::Telemetry& telemetry, AgentDirectory& directory, ActionBoard& actions, const Kinds& kinds,
             const Clock& clock, std::vector<Subscriber*> subscribers, Log log, SessionsOptions options = {});
    ~Sessions();
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;

    // Holds the conversation with an agent whose credential the caller has checked; returns when it has ended. The
    // channel stays with the caller. Ends by the channel, revoke() or close(); cancelling it has no effect, so that
    // nothing stops between the store and the acknowledgement: call close() before closing the caller's task group.
    Task<void> serve(Caller caller, net::MessageChannel& channel);

    // The agent's desired state has a new number.
    void state_changed(AgentId agent);
    // A report of the agent's network is durable.
    void interfaces_stored(AgentId agent, StreamId stream, std::uint64_t number);
    // The agent was deleted or its credential revoked: it is told and disconnected.
    void revoke(AgentId agent);
    // False when the agent is not connected or takes no actions.
    bool send(AgentId agent, const wire::Action& action);
    bool connected(AgentId agent) const;
    SessionsStats stats() const;
    // Set while the store refuses what agents send.
    const std::optional<StoreTrouble>& trouble() const;
    // Ends all sessions, so that agents reconnect elsewhere or later.
    Task<void> close();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nw::ingest
