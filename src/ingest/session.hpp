// One agent's conversation. Private to ingest; Sessions owns the map, a Session the rest.
//
// Three coroutines: read_loop (the caller's), one append at a time per batch in flight, and the watch that ends a
// silent connection. Appends reach the store in the order of the batches, and their answers come back in it.
#pragma once

#include "base/task_group.hpp"
#include "ingest/sessions.hpp"
#include "ingest/store_watch.hpp"

#include <memory>
#include <string>

namespace nw::ingest {

// What all sessions share.
struct Shared {
    Executor loop;
    store::Telemetry& telemetry;
    AgentDirectory& directory;
    ActionBoard& actions;
    const Kinds& kinds;
    const Clock& clock;
    std::vector<Subscriber*> subscribers{};
    Log log{};
    SessionsOptions options{};
    SessionsStats stats{};
    StoreWatch store{clock, log};
};

class Session {
public:
    Session(Shared& shared, AgentId agent, std::string remote, net::MessageChannel& channel);

    // Waits for the agent's greeting and checks it; an error is why there will be no session.
    Task<Status> greet();
    // Answers the greeting and holds the conversation until the channel ends.
    Task<void> converse();
    // Ends converse(): the agent is told the reason and the channel closed.
    void end(wire::RefusedReason reason, std::string why);
    // Ends without a refusal: the agent may come back at once.
    void hang_up(std::string why);

    // `confirmed`: a state the agent may still have from an earlier session, to start the next step from.
    void set_confirmed(std::shared_ptr<const DesiredState> state) { agent_has_ = std::move(state); }
    std::shared_ptr<const DesiredState> confirmed() const { return agent_has_; }
    void push_state();
    // A report of the network that came in this session, and all before it, are durable.
    void interfaces_stored(StreamId stream, std::uint64_t number);
    bool send(const wire::Action& action);

    const SessionFacts& facts() const { return facts_; }
    std::uint64_t boot() const { return hello_.boot; }
    const std::string& ended_because() const { return why_; }
    // Whether the directory was told of it, and so must be told of its end.
    bool connected() const { return greeted_; }
    bool replaced() const { return replaced_; }
    void set_replaced() { replaced_ = true; }
    void set_restarted(bool restarted) { facts_.restarted = restarted; }

private:
    Task<Status> welcome();
    Task<void> read_loop();
    Task<void> watch();
    Status accept(const std::string& bytes);
    Status on(const wire::Hello& hello);
    Status on(wire::RawBatch& batch);
    Status on(const wire::Lost& lost);
    Status on(const wire::StateApplied& applied);
    Status on(const AgentHealth& health);
    Status on(const wire::ClockRequest& request);
    Status on(const wire::ActionReport& report);
    Status on(wire::Interfaces& report);
    Task<void> append(store::AppendRequest request);
    Task<void> declare_lost(store::LostSpan span);
    bool settle(const Result<store::Appended>& result);
    void acknowledge(std::uint64_t seq);
    void send_ack();
    void post(const wire::ControllerMessage& message);
    bool takes_actions() const;
    bool drop_foreign_rows(wire::Batch& batch);

    Shared& shared_;
    net::MessageChannel& channel_;
    TaskGroup tasks_;
    Timer room_;  // cancelled when an append has finished
    SessionFacts facts_{};
    wire::Hello hello_{};
    std::shared_ptr<const DesiredState> agent_has_{};  // last state pushed or confirmed
    Instant heard_{};
    bool greeted_ = false;
    std::size_t in_flight_ = 0;
    std::uint64_t acked_seq_ = 0;
    std::uint64_t ack_sent_ = 0;
    std::uint64_t interfaces_came_ = 0, interfaces_stored_ = 0;  // numbers of the last ones
    bool ack_due_ = false;
    std::int64_t clock_offset_us_ = 0;
    std::uint64_t clock_uncertainty_us_ = 0;
    bool ended_ = false;
    bool replaced_ = false;
    std::string why_{};
};

}  // namespace nw::ingest
