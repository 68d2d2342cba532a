#include "probe/path/table.hpp"

#include <algorithm>
#include <cmath>

namespace nw::probe::path {
namespace {

// A flow whose responder changed so often is balanced packet by packet; a route that changes does so once or twice.
constexpr std::uint32_t kChangesOfBalancing = 4;

double to_us(Nanos time) { return double(time.count()) / 1e3; }

void merge(HopRow& to, const HopRow& from)
{
    const bool newer = from.delay.count > 0 && (to.delay.count == 0 || from.delay.last_at > to.delay.last_at);
    const auto before = to;
    if (newer) to = from;
    const auto& other = newer ? before : from;
    to.sent += other.sent;
    to.answered += other.answered;
    to.unsent += other.unsent;
    to.flows += other.flows;
    to.per_packet = to.per_packet || other.per_packet;
    to.delay.merge(other.delay);
}

}  // namespace

void DelayStats::add(Moment at, Nanos rtt, std::optional<Nanos> before)
{
    best = count == 0 ? rtt : std::min(best, rtt);
    worst = std::max(worst, rtt);
    last = rtt;
    last_at = at;
    sum_us += to_us(rtt);
    sum_squares_us2 += to_us(rtt) * to_us(rtt);
    ++count;
    if (!before) return;
    variation_us += std::abs(to_us(rtt) - to_us(*before));
    ++variations;
}

void DelayStats::merge(const DelayStats& other)
{
    if (other.count == 0) return;
    best = count == 0 ? other.best : std::min(best, other.best);
    worst = std::max(worst, other.worst);
    if (count == 0 || other.last_at > last_at) {
        last = other.last;
        last_at = other.last_at;
    }
    sum_us += other.sum_us;
    sum_squares_us2 += other.sum_squares_us2;
    variation_us += other.variation_us;
    variations += other.variations;
    count += other.count;
}

double DelayStats::deviation_us() const
{
    if (count < 2) return 0;
    const auto mean = mean_us();
    return std::sqrt(std::max(0.0, sum_squares_us2 / double(count) - mean * mean));
}

HopRow& Table::row_of(FlowHop& hop, const Settled& probe)
{
    if (probe.state != ProbeState::Answered) {
        if (hop.rows.empty()) hop.rows.push_back({.ttl = probe.ttl});
        return hop.rows[hop.current];
    }
    const auto& responder = probe.reply->responder;
    auto found = std::ranges::find(hop.rows, std::optional(responder), &HopRow::address);
    if (found == hop.rows.end() && hop.rows.size() == 1 && !hop.rows[0].address) {
        found = hop.rows.begin();  // what was lost before is his, as far as anybody's
        found->address = responder;
    } else if (found == hop.rows.end()) {
        if (hop.rows.size() < kRespondersMax) hop.rows.push_back({.ttl = probe.ttl, .address = responder});
        found = hop.rows.end() - 1;
    }
    const auto place = std::size_t(found - hop.rows.begin());
    if (place != hop.current && hop.ever_answered) ++hop.changes;
    hop.current = place;
    return *found;
}

void Table::take_answer(FlowHop& hop, const Settled& probe)
{
    auto& row = hop.rows[hop.current];
    const auto& reply = *probe.reply;
    ++row.answered;
    row.delay.add(probe.sent, probe.rtt, hop.rtt_before);
    row.last = reply.answer != Answer::Exceeded;
    row.answer = reply.answer;
    row.type = reply.type;
    row.code = reply.code;
    if (reply.mtu != 0) row.mtu = reply.mtu;
    row.reply_ttl = reply.ttl;
    if (reply.quoted) {
        row.quoted = true;
        row.altered = reply.altered;
        row.mpls = reply.mpls;
        row.interfaces = reply.interfaces;
    }
    hop.ever_answered = true;
    hop.rtt_before = probe.rtt;
}

// Where the path of a flow ends: what was asked beyond is forgotten.
void Table::note_end(Flow& flow, const Settled& probe)
{
    const bool end = probe.reply->answer != Answer::Exceeded;
    if (end && (flow.reach == 0 || probe.ttl < flow.reach)) {
        flow.reach = probe.ttl;
        flow.hops.resize(probe.ttl);
    }
    if (end && probe.ttl == flow.reach) flow.arrived = probe.reply->answer == Answer::Arrived;
    if (!end && flow.reach != 0 && probe.ttl >= flow.reach) flow.reach = 0;  // it has become longer
}

void Table::add(const Settled& probe)
{
    if (probe.exploring) return;
    auto& flow = flows_[probe.flow];
    if (flow.reach != 0 && probe.ttl > flow.reach) return;
    if (flow.hops.size() < probe.ttl) flow.hops.resize(probe.ttl);
    auto& hop = flow.hops[probe.ttl - 1U];
    auto& row = row_of(hop, probe);
    if (probe.state == ProbeState::Unsent) {
        ++row.unsent;
        return;
    }
    ++row.sent;
    hop.seen.push_back({probe.sent, probe.state == ProbeState::Answered ? std::optional(probe.rtt) : std::nullopt});
    if (hop.seen.size() > kObservationsMax) hop.seen.pop_front();
    if (probe.state == ProbeState::Answered) {
        take_answer(hop, probe);
        note_end(flow, probe);
    } else {
        hop.rtt_before.reset();
    }
}

HopEvidence Table::evidence(const FlowSet& flows, std::size_t hop, Moment frontier) const
{
    HopEvidence found;
    for (const auto id : flows) {
        const auto& flow = flows_.at(id);
        if (hop >= flow.hops.size()) continue;
        found.ever_answered = found.ever_answered || flow.hops[hop].ever_answered;
        for (const auto& seen : flow.hops[hop].seen)
            if (seen.at < frontier) found.probes.push_back({seen.at.time_since_epoch(), seen.rtt.has_value()});
    }
    std::ranges::sort(found.probes, {}, &Observation::at);
    return found;
}

std::vector<HopVerdict> Table::judge_flows(const FlowSet& flows, Moment frontier) const
{
    std::size_t hops = 0;
    bool arrived = true;
    for (const auto id : flows) {
        const auto& flow = flows_.at(id);
        hops = std::max(hops, flow.reach == 0 ? flow.hops.size() : flow.reach);
        arrived = arrived && flow.arrived && flow.reach != 0;
    }
    std::vector<HopEvidence> chain;
    for (std::size_t hop = 0; hop < hops; ++hop) chain.push_back(evidence(flows, hop, frontier));
    return judge(chain, arrived);
}

std::vector<HopRow> Table::rows_of(const FlowSet& flows, Moment frontier) const
{
    struct Found {
        HopRow row{};
        FlowSet through{};
    };
    std::map<std::pair<std::uint8_t, std::optional<packet::Address>>, Found> found;
    std::uint8_t last_answering = 0;
    for (const auto id : flows) {
        for (const auto& hop : flows_.at(id).hops) {
            for (std::size_t i = 0; i < hop.rows.size(); ++i) {
                auto row = hop.rows[i];
                row.flows = i == hop.current;
                row.per_packet = hop.changes >= kChangesOfBalancing;
                if (row.address) last_answering = std::max(last_answering, row.ttl);
                auto& entry = found[{row.ttl, row.address}];
                if (entry.row.ttl == 0) entry.row = row;
                else merge(entry.row, row);
                if (i == hop.current) entry.through.push_back(id);
            }
        }
    }
    std::map<FlowSet, std::vector<HopVerdict>> verdicts;
    std::vector<HopRow> rows;
    for (auto& [key, entry] : found) {
        // Of the hops that nobody answered for behind the last that was, one says it all.
        if (entry.row.ttl > last_answering + 1) break;
        auto known = verdicts.find(entry.through);
        if (known == verdicts.end()) known = verdicts.emplace(entry.through, judge_flows(entry.through, frontier)).first;
        if (entry.row.ttl <= known->second.size()) entry.row.verdict = known->second[entry.row.ttl - 1U];
        rows.push_back(std::move(entry.row));
    }
    return rows;
}

std::vector<std::uint16_t> Table::flows() const
{
    FlowSet all;
    for (const auto& [id, flow] : flows_) all.push_back(id);
    return all;
}

std::vector<HopRow> Table::rows(Moment frontier) const { return rows_of(flows(), frontier); }

std::vector<HopRow> Table::rows_of(std::uint16_t flow, Moment frontier) const
{
    return flows_.contains(flow) ? rows_of(FlowSet{flow}, frontier) : std::vector<HopRow>{};
}

bool Table::reached() const
{
    return !flows_.empty()
           && std::ranges::all_of(flows_, [](const auto& flow) { return flow.second.reach != 0 && flow.second.arrived; });
}

std::vector<std::optional<Nanos>> Table::recent(std::uint8_t ttl, std::size_t count) const
{
    std::vector<Seen> all;
    for (const auto& [id, flow] : flows_)
        if (ttl <= flow.hops.size()) all.insert(all.end(), flow.hops[ttl - 1U].seen.begin(), flow.hops[ttl - 1U].seen.end());
    std::ranges::sort(all, {}, &Seen::at);
    if (all.size() > count) all.erase(all.begin(), all.end() - std::ptrdiff_t(count));
    std::vector<std::optional<Nanos>> recent;
    for (const auto& seen : all) recent.push_back(seen.rtt);
    return recent;
}

void Table::keep_only(std::span<const std::uint16_t> kept)
{
    std::erase_if(flows_, [&](const auto& flow) { return std::ranges::find(kept, flow.first) == kept.end(); });
}

}  // namespace nw::probe::path
