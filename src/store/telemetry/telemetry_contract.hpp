// The contract of store::Telemetry as a test suite. A new backend adds one TEST_CASE per way of keeping house that
// calls check_telemetry_contract, and is done when it passes.
#pragma once

#include "base/testing.hpp"
#include "model/kinds/ping.hpp"
#include "quality/histogram.hpp"
#include "store/telemetry/telemetry.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nw::store::contract {

inline constexpr std::int64_t kStart = 1'769'212'800 * kSecondUs;  // 2026-01-24, midnight

struct Subject {
    std::function<std::unique_ptr<Telemetry>()> make{};  // each time a new, empty store
    // Called after each append: a backend moves its data on (seals, compacts), which must not change any answer.
    std::function<void(Telemetry&)> settle = [](Telemetry&) {};
    testing::ManualClock* clock = nullptr;
};

inline Sample ping_sample(std::uint64_t probe, std::int64_t at_us, std::int64_t sent, const std::vector<std::int64_t>& rtts)
{
    const auto& kind = kinds::ping;
    auto sample = make_sample(kind, ProbeId(probe), from_us(at_us));
    const auto set = [&](std::string_view name, std::int64_t value) { sample.numbers[*kind.column_index(name)] = value; };
    quality::Histogram histogram;
    std::int64_t sum = 0;
    std::int64_t squares = 0;
    for (const auto rtt : rtts) {
        histogram.add(Micros(rtt));
        sum += rtt;
        squares += rtt * rtt;
    }
    set("sent", sent);
    set("received", std::int64_t(rtts.size()));
    sample.outcome = rtts.empty() ? Outcome::Lost : Outcome::Ok;
    if (rtts.empty()) sample.reason = "no reply";
    if (!rtts.empty()) {
        set("rtt_min", *std::ranges::min_element(rtts));
        set("rtt_max", *std::ranges::max_element(rtts));
        set("rtt_sum", sum);
        set("rtt_sum_squares", squares);
        set("ttl_reply", 57);
        sample.clock = ClockSource::Kernel;
        sample.address = std::string("\x7f\0\0\1", 4);
        sample.bytes[*kind.column_index("rtt")] = histogram.compact();
    }
    return sample;
}

inline wire::Batch batch_of(StreamId stream, std::uint64_t first_seq, const std::vector<Sample>& samples)
{
    wire::Batch batch{.stream = stream, .first_seq = first_seq, .count = std::uint32_t(samples.size())};
    for (std::size_t i = 0; i < samples.size(); ++i) {
        auto rows = std::ranges::find(batch.kinds, samples[i].kind, &Rows::kind);
        if (rows == batch.kinds.end()) rows = batch.kinds.insert(rows, make_rows(*samples[i].kind));
        append(*rows, first_seq + i, samples[i]);
    }
    return batch;
}

// The calls of a test, without their coroutines.
class Driver {
public:
    explicit Driver(const Subject& subject) : subject_(subject), store_(subject.make()) {}
    ~Driver() { testing::run(store_->close()); }

