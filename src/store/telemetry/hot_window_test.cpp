#include "store/telemetry/hot_window.hpp"

#include "model/kinds/ping.hpp"
#include "store/telemetry/rows_testing.hpp"

#include <doctest/doctest.h>

using namespace nw;
using namespace nw::store;
using namespace nw::store::testing_rows;

namespace {

constexpr std::int64_t kStart = 1'769'212'800'000'000;
constexpr ProbeKey kProbe{ProbeId(5), &kinds::ping};

struct Window {
    HotWindow hot{};
    SeededRandom random{31};
    quality::Accumulator scratch{kinds::ping};
    std::uint64_t seq = 0;

    Sample append(std::int64_t at_us, std::uint64_t epoch = 1)
    {
        auto sample = random_sample(random, kinds::ping, kProbe.probe, at_us);
        auto rows = make_rows(kinds::ping);
        nw::append(rows, ++seq, sample);
        hot.append(rows, {0}, {.agent = AgentId(1), .stream = StreamId(7), .received_us = at_us + 1000, .epoch = epoch});
        return sample;
    }
    HotWindow::Newest newest(std::int64_t since_us) { return hot.newest(kProbe, since_us, scratch); }
};

}  // namespace

TEST_CASE("the newest row outlives its block")
{
    Window window;
    window.append(kStart);
    const auto last = window.append(kStart + 60 * kSecondUs);
    window.append(kStart + 30 * kSecondUs);
    CHECK(window.newest(kStart).latest->sample == last);
    CHECK(window.newest(kStart).latest->recent.runs == 3);
    window.hot.forget(1, kStart + kHourUs);
    CHECK(window.hot.rows() == 0);
    CHECK(window.newest(kStart).latest->sample == last);
    CHECK(window.newest(kStart).latest->received_us == kStart + 60 * kSecondUs + 1000);
    CHECK(window.newest(kStart).latest->recent.empty());
    window.append(kStart + 40 * kSecondUs, 2);
    CHECK(window.newest(kStart).latest->sample == last);
    const auto newer = window.append(kStart + 61 * kSecondUs, 2);
    CHECK(window.newest(kStart).latest->sample == newer);
}

TEST_CASE("an answer is the same one until a row comes or leaves")
{
    Window window;
    for (int minute = 0; minute < 40; ++minute) window.append(kStart + minute * 60 * kSecondUs);
    const auto since = kStart + 20 * 60 * kSecondUs;
    const auto first = window.newest(since - 59 * kSecondUs).latest;
    CHECK(first->recent.runs == 20);
    CHECK(window.newest(since).latest == first);
    const auto later = window.newest(since + 1).latest;
    CHECK(later->recent.runs == 19);
    CHECK(window.newest(since).latest->recent == first->recent);  // a look further back is answered anew
    window.append(since + 5);
    CHECK(window.newest(since).latest->recent.runs == 21);
    window.hot.remove(kProbe.probe);
    CHECK_FALSE(window.newest(since).latest->sample);
    CHECK(window.newest(since).latest->recent.empty());
}

TEST_CASE("what is on disk is told once, and the newer of both counts")
{
    Window window;
    CHECK_FALSE(window.newest(kStart).disk_known);
    SeededRandom random(3);
    const auto on_disk = random_chunk(random, kinds::ping, kProbe.probe, 1);
    window.hot.know_disk(kProbe, on_disk);
    CHECK(window.newest(kStart).disk_known);
    CHECK(window.newest(kStart).latest->sample == sample_at(on_disk.rows, 0));
    CHECK(window.newest(kStart).latest->received_us == on_disk.received_us[0]);
    CHECK(window.newest(kStart).latest->recent.empty());
    const auto newer = window.append(on_disk.rows.at_us[0] + 1);
    CHECK(window.newest(kStart).latest->sample == newer);
    window.hot.know_disk(kProbe, on_disk);
    CHECK(window.newest(kStart).latest->sample == newer);
    window.hot.know_disk({ProbeId(6), &kinds::ping}, make_stored_rows(kinds::ping));
    CHECK(window.hot.newest({ProbeId(6), &kinds::ping}, kStart, window.scratch).disk_known);
}
