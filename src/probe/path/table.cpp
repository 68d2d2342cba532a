#include "probe/path/table.hpp"

#include <algorithm>
#include <cmath>

namespace nw::probe::path {
namespace {

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
    hop.current = std::size_t(found - hop.rows.begin());
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
    hop.rtt_before = probe.rtt;
}

void Table::add(const Settled& probe)
{
    if (probe.purpose != Purpose::Measure) return;
    if (const auto reach = evidence_.reach_of(probe.flow); reach != 0 && probe.ttl > reach) return;
    evidence_.add(probe);
    auto& flow = flows_[probe.flow];
    if (flow.size() < probe.ttl) flow.resize(probe.ttl);
    // What was asked beyond the end is forgotten.
    if (const auto reach = evidence_.reach_of(probe.flow); reach != 0 && flow.size() > reach) flow.resize(reach);
    auto& hop = flow[probe.ttl - 1U];
    auto& row = row_of(hop, probe);
    if (probe.state == ProbeState::Unsent) {
        ++row.unsent;
        return;
    }
    ++row.sent;
    hop.seen.push_back({probe.sent, probe.state == ProbeState::Answered ? std::optional(probe.rtt) : std::nullopt});
    if (hop.seen.size() > kRecentMax) hop.seen.pop_front();
    if (probe.state == ProbeState::Answered) take_answer(hop, probe);
    else hop.rtt_before.reset();
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
        if (!flows_.contains(id)) continue;
        for (const auto& hop : flows_.at(id)) {
            for (std::size_t i = 0; i < hop.rows.size(); ++i) {
                auto row = hop.rows[i];
                row.flows = i == hop.current;
                row.per_packet = evidence_.is_balanced_per_packet(id, row.ttl);
                if (row.address) last_answering = std::max(last_answering, row.ttl);
                auto& entry = found[{row.ttl, row.address}];
                if (entry.row.ttl == 0) entry.row = row;
                else merge(entry.row, row);
                if (i == hop.current) entry.through.push_back(id);
            }
        }
    }
    const auto verdicts = evidence_.judge(frontier);
    std::vector<HopRow> rows;
    for (auto& [key, entry] : found) {
        // Of the hops that nobody answered for behind the last that was, one says it all.
        if (entry.row.ttl > last_answering + 1) break;
        const auto way = entry.through.empty() ? verdicts.end() : verdicts.find(entry.through.front());
        if (way != verdicts.end() && entry.row.ttl <= way->second.size())
            entry.row.verdict = way->second[entry.row.ttl - 1U];
        rows.push_back(std::move(entry.row));
    }
    return rows;
}

std::vector<HopRow> Table::rows(Moment frontier) const { return rows_of(flows(), frontier); }

std::vector<HopRow> Table::rows_of(std::uint16_t flow, Moment frontier) const
{
    return flows_.contains(flow) ? rows_of(FlowSet{flow}, frontier) : std::vector<HopRow>{};
}

std::vector<std::optional<Nanos>> Table::recent(std::uint8_t ttl, std::size_t count) const
{
    std::vector<Seen> all;
    for (const auto& [id, flow] : flows_)
        if (ttl <= flow.size()) all.insert(all.end(), flow[ttl - 1U].seen.begin(), flow[ttl - 1U].seen.end());
    std::ranges::sort(all, {}, &Seen::at);
    if (all.size() > count) all.erase(all.begin(), all.end() - std::ptrdiff_t(count));
    std::vector<std::optional<Nanos>> recent;
    for (const auto& seen : all) recent.push_back(seen.rtt);
    return recent;
}

void Table::keep_only(std::span<const std::uint16_t> kept)
{
    evidence_.keep_only(kept);
    std::erase_if(flows_, [&](const auto& flow) { return std::ranges::find(kept, flow.first) == kept.end(); });
}

}  // namespace nw::probe::path
