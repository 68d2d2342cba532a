// The round trips of a run: the sums of the columns that model/kinds/round_trip.hpp declares. Pure.
#pragma once

#include "base/time.hpp"
#include "model/rows.hpp"
#include "quality/histogram.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace nw::probe {

class RoundTrips {
public:
    void sent(std::uint32_t packets) { sent_ += packets; }
    // Answered by an ICMP error.
    void unreachable() { ++unreachable_; }
    // `before`: of the packet before it in the same flow, if that was answered too (RFC 3393, section 2.7).
    void answered(Nanos rtt, std::optional<Nanos> before);

    std::uint32_t sent() const { return sent_; }
    std::uint32_t received() const { return received_; }
    void fill(Sample& sample) const;

private:
    std::uint32_t sent_ = 0, received_ = 0, unreachable_ = 0, ipdv_count_ = 0;
    Nanos min_{}, max_{}, sum_{}, ipdv_sum_{};
    double sum_squares_us2_ = 0;
    quality::Histogram histogram_{};
};

// Of a column that the sample's kind must have.
void put(Sample& sample, std::string_view column, std::int64_t value);
// Rounded to the nearest.
constexpr std::int64_t to_us(Nanos time) { return (time.count() + 500) / 1000; }

}  // namespace nw::probe
