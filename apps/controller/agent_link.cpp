#include "agent_link.hpp"

namespace nw::controller {

api::AgentState SessionsLink::state(AgentId agent) const
{
    const auto live = registry_.live(agent);
    api::AgentState state{.connected = live.connected,
                          .silent = live.silent,
                          .clock_offset_us = live.clock_offset_us,
                          .clock_uncertainty_us = live.clock_uncertainty_us,
                          .health = live.health,
                          .applied_state_number = live.applied_state_number,
                          .problems = live.problems};
    if (live.twin) state.twin = api::AgentTwin{live.twin->one, live.twin->other, to_us(live.twin->at)};
    if (live.last_seen) state.last_seen_us = to_us(*live.last_seen);
    return state;
}

void SessionsLink::refresh(AgentId agent) { tasks_.spawn("agent refresh", refreshed(agent)); }

Task<void> SessionsLink::refreshed(AgentId agent)
{
    const auto done = co_await registry_.refresh(agent);
    if (!done) log_.error("{} could not be read again: {}", to_text(agent), done.error().what);
}

void SessionsLink::revoke(AgentId agent) { sessions_->revoke(agent); }

}  // namespace nw::controller
