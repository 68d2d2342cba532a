#include "agent_link.hpp"

namespace nw::controller {

api::AgentState SessionsLink::state(AgentId agent) const
{
    const auto live = registry_.live(agent);
    api::AgentState state{.connected = live.connected,
                          .silent = live.silent,
                          .clock_offset_us = live.clock_offset_us,
                          .clock_uncertainty_us = live.clock_uncertainty_us,
                          .applied_state_number = live.applied_state_number,
                          .problems = live.problems};
    if (live.last_seen) state.last_seen_us = to_us(*live.last_seen);
    if (live.health) {
        const auto& health = *live.health;
        state.health = api::AgentHealth{.at_us = health.at_us,
                                        .lateness_p99_us = health.lateness_p99_us,
                                        .socket_drops = health.socket_drops,
                                        .cpu_permille = health.cpu_permille,
                                        .steal_permille = health.steal_permille,
                                        .spool_rows = health.spool_rows,
                                        .spool_bytes = health.spool_bytes,
                                        .rss_bytes = health.rss_bytes,
                                        .probes = health.probes,
                                        .packets_per_second = health.packets_per_second};
    }
    return state;
}

void SessionsLink::refresh(AgentId agent) { tasks_.spawn("agent refresh", refresh_now(agent)); }

Task<void> SessionsLink::refresh_now(AgentId agent)
{
    const auto done = co_await registry_.refresh(agent);
    if (!done) log_.error("{} could not be read again: {}", to_text(agent), done.error().what);
}

void SessionsLink::revoke(AgentId agent) { sessions_->revoke(agent); }

}  // namespace nw::controller