    Appended append(std::uint64_t first_seq, const std::vector<Sample>& samples,
                    std::int64_t received = kStart + 3 * kHourUs, std::uint64_t agent = 1, std::uint64_t stream = 9)
    {
        return append(batch_of(StreamId(stream), first_seq, samples), received, agent);
    }
    Appended append(wire::Batch batch, std::int64_t received = kStart + 3 * kHourUs, std::uint64_t agent = 1)
    {
        auto bytes = wire::encode_batch(batch);
        auto result = testing::run(store_->append({AgentId(agent), std::move(batch), std::move(bytes), from_us(received)}));
        REQUIRE(result);
        subject_.settle(*store_);
        return *std::move(result);
    }
    Appended declare_lost(LostSpan span)
    {
        auto result = testing::run(store_->declare_lost(std::move(span)));
        REQUIRE(result);
        subject_.settle(*store_);
        return *std::move(result);
    }
    SamplePage page(std::uint64_t probe, std::int64_t from, std::int64_t until, std::uint32_t limit = 1000,
                    std::string cursor = {})
    {
        auto result = testing::run(store_->samples({.probe = ProbeId(probe),
                                                    .kind = &kinds::ping,
                                                    .range = {from, until},
                                                    .limit = limit,
                                                    .cursor = std::move(cursor)}));
        REQUIRE(result);
        return *std::move(result);
    }
    std::vector<Sample> samples(std::uint64_t probe, std::int64_t from = kStart, std::int64_t until = kStart + kDayUs)
    {
        const auto rows = page(probe, from, until).rows;
        std::vector<Sample> samples;
        for (std::size_t i = 0; i < rows.size(); ++i) samples.push_back(sample_at(rows.rows, i));
        return samples;
    }
    std::uint64_t watermark(std::uint64_t agent = 1, std::uint64_t stream = 9)
    {
        return *testing::run(store_->watermark(AgentId(agent), StreamId(stream)));
    }
    template <class T>
    T get(Task<Result<T>> task)
    {
        auto result = testing::run(std::move(task));
        REQUIRE(result);
        return *std::move(result);
    }
    Telemetry& store() { return *store_; }

private:
    const Subject& subject_;
    std::unique_ptr<Telemetry> store_;
};

inline double metric(std::string_view name, const quality::Aggregate& aggregate)
{
    const auto value = quality::evaluate(kinds::ping, *kinds::ping.metric(name), aggregate);
    REQUIRE(value);
    return *value;
}

inline void check_identity(const Subject& subject)
{
    Driver driver(subject);
    const auto a = ping_sample(7, kStart + 10 * kSecondUs, 3, {1000, 2000});
    const auto b = ping_sample(7, kStart + 20 * kSecondUs, 3, {});
    const auto c = ping_sample(8, kStart + 20 * kSecondUs, 3, {5000});

    const auto first = driver.append(1, {a, b, c});
    CHECK(first.acked_seq == 3);
    REQUIRE(first.new_rows.size() == 1);
    CHECK(first.new_rows[0].size() == 3);
    // Sent again after a lost acknowledgement: stored once, published never again.
    const auto again = driver.append(1, {a, b, c});
    CHECK(again.acked_seq == 3);
    CHECK(again.new_rows.empty());
    // Cut differently: only what is beyond the watermark is new.
    const auto overlap = driver.append(3, {c, a});
    CHECK(overlap.acked_seq == 4);
    REQUIRE(overlap.new_rows.size() == 1);
    CHECK(overlap.new_rows[0].seq == std::vector<std::uint64_t>{4});
    // A gap is answered and not stored.
    const auto gap = driver.append(6, {b});
    CHECK(gap.gap);
    CHECK(gap.acked_seq == 4);
    CHECK(driver.watermark() == 4);
    // Streams and agents count apart.
    CHECK(driver.append(1, {b}, kStart + kHourUs, 1, 10).acked_seq == 1);
    CHECK(driver.append(1, {b}, kStart + kHourUs, 2, 9).acked_seq == 1);
    CHECK(driver.watermark(3, 9) == 0);
    CHECK(driver.samples(7) == std::vector{a, a, b, b, b});
    CHECK(driver.samples(8) == std::vector{c});
    CHECK(driver.samples(9).empty());
}

inline void check_partial_batches(const Subject& subject)
{
    Driver driver(subject);
    auto batch = batch_of(StreamId(9), 1, {ping_sample(7, kStart, 1, {10}), ping_sample(8, kStart, 1, {20})});
    auto only = make_rows(kinds::ping);
    nw::append_row(only, batch.kinds[0], 1);
    batch.kinds = {only};
    CHECK(driver.append(std::move(batch)).acked_seq == 2);
    CHECK(driver.samples(7).empty());
    CHECK(driver.samples(8).size() == 1);
    // Every row gone: the sequences count as stored all the same.
    wire::Batch nothing{.stream = StreamId(9), .first_seq = 3, .count = 5};
    CHECK(driver.append(std::move(nothing)).acked_seq == 7);
}

