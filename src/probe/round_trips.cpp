#include "probe/round_trips.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace nw::probe {

void RoundTrips::answered(Nanos rtt, std::optional<Nanos> before)
{
    const auto us = double(rtt.count()) / 1e3;
    min_ = received_ == 0 ? rtt : std::min(min_, rtt);
    max_ = std::max(max_, rtt);
    sum_ += rtt;
    sum_squares_us2_ += us * us;
    histogram_.add(rtt);
    ++received_;
    if (!before) return;
    ipdv_sum_ += rtt > *before ? rtt - *before : *before - rtt;
    ++ipdv_count_;
}

void RoundTrips::fill(Sample& sample) const
{
    put(sample, "sent", sent_);
    put(sample, "received", received_);
    put(sample, "unreachable", unreachable_);
    if (received_ == 0) return;
    put(sample, "rtt_min", to_us(min_));
    put(sample, "rtt_max", to_us(max_));
    put(sample, "rtt_sum", to_us(sum_));
    put(sample, "rtt_sum_squares", std::int64_t(sum_squares_us2_ + 0.5));
    put(sample, "ipdv_sum", to_us(ipdv_sum_));
    put(sample, "ipdv_count", ipdv_count_);
    sample.bytes[*sample.kind->column_index("rtt")] = histogram_.compact();
}

void put(Sample& sample, std::string_view column, std::int64_t value)
{
    const auto index = sample.kind->column_index(column);
    NW_ASSERT(index.has_value());
    sample.numbers[*index] = value;
}

}  // namespace nw::probe
