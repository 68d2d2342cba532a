#include "ingest/sessions.hpp"

#include "base/assert.hpp"
#include "ingest/session.hpp"
#include "ingest/twins.hpp"

#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace nw::ingest {

struct Sessions::Impl {
    Shared shared;
    Timer emptied;
    std::unordered_map<AgentId, std::shared_ptr<Session>> current{};
    // What an agent had and which process it was when its last session ended: the next one starts from there.
    struct Before {
        std::shared_ptr<const DesiredState> state{};
        std::uint64_t boot = 0;
    };
    std::unordered_map<AgentId, Before> before{};
    TwinWatch twins{};
    std::unordered_set<Session*> serving{};
    bool closed = false;

    Task<void> hold(std::shared_ptr<Session> session, bool revoked);
    void take_over(const std::shared_ptr<Session>& session);
    void let_go(const std::shared_ptr<Session>& session);
};

Sessions::Sessions(Executor loop, store::Telemetry& telemetry, AgentDirectory& directory, ActionBoard& actions,
                   const Kinds& kinds, const Clock& clock, std::vector<Subscriber*> subscribers, Log log,
                   SessionsOptions options)
    : impl_(new Impl{.shared = {.loop = loop,
                                .telemetry = telemetry,
                                .directory = directory,
                                .actions = actions,
                                .kinds = kinds,
                                .clock = clock,
                                .subscribers = std::move(subscribers),
                                .log = std::move(log),
                                .options = options},
                     .emptied = Timer(loop)})
{}

Sessions::~Sessions() { NW_ASSERT(impl_->serving.empty()); }

Task<void> Sessions::serve(Caller caller, net::MessageChannel& channel)
{
    // A session ends by its channel, revoke() or close(), never halfway through an append.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto session = std::make_shared<Session>(impl_->shared, caller.agent, std::move(caller.remote), channel);
    impl_->serving.insert(session.get());
    ++impl_->shared.stats.accepted;
    co_await impl_->hold(session, caller.revoked);
    impl_->serving.erase(session.get());
    if (impl_->serving.empty()) impl_->emptied.cancel();
}

Task<void> Sessions::Impl::hold(std::shared_ptr<Session> session, bool revoked)
{
    const auto agent = session->facts().agent;
    auto greeted = co_await session->greet();
    if (!greeted) session->end(wire::RefusedReason::BadMessage, std::move(greeted).error().what);
    else if (closed || current.size() >= shared.options.sessions_max)
        session->end(wire::RefusedReason::Overloaded,
                     closed ? "the controller is stopping" : "too many agents are connected");
    else if (revoked || !shared.directory.desired(agent))
        session->end(wire::RefusedReason::Revoked, "this agent was deleted or enrolled anew");
    else if (!shared.store.admits()) session->end(wire::RefusedReason::Overloaded, shared.store.trouble()->why);
    else take_over(session);
    co_await session->converse();
    let_go(session);
}

void Sessions::Impl::take_over(const std::shared_ptr<Session>& session)
{
    const auto agent = session->facts().agent;
    const auto last = before.find(agent);
    if (const auto old = current.find(agent); old != current.end()) {
        ++shared.stats.replaced;
        old->second->set_replaced();
        shared.directory.on_event(agent, "a second session from " + session->facts().remote + " replaced the one from "
                                             + old->second->facts().remote);
        session->set_confirmed(old->second->confirmed());
        session->set_restarted(old->second->boot() != session->boot());
        old->second->end(wire::RefusedReason::Replaced, "another session of this agent took over");
    } else if (last != before.end()) {
        session->set_confirmed(std::move(last->second.state));
        session->set_restarted(last->second.boot != session->boot());
    }
    if (last != before.end()) before.erase(last);
    current[agent] = session;
    const auto& remote = session->facts().remote;
    if (const auto other = twins.greeted(agent, session->boot(), remote, shared.clock.instant()))
        shared.directory.on_twin(agent, remote, *other, shared.clock.wall());
}

void Sessions::Impl::let_go(const std::shared_ptr<Session>& session)
{
    const auto agent = session->facts().agent;
    const auto found = current.find(agent);
    if (found != current.end() && found->second == session) {
        before[agent] = {session->confirmed(), session->boot()};
        current.erase(found);
    }
    shared.log.info("agent {} disconnected: {}", to_text(agent), session->ended_because());
    if (session->connected()) shared.directory.on_disconnected(agent, session->ended_because(), session->replaced());
}

void Sessions::state_changed(AgentId agent)
{
    if (const auto found = impl_->current.find(agent); found != impl_->current.end()) found->second->push_state();
}

void Sessions::interfaces_stored(AgentId agent, StreamId stream, std::uint64_t number)
{
    if (const auto found = impl_->current.find(agent); found != impl_->current.end())
        found->second->interfaces_stored(stream, number);
}

void Sessions::revoke(AgentId agent)
{
    impl_->before.erase(agent);
    if (const auto found = impl_->current.find(agent); found != impl_->current.end())
        found->second->end(wire::RefusedReason::Revoked, "this agent was deleted");
}

bool Sessions::send(AgentId agent, const wire::Action& action)
{
    const auto found = impl_->current.find(agent);
    return found != impl_->current.end() && found->second->send(action);
}

bool Sessions::connected(AgentId agent) const { return impl_->current.contains(agent); }

SessionsStats Sessions::stats() const
{
    auto stats = impl_->shared.stats;
    stats.open = impl_->current.size();
    return stats;
}

const std::optional<StoreTrouble>& Sessions::trouble() const { return impl_->shared.store.trouble(); }

Task<void> Sessions::close()
{
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    impl_->closed = true;
    for (auto* session : impl_->serving) session->hang_up("the controller is stopping");
    while (!impl_->serving.empty()) {
        impl_->emptied.expires_at(Timer::time_point::max());
        co_await impl_->emptied.async_wait(nothrow);
    }
}

}  // namespace nw::ingest
