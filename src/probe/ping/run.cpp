#include "probe/ping/run.hpp"

#include "probe/round_trips.hpp"

namespace nw::probe::ping {
namespace {

RoundTrips add_up(const RunResult& run)
{
    RoundTrips trips;
    auto before = run.rtt_before;
    for (const auto& packet : run.packets) {
        if (packet.state != PacketState::Unsent) trips.sent(1);
        if (packet.state == PacketState::Unreachable) trips.unreachable();
        if (packet.state != PacketState::Answered) {
            before.reset();
            continue;
        }
        trips.answered(packet.rtt(), before);
        before = packet.rtt();
    }
    return trips;
}

}  // namespace

void fill_columns(const RunResult& run, Sample& sample)
{
    if (run.outcome == Outcome::NotMeasured) return;
    const auto trips = add_up(run);
    trips.fill(sample);
    put(sample, "late", run.counts.late);
    put(sample, "duplicates", run.counts.duplicates);
    put(sample, "reordered", run.counts.reordered);
    put(sample, "corrupted", run.counts.corrupted);
    if (trips.received() > 0 && run.ttl) put(sample, "ttl_reply", *run.ttl);
}

}  // namespace nw::probe::ping
