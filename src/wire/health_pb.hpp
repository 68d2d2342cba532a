// Health between its value and its protobuf form. Private to wire/.
#pragma once

#include "wire/batch.hpp"

#include "agent.pb.h"

namespace nw::wire {

inline void to_pb(const AgentHealth& health, pb::Health& out)
{
    out.set_lateness_p99_us(health.lateness_p99_us);
    out.set_socket_drops(health.socket_drops);
    out.set_cpu_permille(health.cpu_permille);
    out.set_steal_permille(health.steal_permille);
    out.set_spool_rows(health.spool_rows);
    out.set_spool_bytes(health.spool_bytes);
    out.set_rss_bytes(health.rss_bytes);
    out.set_probes(health.probes);
    out.set_packets_per_second(health.packets_per_second);
    out.set_at_us(health.at_us);
    out.set_spool_refused(health.spool_refused);
}

inline AgentHealth from_pb(const pb::Health& in)
{
    return {.lateness_p99_us = in.lateness_p99_us(),
            .socket_drops = in.socket_drops(),
            .cpu_permille = in.cpu_permille(),
            .steal_permille = in.steal_permille(),
            .spool_rows = in.spool_rows(),
            .spool_bytes = in.spool_bytes(),
            .rss_bytes = in.rss_bytes(),
            .probes = in.probes(),
            .packets_per_second = in.packets_per_second(),
            .at_us = in.at_us(),
            .spool_refused = in.spool_refused()};
}

}  // namespace nw::wire
