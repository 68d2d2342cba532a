#include "generator.hpp"

#include "quality/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nw::bench {
namespace {

constexpr int kPackets = 60;
constexpr std::size_t kBatchRows = 100;

std::size_t column(std::string_view name) { return *kinds::ping.column_index(name); }

}  // namespace

AgentId agent_of(std::uint64_t probe) { return AgentId(1 + probe / kProbesPerAgent); }
StreamId stream_of(std::uint64_t probe) { return StreamId(0x9e3779b97f4a7c15ULL * (1 + probe / kProbesPerAgent)); }

Generator::Generator(std::uint64_t probes, Seconds interval, std::int64_t start)
    : probes_(probes), order_(probes), seq_(probes / kProbesPerAgent + 1), interval_(Micros(interval).count()),
      start_(start), counts_(quality::kBucketCount)
{
    for (auto& probe : probes_) {
        probe.base = 300 * std::exp(chance_.unit() * 6.2);
        const auto spread = chance_.unit();
        probe.spread = 0.02 + 0.3 * spread * spread;
        probe.phase = std::int64_t(chance_.u64() % std::uint64_t(interval_));
    }
    std::iota(order_.begin(), order_.end(), 0ULL);
    std::ranges::sort(order_, {}, [&](std::uint64_t i) { return probes_[i].phase; });
    pending_.assign(seq_.size(), make_rows(kinds::ping));
    ping_.numbers.assign(kinds::ping.columns.size(), kAbsent);
}

const Ping& Generator::next()
{
    const auto index = order_[turn_];
    auto& probe = probes_[index];
    ping_.probe = index;
    ping_.at_us = start_ + std::int64_t(round_) * interval_ + probe.phase + std::int64_t(chance_.u64() % 1'000);
    const double hour = double(ping_.at_us / 1'000'000 % 86'400) / 86'400;
    measure(probe, 1 + 0.45 * probe.spread * std::max(0.0, std::sin((hour - 0.35) * 6.2831853)));
    if (++turn_ == probes_.size()) {
        turn_ = 0;
        ++round_;
    }
    return ping_;
}

void Generator::measure(Probe& probe, double busy)
{
    probe.walk = 0.98 * probe.walk + 0.02 * (chance_.unit() * 4 - 2);
    const auto luck = chance_.u64();
    if (luck % 2000 == 0) probe.bad = !probe.bad;
    else if (probe.bad && luck % 20 == 0) probe.bad = false;
    const double base = probe.base * (1 + 0.3 * probe.walk) * busy * (probe.bad ? 1.2 : 1);
    const double loss = probe.bad ? 0.15 : 0.0004;
    std::int64_t received = 0, sum = 0, squares = 0, variation = 0, last = 0;
    std::int64_t low = INT64_MAX, high = 0;
    std::uint32_t first = quality::kBucketCount, past = 0;
    for (int i = 0; i < kPackets; ++i) {
        const auto bits = chance_.u64();
        if (double(bits >> 40) * 0x1p-24 < loss) continue;
        // A sum of uniform numbers is near enough to a normal one.
        const double normal = double((bits & 0xffff) + (bits >> 16 & 0xffff)) / 32768.0 - 2;
        double us = base * (1 + probe.spread * std::fabs(normal));
        if ((bits & 1023) < 8) us += base * probe.spread * 6;
        const auto rtt = std::int64_t(us) + 1;
        if (received > 0) variation += std::abs(rtt - last);
        last = rtt;
        ++received;
        sum += rtt;
        squares += rtt * rtt;
        low = std::min(low, rtt);
        high = std::max(high, rtt);
        const auto bucket = quality::bucket_of(Micros(rtt));
        ++counts_[bucket];
        first = std::min(first, bucket);
        past = std::max(past, bucket + 1);
    }
    std::vector<quality::Histogram::Entry> entries;
    for (auto bucket = first; bucket < past; ++bucket)
        if (counts_[bucket]) entries.push_back({bucket, std::exchange(counts_[bucket], std::uint16_t(0))});
    ping_.histogram = quality::Histogram::from_entries(std::move(entries)).compact();
    auto& n = ping_.numbers;
    const bool any = received > 0;
    n[column("sent")] = kPackets;
    n[column("received")] = received;
    n[column("rtt_min")] = any ? low : kAbsent;
    n[column("rtt_max")] = any ? high : kAbsent;
    n[column("rtt_sum")] = any ? sum : kAbsent;
    n[column("rtt_sum_squares")] = any ? squares : kAbsent;
    n[column("ipdv_sum")] = variation;
    n[column("ipdv_count")] = std::max<std::int64_t>(0, received - 1);
    for (const auto* name : {"late", "duplicates", "reordered", "corrupted", "unreachable"}) n[column(name)] = 0;
    n[column("ttl_reply")] = any ? 57 : kAbsent;
    n[column("resolve_us")] = kAbsent;
}

std::vector<wire::Batch> Generator::batches(std::size_t rows)
{
    std::vector<wire::Batch> made;
    const auto put_down = [&](std::size_t agent) {
        auto& pending = pending_[agent];
        if (pending.size() == 0) return;
        made.push_back({.stream = stream_of(agent * kProbesPerAgent),
                        .first_seq = pending.seq.front(),
                        .count = std::uint32_t(pending.size())});
        made.back().kinds.push_back(std::exchange(pending, make_rows(kinds::ping)));
    };
    const std::string address("\xc0\x00\x02\x01", 4);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto& ping = next();
        const auto agent = ping.probe / kProbesPerAgent;
        auto sample = make_sample(kinds::ping, ProbeId(ping.probe + 1), from_us(ping.at_us));
        sample.outcome = ping.numbers[column("received")] > 0 ? Outcome::Ok : Outcome::Lost;
        sample.clock = ClockSource::Kernel;
        sample.address = address;
        sample.numbers = ping.numbers;
        sample.bytes[column("rtt")] = ping.histogram;
        append(pending_[agent], ++seq_[agent], sample);
        if (pending_[agent].size() == kBatchRows) put_down(agent);
    }
    for (std::size_t agent = 0; agent < pending_.size(); ++agent) put_down(agent);
    return made;
}

}  // namespace nw::bench
