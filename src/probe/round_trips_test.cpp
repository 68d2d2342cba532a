#include "probe/round_trips.hpp"

#include "base/testing.hpp"
#include "model/kinds/all.hpp"

namespace nw::probe {
namespace {

Sample filled(const RoundTrips& trips)
{
    auto sample = make_sample(*all_kinds().by_name("ping"), ProbeId{1}, WallTime{});
    trips.fill(sample);
    return sample;
}

std::int64_t number(const Sample& sample, std::string_view column)
{
    return sample.numbers[*sample.kind->column_index(column)];
}

}  // namespace

TEST_CASE("round trips add up; delay variation is between neighbours that were both answered")
{
    RoundTrips trips;
    trips.sent(4);
    trips.answered(Micros(1'000), std::nullopt);
    trips.answered(Micros(3'000), Micros(1'000));
    trips.unreachable();
    trips.answered(Micros(2'000), std::nullopt);
    const auto sample = filled(trips);
    CHECK(number(sample, "sent") == 4);
    CHECK(number(sample, "received") == 3);
    CHECK(number(sample, "unreachable") == 1);
    CHECK(number(sample, "rtt_min") == 1'000);
    CHECK(number(sample, "rtt_max") == 3'000);
    CHECK(number(sample, "rtt_sum") == 6'000);
    CHECK(number(sample, "rtt_sum_squares") == 14'000'000);
    CHECK(number(sample, "ipdv_sum") == 2'000);
    CHECK(number(sample, "ipdv_count") == 1);
}

TEST_CASE("without an answer there are no round trips, which is not zero")
{
    RoundTrips trips;
    trips.sent(3);
    const auto sample = filled(trips);
    CHECK(number(sample, "received") == 0);
    for (const auto* column : {"rtt_min", "rtt_max", "rtt_sum", "ipdv_sum"}) CHECK(number(sample, column) == kAbsent);
}

}  // namespace nw::probe
