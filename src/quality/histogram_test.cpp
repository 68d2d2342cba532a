#include "quality/histogram.hpp"

#include "base/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace nw::quality {

TEST_CASE("every value from 1 us to 100 s is within 1 % of its bucket's value")
{
    double worst = 0;
    for (double v = 1000; v <= 100e9; v *= 1.0007) {
        const auto value = Nanos(std::int64_t(v));
        const auto shown = double(bucket_value(bucket_of(value)).count());
        worst = std::max(worst, std::abs(shown - double(value.count())) / double(value.count()));
        REQUIRE(bucket_low(bucket_of(value)) <= value);
    }
    CHECK(worst <= 0.01);
}

TEST_CASE("merging is the same in any order and keeps every count")
{
    SeededRandom random(3);
    Histogram parts[3];
    Histogram whole;
    for (int i = 0; i < 3000; ++i) {
        const auto value = Nanos(std::int64_t(1000 + random.below(1'000'000'000)));
        parts[random.below(3)].add(value);
        whole.add(value);
    }
    Histogram forward;
    for (const auto& part : parts) forward.merge(part);
    Histogram backward;
    for (int i = 2; i >= 0; --i) REQUIRE(backward.merge_compact(parts[i].compact()));
    CHECK(forward == whole);
    CHECK(backward == whole);
    CHECK(forward.compact() == whole.compact());
    CHECK(*Histogram::from_compact(whole.compact()) == whole);
}

TEST_CASE("quantiles stay within 1 % of the sorted values")
{
    SeededRandom random(4);
    std::vector<std::int64_t> values;
    Histogram histogram;
    for (int i = 0; i < 10'000; ++i) {
        const auto v = std::int64_t(std::exp(random.unit() * 15) * 1000);
        values.push_back(v);
        histogram.add(Nanos(v));
    }
    std::ranges::sort(values);
    for (const double q : {0.0, 0.01, 0.5, 0.95, 0.99, 1.0}) {
        const auto rank = std::max<std::size_t>(1, std::size_t(std::ceil(q * double(values.size()))));
        const auto truth = double(values[rank - 1]);
        CHECK(std::abs(double(histogram.quantile(q).count()) - truth) / truth <= 0.01);
    }
}

TEST_CASE("bytes that are no histogram are refused")
{
    using namespace std::string_view_literals;
    CHECK(!Histogram::from_compact("\x05"sv));              // no count
    CHECK(!Histogram::from_compact("\x05\x00"sv));          // empty bucket
    CHECK(!Histogram::from_compact("\x05\x01\x00\x01"sv));  // twice the same
    CHECK(!Histogram::from_compact("\xff\xff\x7f\x01"sv));  // out of range
    CHECK(Histogram::from_compact("")->empty());
    Histogram kept;
    kept.add(Nanos(5000));
    const auto before = kept;
    CHECK(!kept.merge_compact("\x05"sv));
    CHECK(kept == before);
}

TEST_CASE("a quantile of the largest possible count is the value itself")
{
    Histogram histogram;
    histogram.add(std::chrono::milliseconds(20), std::numeric_limits<std::uint64_t>::max());
    CHECK(histogram.quantile(1) == bucket_value(bucket_of(std::chrono::milliseconds(20))));
}

TEST_CASE("values off the scale are clamped, not lost")
{
    Histogram histogram;
    histogram.add(Nanos(-5));
    histogram.add(std::chrono::hours(1));
    CHECK(histogram.count() == 2);
    CHECK(histogram.entries().front().bucket == 0);
    CHECK(histogram.entries().back().bucket == kBucketCount - 1);
}

}  // namespace nw::quality
