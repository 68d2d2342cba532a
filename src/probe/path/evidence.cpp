#include "probe/path/evidence.hpp"

#include <algorithm>

namespace nw::probe::path {
namespace {

// Of several flows together: more would cost time and say little more.
constexpr std::size_t kObservationsMax = 2 * kRoundsMax;

std::uint32_t milliseconds(Moment when) { return std::uint32_t(when.time_since_epoch() / Millis(1)); }

bool bit(std::span<const std::uint64_t> bits, std::size_t at) { return (bits[at / 64] >> (at % 64) & 1) != 0; }
void set_bit(std::span<std::uint64_t> bits, std::size_t at, bool value)
{
    const auto mask = 1ULL << (at % 64);
    bits[at / 64] = value ? bits[at / 64] | mask : bits[at / 64] & ~mask;
}

}  // namespace

// Makes room for the probe's round; false when it is older than what is remembered.
bool Evidence::open_round(Flow& flow, const Settled& probe)
{
    if (flow.sent.empty()) {
        flow.sent.resize(kRoundsMax);
        flow.newest = probe.round;
        flow.newest_at = probe.sent;
        flow.sent[probe.round % kRoundsMax] = milliseconds(probe.sent);
    }
    if (probe.round + kRoundsMax <= flow.newest) return false;
    if (probe.round <= flow.newest) {
        // A later round may have been settled first: an answer comes before a timeout.
        const auto& any = flow.hops;
        const auto at = probe.round % kRoundsMax;
        if (std::ranges::none_of(any, [&](const Hop& hop) { return bit(hop.sent, at); }))
            flow.sent[at] = milliseconds(probe.sent);
        return true;
    }
    const auto first = std::max(flow.newest + 1, probe.round < kRoundsMax ? 0 : probe.round - kRoundsMax + 1);
    for (auto round = first; round <= probe.round; ++round) {
        const auto at = round % kRoundsMax;
        for (auto& hop : flow.hops) {
            set_bit(hop.sent, at, false);
            set_bit(hop.answered, at, false);
        }
        flow.sent[at] = milliseconds(probe.sent);
    }
    flow.newest = probe.round;
    flow.newest_at = probe.sent;
    return true;
}

void Evidence::note_answer(Flow& flow, Hop& hop, const Settled& probe)
{
    const auto& reply = *probe.reply;
    if (hop.current && *hop.current != reply.responder) ++hop.changes;
    hop.current = reply.responder;
    const bool end = ends_path(reply.answer);
    if (end && (flow.reach == 0 || probe.ttl < flow.reach)) {
        flow.reach = probe.ttl;
        flow.hops.resize(probe.ttl);  // what was asked beyond is forgotten
    }
    if (end && probe.ttl == flow.reach) flow.arrived = reply.answer == Answer::Arrived;
    if (!end && flow.reach != 0 && probe.ttl >= flow.reach) flow.reach = 0;  // it has become longer
}

void Evidence::add(const Settled& probe)
{
    if (probe.purpose != Purpose::Measure || probe.state == ProbeState::Unsent) return;
    auto& flow = flows_[probe.flow];
    if (flow.reach != 0 && probe.ttl > flow.reach) return;
    if (!open_round(flow, probe)) return;
    if (flow.hops.size() < probe.ttl) flow.hops.resize(probe.ttl);
    auto& hop = flow.hops[probe.ttl - 1U];
    const auto at = probe.round % kRoundsMax;
    set_bit(hop.sent, at, true);
    set_bit(hop.answered, at, probe.state == ProbeState::Answered);
    if (probe.state == ProbeState::Answered) note_answer(flow, hop, probe);
}

void Evidence::keep_only(std::span<const std::uint16_t> kept)
{
    std::erase_if(flows_, [&](const auto& flow) { return std::ranges::find(kept, flow.first) == kept.end(); });
}

HopEvidence Evidence::collect(const Meetings& meetings, std::size_t hop, Moment frontier) const
{
    HopEvidence found;
    for (const auto& meeting : meetings) {
        const auto& flow = flows_.at(meeting.flow);
        if (hop + meeting.shift >= flow.hops.size()) continue;
        const auto& seen = flow.hops[hop + meeting.shift];
        found.ever_answered = found.ever_answered || seen.current;
        const auto newest = milliseconds(flow.newest_at);
        const auto first = flow.newest < kRoundsMax ? 0 : flow.newest - kRoundsMax + 1;
        for (auto round = first; round <= flow.newest; ++round) {
            const auto at = round % kRoundsMax;
            if (!bit(seen.sent, at)) continue;
            // No round is older than 2^32 ms, nor newer than the newest.
            const auto age = newest - flow.sent[at];
            const auto when = flow.newest_at - Millis(age > 0xffff'0000U ? 0 : age);
            if (when < frontier) found.probes.push_back({when.time_since_epoch(), bit(seen.answered, at)});
        }
    }
    if (meetings.size() > 1) {
        std::ranges::sort(found.probes, {}, &Observation::at);
        if (found.probes.size() > kObservationsMax)
            found.probes.erase(found.probes.begin(), found.probes.end() - std::ptrdiff_t(kObservationsMax));
    }
    return found;
}

std::vector<Judgement> Evidence::judge(const Meetings& meetings, Moment frontier) const
{
    std::size_t hops = 0;
    bool arrived = true;
    for (const auto& meeting : meetings) {
        const auto& flow = flows_.at(meeting.flow);
        const auto length = flow.reach == 0 ? flow.hops.size() : flow.reach;
        hops = std::max(hops, length - std::min<std::size_t>(length, meeting.shift));
        arrived = arrived && flow.arrived && flow.reach != 0;
    }
    std::vector<HopEvidence> chain;
    for (std::size_t hop = 0; hop < hops; ++hop) chain.push_back(collect(meetings, hop, frontier));
    return path::judge(chain, arrived);
}

// All flows that pass the router which the flow has at the hop, aligned there.
Evidence::Meetings Evidence::meetings_at(std::uint16_t flow, std::size_t hop) const
{
    const auto& router = flows_.at(flow).hops[hop].current;
    if (!router) return {{flow, 0}};
    std::vector<std::pair<std::uint16_t, std::size_t>> met;
    for (const auto& [id, other] : flows_) {
        const auto found = std::ranges::find(other.hops, router, &Hop::current);
        if (id == flow) met.emplace_back(id, hop);
        else if (found != other.hops.end()) met.emplace_back(id, std::size_t(found - other.hops.begin()));
    }
    const auto nearest = std::ranges::min_element(met, {}, &std::pair<std::uint16_t, std::size_t>::second)->second;
    Meetings meetings;
    for (const auto& [id, at] : met) meetings.push_back({id, std::uint8_t(at - nearest)});
    return meetings;
}

std::map<std::uint16_t, std::vector<Judgement>> Evidence::judge(Moment frontier) const
{
    std::map<Meetings, std::vector<Judgement>> judged;
    std::map<std::uint16_t, std::vector<Judgement>> verdicts;
    for (const auto& [id, flow] : flows_) {
        for (std::size_t hop = 0; hop < flow.hops.size(); ++hop) {
            const auto meetings = meetings_at(id, hop);
            auto known = judged.find(meetings);
            if (known == judged.end()) known = judged.emplace(meetings, judge(meetings, frontier)).first;
            const auto own = std::ranges::find(meetings, id, &Meeting::flow);
            const auto at = hop - own->shift;
            verdicts[id].push_back(at < known->second.size() ? known->second[at] : Judgement{});
        }
    }
    return verdicts;
}

std::uint64_t Evidence::newest() const
{
    std::uint64_t newest = 0;
    for (const auto& [id, flow] : flows_) newest = std::max(newest, flow.newest);
    return newest;
}

std::size_t Evidence::hops() const
{
    std::size_t hops = 0;
    for (const auto& [id, flow] : flows_) hops += flow.hops.size();
    return hops;
}

std::vector<std::uint16_t> Evidence::flows() const
{
    std::vector<std::uint16_t> all;
    for (const auto& [id, flow] : flows_) all.push_back(id);
    return all;
}

std::uint8_t Evidence::reach_of(std::uint16_t flow) const
{
    const auto found = flows_.find(flow);
    return found == flows_.end() ? 0 : found->second.reach;
}

bool Evidence::reached() const
{
    return !flows_.empty()
           && std::ranges::all_of(flows_, [](const auto& flow) { return flow.second.reach != 0 && flow.second.arrived; });
}

bool Evidence::is_balanced_per_packet(std::uint16_t flow, std::uint8_t ttl) const
{
    const auto found = flows_.find(flow);
    return found != flows_.end() && ttl <= found->second.hops.size()
           && found->second.hops[ttl - 1U].changes >= kChangesOfBalancing;
}

std::size_t Evidence::memory() const
{
    std::size_t bytes = sizeof *this;
    for (const auto& [id, flow] : flows_)
        bytes += sizeof flow + 48 + flow.sent.capacity() * sizeof flow.sent[0] + flow.hops.capacity() * sizeof flow.hops[0];
    return bytes;
}

}  // namespace nw::probe::path
