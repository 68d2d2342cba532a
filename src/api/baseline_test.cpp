#include "api/baseline.hpp"

#include "store/telemetry/memory.hpp"
#include "store/telemetry/telemetry_contract.hpp"

namespace nw::api {
namespace {

using store::kDayUs;
using store::kHourUs;
using store::contract::kStart;
constexpr auto kWeekUs = 7 * kDayUs;
constexpr std::int64_t kMinuteUs = 60 * store::kSecondUs;

// One probe whose week before is known: one run a minute, all of its packets alike.
struct World {
    testing::ManualClock clock;
    std::unique_ptr<store::Telemetry> telemetry;
    ProbeAndKind of{.probe = {.id = ProbeId(5)}, .kind = &kinds::ping};
    std::uint64_t seq = 1;

    World()
    {
        clock.set_wall(from_us(kStart + kWeekUs + kDayUs));
        telemetry = store::make_memory_telemetry(clock);
    }
    ~World() { testing::run(telemetry->close()); }

    void measure(std::int64_t from, int minutes, std::int64_t rtt_us)
    {
        std::vector<Sample> samples;
        for (int i = 0; i < minutes; ++i)
            samples.push_back(store::contract::ping_sample(5, from + i * kMinuteUs, 3, {rtt_us, rtt_us, rtt_us}));
        auto batch = store::contract::batch_of(StreamId(9), seq, samples);
        auto bytes = wire::encode_batch(batch);
        seq += samples.size();
        REQUIRE(testing::run(telemetry->append({AgentId(1), std::move(batch), std::move(bytes), clock.wall()})));
    }
    std::optional<UsualColumn> usual(std::int64_t from, std::int64_t until, std::int64_t step)
    {
        auto found = testing::run(read_baseline(*telemetry, of, {from, until}, step));
        REQUIRE(found);
        return *std::move(found);
    }
};

}  // namespace

TEST_CASE("every bucket has what is usual in its hour of the week")
{
    World w;
    w.measure(kStart + kHourUs, 60, 20'000);
    w.measure(kStart + 2 * kHourUs, 60, 40'000);
    const auto now = kStart + kWeekUs;
    const auto found = w.usual(now, now + 3 * kHourUs, 10 * kMinuteUs);
    REQUIRE(found);
    CHECK(found->column->name == "rtt");
    REQUIRE(found->buckets.size() == 18);
    for (std::size_t i = 0; i < 6; ++i) CHECK(!found->buckets[i]);  // that hour was not measured
    for (std::size_t i = 6; i < 12; ++i) CHECK(found->buckets[i]->mean == doctest::Approx(20'000).epsilon(0.008));
    for (std::size_t i = 12; i < 18; ++i) CHECK(found->buckets[i]->mean == doctest::Approx(40'000).epsilon(0.008));
}

TEST_CASE("a bucket longer than an hour has what is usual in all of its hours")
{
    World w;
    w.measure(kStart, 60, 20'000);
    w.measure(kStart + kHourUs, 60, 40'000);
    const auto now = kStart + kWeekUs;
    const auto found = w.usual(now, now + 2 * kHourUs, 2 * kHourUs);
    REQUIRE(found->buckets.size() == 1);
    CHECK(found->buckets[0]->mean == doctest::Approx(30'000).epsilon(0.008));
    CHECK(found->buckets[0]->count == 24);
}

TEST_CASE("half an hour is enough, less is not")
{
    World w;
    w.measure(kStart, 30, 20'000);
    w.measure(kStart + kHourUs, 25, 20'000);
    const auto now = kStart + kWeekUs;
    const auto found = w.usual(now, now + 2 * kHourUs, kHourUs);
    CHECK(found->buckets[0]);
    CHECK(!found->buckets[1]);
}

TEST_CASE("there is no baseline where there can be none")
{
    World w;
    w.measure(kStart, 60, 20'000);
    CHECK(!w.usual(kStart + kWeekUs, kStart + kWeekUs + 18 * kDayUs, kHourUs));  // more five-minute values than a query has
    CHECK(!w.usual(3 * kDayUs, 4 * kDayUs, kHourUs));                            // before the epoch's second week
    CHECK(!w.usual(kStart, kStart, kHourUs));                                    // no bucket
    auto plain = kinds::ping;
    plain.presentation.distribution = "";
    w.of.kind = &plain;
    CHECK(!w.usual(kStart + kWeekUs, kStart + kWeekUs + kHourUs, kHourUs));
}

}  // namespace nw::api
