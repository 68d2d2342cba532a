#include "quality/baseline.hpp"

#include "base/testing.hpp"

#include <cmath>
#include <vector>

namespace nw::quality {

using Medians = std::vector<std::optional<double>>;

TEST_CASE("a baseline is mean and sample deviation of the medians that are there")
{
    const Medians medians{10., 12., std::nullopt, 14., 16., 18., 20., std::nullopt};
    const auto found = baseline_of(medians);
    REQUIRE(found);
    CHECK(found->count == 6);
    CHECK(found->mean == doctest::Approx(15));
    CHECK(found->sigma == doctest::Approx(std::sqrt(14.0)));
    CHECK(deviation(*found, 15 + 2 * std::sqrt(14.0)) == doctest::Approx(2));
    CHECK(deviation(*found, 15 - std::sqrt(14.0)) == doctest::Approx(-1));
}

TEST_CASE("too little is no baseline")
{
    CHECK(!baseline_of({}));
    CHECK(!baseline_of(Medians{1., 2., 3., 4., 5.}));  // under half an hour
    CHECK(!baseline_of(Medians(12)));                  // nothing was measured
    auto sparse = Medians(13);
    std::fill_n(sparse.begin(), 6, 5.0);
    CHECK(!baseline_of(sparse));  // under half of the window
    sparse.pop_back();
    CHECK(baseline_of(sparse));
}

TEST_CASE("a quiet path's deviation is what the histogram can tell apart")
{
    const auto found = baseline_of(Medians(12, 1000.0));
    REQUIRE(found);
    CHECK(found->sigma == doctest::Approx(10));
    CHECK(deviation(*found, 1005) == doctest::Approx(0.5));
}

TEST_CASE("large values keep their deviation")
{
    const auto found = baseline_of(Medians{1e12 + 1, 1e12 + 2, 1e12 + 3, 1e12 + 4, 1e12 + 5, 1e12 + 6});
    REQUIRE(found);
    CHECK(found->mean == doctest::Approx(1e12 + 3.5));
    CHECK(found->sigma == doctest::Approx(1e10));
    CHECK(baseline_of(Medians(6, 0.0))->sigma == 0);
    CHECK(deviation(*baseline_of(Medians(6, 0.0)), 5) == 0);
}

}  // namespace nw::quality
