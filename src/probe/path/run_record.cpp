#include "probe/path/run_record.hpp"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string_view>
#include <utility>

namespace nw::probe::path {
namespace {

double square_us2(Nanos rtt) { return double(rtt.count()) / 1e3 * (double(rtt.count()) / 1e3); }
std::string bytes_of(const std::optional<packet::Address>& address)
{
    return address ? std::string(address->view()) : std::string();
}

HopAnswer answer_of(Answer answer)
{
    switch (answer) {
    case Answer::Exceeded: return HopAnswer::Exceeded;
    case Answer::Arrived: return HopAnswer::Arrived;
    case Answer::Unreachable: return HopAnswer::Unreachable;
    case Answer::TooBig: return HopAnswer::TooBig;
    }
    return HopAnswer::None;
}

// What the responder said last, and what the packet looked like to it.
void describe(const Reply& reply, PathHop& row)
{
    row.address = reply.responder.view();
    row.answer = answer_of(reply.answer);
    row.icmp_type = reply.type;
    row.icmp_code = reply.code;
    row.reply_ttl = reply.ttl;
    if (reply.mtu != 0) row.mtu = reply.mtu;
    if (!reply.quoted) return;
    const auto& altered = reply.altered;
    if (altered.ttl > 1) row.quoted_ttl = altered.ttl;
    row.dscp = altered.dscp;
    row.ecn = altered.ecn;
    row.mss = altered.mss;
    row.nat_source = bytes_of(altered.source);
    row.nat_destination = bytes_of(altered.destination);
    row.nat_ports = altered.ports;
    for (const auto& label : reply.mpls) row.mpls.push_back({label.label, label.traffic_class, label.bottom, label.ttl});
    for (const auto& info : reply.interfaces)
        row.interfaces.push_back({std::uint8_t(info.role), info.index, bytes_of(info.address), info.name, info.mtu});
}

void take_rtt(PathHop& row, Nanos rtt, std::optional<Nanos> before)
{
    const auto us = to_us(rtt);
    row.rtt_min_us = row.received == 0 ? us : std::min(row.rtt_min_us, us);
    row.rtt_max_us = row.received == 0 ? us : std::max(row.rtt_max_us, us);
    row.rtt_sum_us += us;
    row.rtt_sum_squares_us2 += std::int64_t(square_us2(rtt) + 0.5);
    ++row.received;
    if (!before) return;
    row.ipdv_sum_us += to_us(std::chrono::abs(rtt - *before));
    ++row.ipdv_count;
}

}  // namespace

RunRecord::RunRecord(std::uint64_t number, std::span<const std::uint16_t> flows, std::uint32_t cycles)
    : number_(number), cycles_(cycles)
{
    for (const auto flow : flows) flows_.push_back({.id = flow});
}

void RunRecord::add(const Settled& probe)
{
    const auto flow = std::ranges::find(flows_, probe.flow, &Flow::id);
    if (flow == flows_.end() || probe.cycle >= cycles_ || probe.ttl == 0) return;
    if (flow->hops.size() < probe.ttl) flow->hops.resize(probe.ttl);
    auto& hop = flow->hops[probe.ttl - 1U];
    if (hop.cycles.empty()) hop.cycles.resize(cycles_);
    cycles_seen_ = std::max(cycles_seen_, probe.cycle + 1);
    auto& asked = hop.cycles[probe.cycle];
    asked.fate = probe.state == ProbeState::Unsent ? Fate::Unsent : Fate::Lost;
    if (probe.state != ProbeState::Answered) return;
    asked.fate = Fate::Answered;
    asked.rtt_100ns = std::uint32_t(std::clamp<std::int64_t>((probe.rtt.count() + 50) / 100, 1, 0xffff'ffff));
    asked.kernel = probe.clock == ClockSource::Kernel;
    const auto known = std::ranges::find(hop.responders, probe.reply->responder, &Reply::responder);
    if (known == hop.responders.end() && hop.responders.size() < kRespondersMax) {
        asked.who = std::uint8_t(hop.responders.size());
        hop.responders.push_back(*probe.reply);
        return;
    }
    asked.who = std::uint8_t(std::min(known, hop.responders.end() - 1) - hop.responders.begin());
    if (known != hop.responders.end()) *known = *probe.reply;
}

RunTail RunRecord::tail() const
{
    RunTail tail{.number = number_};
    for (const auto& flow : flows_) {
        const auto all = arrivals(flow);
        if (!all.empty() && all.back().ttl != 0) tail.rtt.emplace_back(flow.id, all.back().probe.rtt());
    }
    return tail;
}

void RunRecord::follow(const RunTail& before)
{
    if (before.number + 1 != number_) return;
    for (auto& flow : flows_) {
        const auto known = std::ranges::find(before.rtt, flow.id, &std::pair<std::uint16_t, Nanos>::first);
        if (known != before.rtt.end()) flow.rtt_before = known->second;
    }
}

RunRecord::Standing RunRecord::standing_of(const Flow& flow)
{
    for (std::size_t at = 0; at < flow.hops.size(); ++at) {
        const auto& hop = flow.hops[at];
        const auto arrived = [&](const Asked& asked) {
            return asked.fate == Fate::Answered && hop.responders[asked.who].answer == Answer::Arrived;
        };
        const auto first = std::ranges::find_if(hop.cycles, arrived);
        if (first == hop.cycles.end()) continue;
        const auto alone = [](const Reply& reply) { return reply.answer == Answer::Arrived; };
        if (std::ranges::all_of(hop.responders, alone)) return {.hop = at, .last = ~std::size_t{0}};
        const auto last = std::find_if(hop.cycles.rbegin(), hop.cycles.rend(), arrived);
        return {at, std::size_t(first - hop.cycles.begin()), std::size_t(hop.cycles.rend() - last) - 1};
    }
    return {};
}

// See rule 1.
RunRecord::Arrival RunRecord::arrival(const Flow& flow, std::uint32_t cycle, const Standing& standing)
{
    Arrival arrival;
    bool unsent = false, missed = false;
    for (std::size_t at = 0; at < flow.hops.size(); ++at) {
        const auto& hop = flow.hops[at];
        if (hop.cycles.empty()) continue;
        const auto& asked = hop.cycles[cycle];
        arrival.asked = arrival.asked || asked.fate == Fate::Lost || asked.fate == Fate::Answered;
        unsent = unsent || asked.fate == Fate::Unsent;
        missed =
            missed || (at == standing.hop && asked.fate == Fate::Lost && cycle >= standing.first && cycle <= standing.last);
        if (asked.fate != Fate::Answered) continue;
        const auto answer = hop.responders[asked.who].answer;
        arrival.unreachable = arrival.unreachable || (ends_path(answer) && answer != Answer::Arrived);
        if (answer != Answer::Arrived || missed) continue;
        arrival.ttl = std::uint8_t(at + 1);
        arrival.probe = asked;
        arrival.unreachable = false;
        return arrival;
    }
    arrival.asked = arrival.asked && !unsent;
    return arrival;
}

std::vector<RunRecord::Arrival> RunRecord::arrivals(const Flow& flow) const
{
    const auto standing = standing_of(flow);
    std::vector<Arrival> all;
    for (std::uint32_t cycle = 0; cycle < cycles_; ++cycle) all.push_back(arrival(flow, cycle, standing));
    return all;
}

RunTotals RunRecord::totals() const
{
    RunTotals totals;
    for (const auto& flow : flows_) {
        auto before = flow.rtt_before;
        std::uint8_t hops = 0;
        for (const auto& cycle : arrivals(flow)) {
            totals.trips.sent(cycle.asked ? 1 : 0);
            if (cycle.asked && cycle.unreachable) totals.trips.unreachable();
            if (cycle.ttl == 0) {
                before.reset();
                continue;
            }
            hops = cycle.ttl;
            const auto rtt = cycle.probe.rtt();
            totals.trips.answered(rtt, before);
            const auto clock = cycle.probe.kernel ? ClockSource::Kernel : ClockSource::User;
            totals.clock = totals.clock == ClockSource::None ? clock : std::min(totals.clock, clock);
            before = rtt;
        }
        if (hops != 0) totals.hops = std::min(totals.hops.value_or(hops), hops);
    }
    return totals;
}

// How many hops of the flow have a row.
std::size_t RunRecord::length_of(const Flow& flow) const
{
    std::size_t arrived = 0, answering = 0, ended = flow.hops.size();
    for (const auto& cycle : arrivals(flow)) arrived = std::max<std::size_t>(arrived, cycle.ttl);
    if (arrived != 0) return arrived;
    for (std::size_t hop = 0; hop < flow.hops.size(); ++hop) {
        const auto& responders = flow.hops[hop].responders;
        if (!responders.empty()) answering = hop + 1;
        if (std::ranges::any_of(responders, [](const Reply& reply) { return ends_path(reply.answer); }))
            ended = std::min(ended, hop + 1);
    }
    return std::min({answering + 1, ended, flow.hops.size()});
}

std::vector<PathHop> RunRecord::rows_of(const Hop& hop)
{
    std::vector<PathHop> rows(std::max<std::size_t>(1, hop.responders.size()));
    for (std::size_t i = 0; i < hop.responders.size(); ++i) describe(hop.responders[i], rows[i]);
    const auto first = std::ranges::find(hop.cycles, Fate::Answered, &Asked::fate);
    std::size_t current = first == hop.cycles.end() ? 0 : first->who;
    std::optional<Nanos> before;
    for (const auto& asked : hop.cycles) {
        if (asked.fate != Fate::Lost && asked.fate != Fate::Answered) continue;
        if (asked.fate == Fate::Lost) {
            ++rows[current].sent;
            before.reset();
            continue;
        }
        if (asked.who != current) before.reset();
        current = asked.who;
        ++rows[current].sent;
        take_rtt(rows[current], asked.rtt(), before);
        before = asked.rtt();
    }
    std::erase_if(rows, [](const PathHop& row) { return row.sent == 0; });
    std::ranges::sort(rows, [](const PathHop& a, const PathHop& b) {
        return a.received != b.received ? a.received > b.received : a.address < b.address;
    });
    return rows;
}

std::vector<PathHop> RunRecord::hops(const Verdicts& verdicts) const
{
    std::vector<PathHop> all;
    for (std::size_t path = 0; path < flows_.size(); ++path) {
        const auto& flow = flows_[path];
        const auto length = length_of(flow);
        const auto judged = verdicts.find(flow.id);
        for (std::size_t hop = 0; hop < length; ++hop) {
            for (auto& row : rows_of(flow.hops[hop])) {
                row.path = std::uint16_t(path);
                row.ttl = std::uint8_t(hop + 1);
                if (judged != verdicts.end() && hop < judged->second.size()) {
                    const auto& verdict = judged->second[hop];
                    row.verdict = verdict.verdict;
                    row.confidence = verdict.confidence;
                    row.forwarding_loss_ratio = verdict.forwarding_loss_ratio;
                    row.limit_per_second = verdict.limit_per_second;
                }
                all.push_back(std::move(row));
            }
        }
    }
    return all;
}

void place_mtu(const MtuFound& found, std::vector<PathHop>& hops)
{
    if (!found.mtu) return;
    const auto first_path =
        std::span(hops.begin(), std::ranges::find_if(hops, [](const PathHop& hop) { return hop.path != 0; }));
    const auto is_at = [](const NarrowLink& link) {
        return [&link](const PathHop& hop) { return hop.address == link.before.view(); };
    };
    const bool placed = std::ranges::all_of(
        found.narrow, [&](const NarrowLink& link) { return std::ranges::any_of(first_path, is_at(link)); });
    std::uint16_t reaches = found.black_hole_after == 0 ? *found.mtu : found.size_max;
    std::uint8_t before = 0;
    std::uint16_t reaches_next = reaches;
    for (auto& hop : first_path) {
        if (std::exchange(before, hop.ttl) != hop.ttl) reaches = reaches_next;
        if (hop.answer == HopAnswer::Arrived) hop.mtu = *found.mtu;
        else if (placed) hop.mtu = reaches;
        for (const auto& link : found.narrow)
            if (is_at(link)(hop)) reaches_next = std::min(reaches_next, link.mtu);
        if (found.black_hole_after == hop.ttl) reaches_next = *found.mtu;
    }
}

std::size_t RunRecord::memory() const
{
    std::size_t bytes = sizeof *this + flows_.capacity() * sizeof(Flow);
    for (const auto& flow : flows_) {
        bytes += flow.hops.capacity() * sizeof(Hop);
        for (const auto& hop : flow.hops)
            bytes += hop.cycles.capacity() * sizeof(Asked) + hop.responders.capacity() * sizeof(Reply);
    }
    return bytes;
}

void fill_columns(const RunTotals& totals, const std::vector<PathHop>& hops, std::size_t paths, Sample& sample)
{
    totals.trips.fill(sample);
    put(sample, "path_count", std::int64_t(paths));
    sample.bytes[*sample.kind->column_index("hops")] = encode_hops(hops);
    sample.clock = totals.clock;
    if (totals.hops) put(sample, "hop_count", *totals.hops);
}

}  // namespace nw::probe::path
