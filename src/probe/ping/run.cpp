#include "probe/ping/run.hpp"

#include "base/assert.hpp"
#include "quality/histogram.hpp"

#include <algorithm>
#include <cstdlib>

namespace nw::probe::ping {
namespace {

struct Sums {
    std::int64_t sent = 0, received = 0, unreachable = 0, ipdv_count = 0;
    std::int64_t rtt_ns = 0, ipdv_ns = 0;
    std::int64_t rtt_min_ns = 0, rtt_max_ns = 0;
    double rtt_squares_us2 = 0;
    quality::Histogram histogram{};
};

Sums add_up(const RunResult& run)
{
    Sums sums;
    auto before = run.rtt_before;
    for (const auto& packet : run.packets) {
        if (packet.state != PacketState::Unsent) ++sums.sent;
        if (packet.state == PacketState::Unreachable) ++sums.unreachable;
        if (packet.state != PacketState::Answered) {
            before.reset();
            continue;
        }
        const auto rtt = packet.rtt_ns;
        sums.rtt_min_ns = sums.received == 0 ? rtt : std::min<std::int64_t>(sums.rtt_min_ns, rtt);
        sums.rtt_max_ns = std::max<std::int64_t>(sums.rtt_max_ns, rtt);
        sums.rtt_ns += rtt;
        sums.rtt_squares_us2 += double(rtt) / 1e3 * (double(rtt) / 1e3);
        sums.histogram.add(packet.rtt());
        ++sums.received;
        if (before) {
            sums.ipdv_ns += std::abs(rtt - before->count());
            ++sums.ipdv_count;
        }
        before = packet.rtt();
    }
    return sums;
}

std::int64_t to_us(std::int64_t ns) { return (ns + 500) / 1000; }

}  // namespace

void fill_columns(const RunResult& run, Sample& sample)
{
    if (run.outcome == Outcome::NotMeasured) return;
    const auto sums = add_up(run);
    const auto put = [&](std::string_view column, std::int64_t value) {
        const auto index = sample.kind->column_index(column);
        NW_ASSERT(index.has_value());
        sample.numbers[*index] = value;
    };
    put("sent", sums.sent);
    put("received", sums.received);
    put("unreachable", sums.unreachable);
    put("late", run.counts.late);
    put("duplicates", run.counts.duplicates);
    put("reordered", run.counts.reordered);
    put("corrupted", run.counts.corrupted);
    if (sums.received == 0) return;
    put("rtt_min", to_us(sums.rtt_min_ns));
    put("rtt_max", to_us(sums.rtt_max_ns));
    put("rtt_sum", to_us(sums.rtt_ns));
    put("rtt_sum_squares", std::int64_t(sums.rtt_squares_us2 + 0.5));
    put("ipdv_sum", to_us(sums.ipdv_ns));
    put("ipdv_count", sums.ipdv_count);
    if (run.ttl) put("ttl_reply", *run.ttl);
    sample.bytes[*sample.kind->column_index("rtt")] = sums.histogram.compact();
}

}  // namespace nw::probe::ping