inline void check_times(const Subject& subject)
{
    Driver driver(subject);
    const auto at = kStart + kHourUs;
    const auto with_offset = [&](std::uint64_t seq, std::int64_t offset, std::uint64_t uncertainty, std::int64_t sample_at) {
        auto batch = batch_of(StreamId(9), seq, {ping_sample(seq, sample_at, 1, {10})});
        batch.clock_offset_us = offset;
        batch.clock_uncertainty_us = uncertainty;
        driver.append(std::move(batch), at + 1'000'000);
        const auto page = driver.page(seq, 0, kTimeMaxUs);
        REQUIRE(page.rows.size() == 1);
        CHECK(page.rows.received_us[0] == at + 1'000'000);
        CHECK(page.rows.rows.at_us[0] - page.rows.correction_us[0] == sample_at);
        return page.rows.rows.at_us[0];
    };
    CHECK(with_offset(1, 5'000'000, 1'000, at) == at + 5'000'000);
    CHECK(with_offset(2, -5'000'000, 1'000, at) == at - 5'000'000);
    CHECK(with_offset(3, 900, 1'000, at) == at);                      // within its uncertainty
    CHECK(with_offset(4, 5'000'000, 0, at) == at);                    // unknown
    CHECK(with_offset(5, 0, 0, at + 2 * kHourUs) == at + 1'000'000);  // from the future
    CHECK(with_offset(6, INT64_MIN, 1, at) == at);                    // beyond belief
}

inline void check_pages(const Subject& subject)
{
    Driver driver(subject);
    std::vector<Sample> expected;
    for (std::uint64_t seq = 1; seq <= 40; ++seq) {
        // Late and in pairs of equal times: order is by time, then stream, then sequence.
        const auto at = kStart + std::int64_t((seq * 7) % 20) * 300 * kSecondUs;
        driver.append(seq, {ping_sample(7, at, std::int64_t(seq), {100})});
    }
    std::string cursor;
    std::vector<std::pair<std::int64_t, std::uint64_t>> seen;
    int pages = 0;
    do {
        const auto page = driver.page(7, kStart + 300 * kSecondUs, kStart + 19 * 300 * kSecondUs, 5, cursor);
        for (std::size_t i = 0; i < page.rows.size(); ++i) seen.emplace_back(page.rows.rows.at_us[i], page.rows.rows.seq[i]);
        cursor = page.next;
        ++pages;
    } while (!cursor.empty());
    CHECK(seen.size() == 36);  // the first and the last of 20 times are outside
    CHECK(std::ranges::is_sorted(seen));
    CHECK(pages == 8);
    CHECK(testing::run(
              driver.store().samples({.probe = ProbeId(7), .kind = &kinds::ping, .range = {0, 1}, .cursor = "nonsense"}))
              .error()
              .code
          == Errc::Invalid);
}

inline void check_series(const Subject& subject)
{
    Driver driver(subject);
    for (std::uint64_t i = 0; i < 60; ++i)
        if (i < 20 || i >= 30)  // ten minutes without any sample
            driver.append(i < 20 ? i + 1 : i - 9,
                          {ping_sample(7, kStart + std::int64_t(i) * 60 * kSecondUs + 5, 4, {1000, 3000})});
    const auto ask = [&](std::int64_t from, std::int64_t until, std::uint32_t buckets) {
        return driver.get(driver.store().series(
            {.probes = {ProbeId(7), ProbeId(8)}, .kind = &kinds::ping, .range = {from, until}, .buckets_max = buckets}));
    };
    const auto coarse = ask(kStart, kStart + kHourUs, 12);
    CHECK(coarse.step_us == kFiveMinutesUs);
    CHECK(coarse.resolution == Resolution::Raw);
    REQUIRE(coarse.probes.size() == 2);
    REQUIRE(coarse.probes[0].buckets.size() == 12);
    for (std::size_t i = 0; i < 12; ++i) {
        const auto& bucket = coarse.probes[0].buckets[i];
        CHECK(bucket.has_value() == (i < 4 || i >= 6));
        if (!bucket) continue;
        CHECK(bucket->runs == 5);
        CHECK(metric("loss_ratio", *bucket) == 0.5);
        CHECK(metric("rtt_mean", *bucket) == 2000);
        CHECK(metric("rtt_p95", *bucket) == doctest::Approx(3000).epsilon(0.01));
    }
    CHECK(coarse.probes[0].runs == 50);
    CHECK(coarse.probes[0].first_at_us == kStart + 5);
    CHECK(coarse.probes[0].last_at_us == kStart + 59 * 60 * kSecondUs + 5);
    for (const auto& bucket : coarse.probes[1].buckets) CHECK_FALSE(bucket);
    CHECK(coarse.probes[1].first_at_us == kAbsent);
    // Buckets are whole, whatever the range asked for.
    const auto shifted = ask(kStart + 7 * 60 * kSecondUs, kStart + 22 * 60 * kSecondUs, 4);
    CHECK(shifted.from_us == kStart + kFiveMinutesUs);
    REQUIRE(shifted.probes[0].buckets.size() == 4);
    CHECK(shifted.probes[0].buckets[0] == coarse.probes[0].buckets[1]);
    const auto fine = ask(kStart, kStart + kHourUs, 60);
    CHECK(fine.step_us == 60 * kSecondUs);
    CHECK(fine.probes[0].buckets[19].has_value());
    CHECK_FALSE(fine.probes[0].buckets[20].has_value());
    CHECK(ask(0, kTimeMaxUs, 1).probes[0].buckets[0]->runs == 50);
}

inline void check_summaries(const Subject& subject)
{
    Driver driver(subject);
    std::uint64_t seq = 0;
    for (std::int64_t hour = 0; hour < 30; ++hour)
        for (std::uint64_t probe = 1; probe <= 5; ++probe)
            driver.append(++seq,
                          {ping_sample(probe, kStart + hour * kHourUs + std::int64_t(probe) * kSecondUs, 2,
                                       {std::int64_t(probe) * 1000})},
                          kStart + hour * kHourUs + 60 * kSecondUs);
    const std::vector<ProbeId> probes{ProbeId(5), ProbeId(77), ProbeId(1)};
    const auto ask = [&](std::int64_t from, std::int64_t until) {
        return driver.get(driver.store().summaries({.probes = probes, .kind = &kinds::ping, .range = {from, until}}));
    };
    const auto day = ask(kStart, kStart + kDayUs);
    REQUIRE(day.probes.size() == 3);
    CHECK(day.probes[0]->runs == 24);
    CHECK_FALSE(day.probes[1]);
    CHECK(metric("rtt_mean", *day.probes[0]) == 5000);
    CHECK(metric("loss_ratio", *day.probes[2]) == 0.5);
    const auto odd = ask(kStart + 90 * 60 * kSecondUs, kStart + 26 * kHourUs + 1);
    CHECK(odd.range == TimeRange{kStart + kHourUs, kStart + 27 * kHourUs});
    CHECK(odd.probes[0]->runs == 26);
    const auto brief = ask(kStart + 2 * kHourUs + 1, kStart + 2 * kHourUs + 2);
    CHECK(brief.range == TimeRange{kStart + 2 * kHourUs, kStart + 2 * kHourUs + kFiveMinutesUs});
    CHECK(brief.probes[0]->runs == 1);

    TopQuery top{.probes = {ProbeId(1), ProbeId(2), ProbeId(3), ProbeId(4), ProbeId(5), ProbeId(77)},
                 .kind = &kinds::ping,
                 .metric = "rtt_mean",
                 .range = {kStart, kStart + kDayUs},
                 .count = 2};
    CHECK(driver.get(driver.store().top(top)) == std::vector<TopEntry>{{ProbeId(5), 5000}, {ProbeId(4), 4000}});
    top.lowest = true;
    CHECK(driver.get(driver.store().top(top)) == std::vector<TopEntry>{{ProbeId(1), 1000}, {ProbeId(2), 2000}});
    top.metric = "nothing";
    CHECK(testing::run(driver.store().top(top)).error().code == Errc::Invalid);
}

inline void check_latest(const Subject& subject)
{
    Driver driver(subject);
    for (std::uint64_t minute = 1; minute <= 60; ++minute)
        driver.append(minute,
                      {ping_sample(7, kStart + std::int64_t(minute) * 60 * kSecondUs, 2, {std::int64_t(minute) * 100})},
                      kStart + std::int64_t(minute) * 60 * kSecondUs + 1'234);
    const auto ask = [&](std::int64_t now) {
        return driver.get(
            driver.store().latest({.probes = {ProbeId(8), ProbeId(7)}, .kind = &kinds::ping, .now = from_us(now)}));
    };
    const auto latest = ask(kStart + kHourUs + 30 * kSecondUs);
    REQUIRE(latest.size() == 2);
    CHECK_FALSE(latest[0]->sample);
    CHECK(latest[0]->recent.empty());
    REQUIRE(latest[1]->sample);
    CHECK(to_us(latest[1]->sample->at) == kStart + kHourUs);
    CHECK(latest[1]->received_us == kStart + kHourUs + 1'000);  // in whole milliseconds
    CHECK(latest[1]->recent.runs == 15);
    CHECK(metric("rtt_min", latest[1]->recent) == 4600);
    // A late sample is not the newest, but counts where it belongs.
    driver.append(61, {ping_sample(7, kStart + 50 * 60 * kSecondUs + 30, 2, {50})}, kStart + kHourUs + 5);
    const auto later = ask(kStart + kHourUs + 31 * kSecondUs);
    CHECK(to_us(later[1]->sample->at) == kStart + kHourUs);
    CHECK(later[1]->recent.runs == 16);
    CHECK(metric("rtt_min", later[1]->recent) == 50);
    const auto idle = ask(kStart + 5 * kHourUs);
    CHECK(idle[1]->sample.has_value());
    CHECK(idle[1]->recent.empty());
}

inline void check_losses(const Subject& subject)
{
    Driver driver(subject);
    const LostSpan span{.agent = AgentId(1),
                        .stream = StreamId(9),
                        .first_seq = 1,
                        .last_seq = 50,
                        .reason = "spool full",
                        .from_us = kStart,
                        .until_us = kStart + 600 * kSecondUs};
    CHECK(driver.declare_lost(span).acked_seq == 50);
    CHECK(driver.declare_lost(span).acked_seq == 50);  // said twice, kept once
    CHECK(driver.append(51, {ping_sample(7, kStart, 1, {10})}).acked_seq == 51);
    auto ahead = span;
    ahead.first_seq = 60;
    ahead.last_seq = 61;
    CHECK(driver.declare_lost(ahead).gap);
    // What was stored in the meantime is not lost.
    auto overlap = span;
    overlap.first_seq = 51;
    overlap.last_seq = 55;
    CHECK(driver.declare_lost(overlap).acked_seq == 55);
    const auto ask = [&](std::uint64_t agent, std::int64_t from, std::int64_t until) {
        return driver.get(driver.store().lost({AgentId(agent)}, {from, until}, 100));
    };
    const auto found = ask(1, kStart, kStart + kDayUs);
    REQUIRE(found.size() == 2);
    CHECK(found[0].first_seq == 52);
    CHECK(found[0].last_seq == 55);
    CHECK(found[1].first_seq == 1);
    CHECK(found[1].reason == "spool full");
    CHECK(ask(2, kStart, kStart + kDayUs).empty());
    CHECK(ask(1, kStart + kHourUs, kStart + kDayUs).empty());
    auto empty = span;
    empty.last_seq = 0;
    CHECK(testing::run(driver.store().declare_lost(empty)).error().code == Errc::Invalid);
}

inline void check_removal_and_bad_input(const Subject& subject)
{
    Driver driver(subject);
    driver.append(1, {ping_sample(7, kStart, 1, {10}), ping_sample(8, kStart, 1, {10})});
    REQUIRE(testing::run(driver.store().remove_probe(ProbeId(7))));
    subject.settle(driver.store());
    CHECK(driver.samples(7).empty());
    CHECK(driver.samples(8).size() == 1);
    // Results that were still on their way do not bring it back.
    CHECK(driver.append(3, {ping_sample(7, kStart + 1, 1, {10})}).acked_seq == 3);
    CHECK(driver.samples(7).empty());

    // A histogram that does not decode is left out, the rest of the sample is kept.
    auto bad = ping_sample(9, kStart, 1, {10});
    bad.bytes.back() = "\xff\xff";
    driver.append(4, {bad});
    const auto kept = driver.samples(9);
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].bytes.back().empty());
    CHECK(kept[0].numbers == bad.numbers);

    const auto refused = [&](TimeRange range, std::uint32_t buckets) {
        const auto answer = testing::run(
            driver.store().series({.probes = {ProbeId(8)}, .kind = &kinds::ping, .range = range, .buckets_max = buckets}));
        return !answer && answer.error().code == Errc::Invalid;
    };
    CHECK(refused({5, 5}, 10));
    CHECK(refused({-5, 5}, 10));
    CHECK(refused({0, 5}, 0));
    CHECK(refused({0, 5}, kBucketsMax + 1));
}

// Leaves the clock where it was.
inline void check_retention(const Subject& subject)
{
    Driver driver(subject);
    const auto before = subject.clock->wall();
    REQUIRE(testing::run(driver.store().set_retention(
        {.raw = Seconds(2 * 86'400), .five_minutes = Seconds(4 * 86'400), .hour = Seconds(40 * 86'400)})));
    for (std::uint64_t day = 0; day < 6; ++day) {
        const auto at = kStart + std::int64_t(day) * kDayUs + 3 * kHourUs;
        subject.clock->set_wall(from_us(at));
        driver.append(2 * day + 1, {ping_sample(7, at, 2, {100}), ping_sample(7, at + 60 * kSecondUs, 2, {300})}, at);
        const auto night = from_us(kStart + std::int64_t(day + 1) * kDayUs + 2 * kHourUs);
        subject.clock->set_wall(night);
        REQUIRE(testing::run(driver.store().maintain(night)));
    }
    // 02:00 of the sixth day after the start: raw data of two days and what is left of the day that began them.
    CHECK(driver.samples(7, kStart, kStart + 10 * kDayUs).size() == 4);
    const auto ask = [&](std::int64_t from, std::uint32_t buckets) {
        return driver.get(driver.store().series(
            {.probes = {ProbeId(7)}, .kind = &kinds::ping, .range = {from, kStart + 6 * kDayUs}, .buckets_max = buckets}));
    };
    const auto raw = ask(kStart + 4 * kDayUs, 5000);
    CHECK(raw.resolution == Resolution::Raw);
    CHECK(raw.probes[0].runs == 4);
    const auto five = ask(kStart + 2 * kDayUs, 5000);
    CHECK(five.resolution == Resolution::FiveMinutes);
    CHECK(five.step_us == kFiveMinutesUs);
    CHECK(five.probes[0].runs == 8);
    const auto hour = ask(kStart, 5000);
    CHECK(hour.resolution == Resolution::Hour);
    CHECK(hour.step_us == kHourUs);
    CHECK(hour.probes[0].runs == 12);
    CHECK(metric("rtt_mean", *hour.probes[0].buckets[3]) == 200);
    CHECK(testing::run(driver.store().set_retention({.raw = Seconds(5)})).error().code == Errc::Invalid);
    subject.clock->set_wall(before);
}

// One probe is kept for less: the other one's data and its own roll-ups stay as they are.
inline void check_shorter_retention(const Subject& subject)
{
    // Maintenance here is that of its own days: what a subject does ahead of them would expire what is asked for.
    const Subject as_it_is{.make = subject.make, .settle = [](Telemetry&) {}, .clock = subject.clock};
    Driver driver(as_it_is);
    const auto before = subject.clock->wall();
    const Retention everything{
        .raw = Seconds(30 * 86'400), .five_minutes = Seconds(60 * 86'400), .hour = Seconds(90 * 86'400)};
    const Retention shorter{.raw = Seconds(2 * 86'400), .five_minutes = Seconds(4 * 86'400), .hour = Seconds(5 * 86'400)};
    REQUIRE(testing::run(driver.store().set_retention(everything, {{shorter, {ProbeId(7)}}})));
    const auto maintain = [&](std::int64_t at) {
        subject.clock->set_wall(from_us(at));
        REQUIRE(testing::run(driver.store().maintain(from_us(at))));
    };
    for (std::uint64_t day = 0; day < 7; ++day) {
        const auto at = kStart + std::int64_t(day) * kDayUs + 3 * kHourUs;
        subject.clock->set_wall(from_us(at));
        driver.append(2 * day + 1, {ping_sample(7, at, 2, {100}), ping_sample(8, at + 60 * kSecondUs, 2, {300})}, at);
        maintain(kStart + std::int64_t(day + 1) * kDayUs + 2 * kHourUs);
    }
    const auto runs = [&](std::uint64_t probe, std::int64_t from, Resolution resolution) {
        const auto series = driver.get(driver.store().series(
            {.probes = {ProbeId(probe)}, .kind = &kinds::ping, .range = {from, kStart + 8 * kDayUs}, .buckets_max = 5'000}));
        CHECK(series.resolution == resolution);
        return series.probes[0].runs;
    };
    const auto check_all = [&] {
        CHECK(driver.samples(7, kStart, kStart + 10 * kDayUs).size() == 2);
        CHECK(driver.samples(8, kStart, kStart + 10 * kDayUs).size() == 7);
        CHECK(runs(7, kStart + 5 * kDayUs, Resolution::Raw) == 2);
        CHECK(runs(7, kStart + 3 * kDayUs, Resolution::FiveMinutes) == 4);
        CHECK(runs(7, kStart, Resolution::Hour) == 5);
        CHECK(runs(8, kStart, Resolution::Raw) == 7);
    };
    check_all();
    // Late rows of the other probe have the day written once more; those of the expired one come too late.
    driver.append(15, {ping_sample(8, kStart + 3 * kDayUs + 9 * kHourUs, 2, {300}),
                       ping_sample(7, kStart + 3 * kDayUs + 9 * kHourUs, 2, {100})});
    maintain(kStart + 7 * kDayUs + 3 * kHourUs);
    maintain(kStart + 7 * kDayUs + 10 * kHourUs);
    CHECK(driver.samples(8, kStart, kStart + 10 * kDayUs).size() == 8);
    CHECK(driver.samples(7, kStart, kStart + 10 * kDayUs).size() == 2);
    CHECK(runs(8, kStart, Resolution::Raw) == 8);
    CHECK(testing::run(driver.store().set_retention(everything, {{{.raw = Seconds(5)}, {ProbeId(7)}}})).error().code
          == Errc::Invalid);
    subject.clock->set_wall(before);
}

inline void check_telemetry_contract(const Subject& subject)
{
    check_identity(subject);
    check_partial_batches(subject);
    check_times(subject);
    check_pages(subject);
    check_series(subject);
    check_summaries(subject);
    check_latest(subject);
    check_losses(subject);
    check_removal_and_bad_input(subject);
    check_retention(subject);
    check_shorter_retention(subject);
}

}  // namespace nw::store::contract
