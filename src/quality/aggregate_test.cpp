#include "quality/accumulator.hpp"
#include "quality/aggregate.hpp"

#include "base/random.hpp"
#include "model/kinds/ping.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace nw;
using namespace nw::quality;

namespace {

const Kind& ping = kinds::ping;

Sample ping_sample(std::int64_t at, std::int64_t sent, const std::vector<std::int64_t>& rtts_us)
{
    auto sample = make_sample(ping, ProbeId{7}, from_us(at));
    sample.outcome = rtts_us.empty() ? Outcome::Lost : Outcome::Ok;
    const auto set = [&](std::string_view name, std::int64_t value) { sample.numbers[*ping.column_index(name)] = value; };
    Histogram histogram;
    std::int64_t squares = 0;
    for (const auto us : rtts_us) {
        histogram.add(Micros(us));
        squares += us * us;
    }
    set("sent", sent);
    set("received", std::int64_t(rtts_us.size()));
    if (!rtts_us.empty()) {
        set("rtt_min", std::ranges::min(rtts_us));
        set("rtt_max", std::ranges::max(rtts_us));
        set("rtt_sum", std::accumulate(rtts_us.begin(), rtts_us.end(), std::int64_t{0}));
        set("rtt_sum_squares", squares);
        set("ttl_reply", 50 + at % 7);
    }
    sample.bytes[*ping.column_index("rtt")] = histogram.compact();
    return sample;
}

Rows rows_of(const std::vector<Sample>& samples)
{
    auto rows = make_rows(ping);
    for (std::size_t i = 0; i < samples.size(); ++i) append(rows, i + 1, samples[i]);
    return rows;
}

double value(std::string_view metric, const Aggregate& aggregate)
{
    const auto got = evaluate(ping, *ping.metric(metric), aggregate);
    REQUIRE(got);
    return *got;
}

Rows random_rows(Random& random, std::size_t count)
{
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < count; ++i) {
        std::vector<std::int64_t> rtts(random.below(6));
        for (auto& rtt : rtts) rtt = std::int64_t(1 + random.below(200'000));
        samples.push_back(ping_sample(std::int64_t(1'000'000 + random.below(50)), 6, rtts));
    }
    return rows_of(samples);
}

}  // namespace

TEST_CASE("metrics come from merged counts, sums and histograms")
{
    const auto rows =
        rows_of({ping_sample(10, 4, {1000, 2000, 3000}), ping_sample(20, 4, {}), ping_sample(30, 2, {6000, 8000})});
    auto all = make_aggregate(ping);
    for (std::size_t i = 0; i < rows.size(); ++i) add(all, rows, i);

    CHECK(all.runs == 3);
    CHECK(all.outcomes[std::size_t(Outcome::Lost)] == 1);
    CHECK(all.first_at_us == 10);
    CHECK(all.last_at_us == 30);
    CHECK(value("loss_ratio", all) == doctest::Approx(0.5));
    CHECK(value("rtt_mean", all) == doctest::Approx(4000));
    CHECK(value("rtt_min", all) == 1000);
    CHECK(value("rtt_max", all) == 8000);
    CHECK(value("rtt_p50", all) == doctest::Approx(3000).epsilon(0.01));
    CHECK(value("rtt_deviation", all) == doctest::Approx(std::sqrt(6.8e6)));
    CHECK(all.numbers[*ping.column_index("ttl_reply")] == 50 + 30 % 7);
}

TEST_CASE("what was never measured has no value, and an empty range has none at all")
{
    auto none = make_aggregate(ping);
    for (const auto& metric : ping.metrics) CHECK_FALSE(evaluate(ping, metric, none));
    const auto rows = rows_of({ping_sample(10, 20, {})});
    add(none, rows, 0);
    CHECK(value("loss_ratio", none) == 1.0);
    CHECK_FALSE(evaluate(ping, *ping.metric("rtt_mean"), none));
    CHECK_FALSE(evaluate(ping, *ping.metric("late"), none));
}

TEST_CASE("a sum beyond 64 bits has no value instead of a wrong one")
{
    auto sample = ping_sample(10, 1, {5});
    const auto squares = *ping.column_index("rtt_sum_squares");
    sample.numbers[squares] = INT64_MAX - 10;
    const auto rows = rows_of({sample, sample});
    auto sum = make_aggregate(ping);
    add(sum, rows, 0);
    CHECK(evaluate(ping, *ping.metric("rtt_deviation"), sum));
    add(sum, rows, 1);
    CHECK_FALSE(evaluate(ping, *ping.metric("rtt_deviation"), sum));
}

TEST_CASE("merging gives the same aggregate in any order and grouping")
{
    SeededRandom random(5);
    for (int round = 0; round < 50; ++round) {
        const auto rows = random_rows(random, 1 + random.below(40));
        auto whole = make_aggregate(ping);
        for (std::size_t i = 0; i < rows.size(); ++i) add(whole, rows, i);
        std::vector<Aggregate> parts(1 + random.below(5), make_aggregate(ping));
        for (std::size_t i = rows.size(); i-- > 0;) add(parts[random.below(parts.size())], rows, i);
        auto merged = make_aggregate(ping);
        for (const auto& part : parts) merge(ping, merged, part);
        CHECK(merged == whole);
    }
}

TEST_CASE("an aggregate survives its bytes; cut or damaged bytes are refused or differ, never crash")
{
    SeededRandom random(6);
    for (int round = 0; round < 50; ++round) {
        const auto rows = random_rows(random, random.below(20));
        auto aggregate = make_aggregate(ping);
        for (std::size_t i = 0; i < rows.size(); ++i) add(aggregate, rows, i);
        std::string bytes;
        encode(ping, aggregate, bytes);
        encode(ping, aggregate, bytes);
        std::string_view in = bytes;
        CHECK(decode_aggregate(ping, in) == aggregate);
        CHECK(decode_aggregate(ping, in) == aggregate);
        CHECK(in.empty());
        for (std::size_t cut = 0; cut < bytes.size() / 2; ++cut) {
            std::string_view shorter = std::string_view(bytes).substr(0, cut);
            CHECK_FALSE(decode_aggregate(ping, shorter));
        }
        auto damaged = bytes;
        damaged[random.below(damaged.size())] ^= char(1 + random.below(255));
        std::string_view view = damaged;
        (void)decode_aggregate(ping, view);
    }
}

TEST_CASE("the accumulator builds the same aggregates, again and again")
{
    SeededRandom random(7);
    Accumulator accumulator(ping);
    for (int round = 0; round < 50; ++round) {
        const auto rows = random_rows(random, random.below(40));
        auto whole = make_aggregate(ping);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            add(whole, rows, i);
            if (i % 2 == 0) {
                accumulator.add(rows, i);
                continue;
            }
            auto single = make_aggregate(ping);
            add(single, rows, i);
            accumulator.add(single);
        }
        CHECK(accumulator.empty() == whole.empty());
        CHECK(accumulator.take() == whole);
    }
}
