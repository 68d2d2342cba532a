#include "base/random.hpp"
#include "model/kinds/ping.hpp"
#include "probe/ping/core.hpp"
#include "quality/histogram.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>

namespace nw::probe::ping {
namespace {

constexpr Moment at(std::int64_t ms) { return Moment(Millis(1'000'000 + ms)); }

struct Finished {
    std::uint32_t slot = 0;
    RunResult run{};
    std::vector<Packet> packets{};
};

class Recorder final : public CoreListener {
public:
    void run_finished(std::uint32_t slot, const RunResult& run) override
    {
        runs.push_back({slot, run, {run.packets.begin(), run.packets.end()}});
        runs.back().run.packets = {};
    }
    void packet_settled(std::uint32_t, std::uint64_t, const Packet& packet, const RunResult&) override
    {
        ++settled[packet.state];
    }
    void slot_free(std::uint32_t slot) override { freed.push_back(slot); }

    std::vector<Finished> runs{};
    std::map<PacketState, int> settled{};
    std::vector<std::uint32_t> freed{};
};

struct Bench {
    Recorder events{};
    Core core{events, at(0)};

    // Advances in ticks up to `until`; returns what was sent, with the time of sending.
    std::vector<std::pair<Identity, Moment>> run_until(std::int64_t from, std::int64_t until)
    {
        std::vector<std::pair<Identity, Moment>> sent;
        for (auto ms = from; ms <= until; ms += 10) {
            core.advance(at(ms));
            std::vector<Identity> due;
            core.take_due(at(ms), 1000, due);
            for (const auto& id : due) sent.emplace_back(id, at(ms));
        }
        return sent;
    }
};

Plan plan(std::uint32_t packets, int interval_ms, int timeout_ms)
{
    return {.interval = Millis(interval_ms),
            .timeout = Millis(timeout_ms),
            .spacing = Millis(interval_ms) / packets,
            .first_spacing = Millis(interval_ms) / packets,
            .packets = packets};
}

}  // namespace

TEST_CASE("the tag is SipHash-2-4 by its published vectors")
{
    const TagKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
    std::vector<std::uint8_t> input;
    CHECK(siphash24(key, input) == 0x726fdb47dd0e0e31);
    for (int i = 0; i < 15; ++i) input.push_back(std::uint8_t(i));
    CHECK(siphash24(key, input) == 0xa129ca6149be45e5);
}

TEST_CASE("an identity survives the wire, and no altered bit of it does")
{
    const TagKey key{1, 2};
    std::vector<std::uint8_t> payload(100);
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = pattern_at(i);
    write_identity(key, {7, 9, 1ULL << 40}, std::span(payload).first<kIdentityBytes>());
    CHECK(read_identity(key, payload) == Identity{7, 9, 1ULL << 40});
    CHECK(has_pattern(payload));
    for (std::size_t bit = 0; bit < kIdentityBytes * 8; ++bit) {
        payload[bit / 8] ^= std::uint8_t(1 << bit % 8);
        CHECK(!read_identity(key, payload));
        payload[bit / 8] ^= std::uint8_t(1 << bit % 8);
    }
    CHECK(!read_identity(TagKey{1, 3}, payload));
    payload[99] ^= 1;
    CHECK(!has_pattern(payload));
}

TEST_CASE("timers fire at their tick, far ones too, cleared ones never")
{
    Wheel wheel(100);
    wheel.resize(2000);
    SeededRandom random(5);
    std::map<std::uint32_t, std::int64_t> expected;
    for (std::uint32_t timer = 0; timer < 2000; ++timer) {
        const auto tick = 101 + std::int64_t(random.below(20'000));
        wheel.set(timer, tick);
        expected[timer] = tick;
        if (random.below(5) == 0) {
            wheel.clear(timer);
            expected.erase(timer);
        }
    }
    for (std::int64_t now = 100; !expected.empty();) {
        const auto next = wheel.next_tick();
        REQUIRE(next > now);
        for (const auto& [timer, tick] : expected) REQUIRE(tick >= next);
        now = next;
        std::vector<std::uint32_t> due;
        wheel.advance(now, due);
        for (const auto timer : due) {
            REQUIRE(expected.at(timer) == now);
            expected.erase(timer);
        }
    }
    CHECK(wheel.next_tick() == Wheel::kNever);
}

TEST_CASE("packets keep their beat, and a run that was late does not shift the later ones")
{
    Bench bench;
    bench.core.add(plan(4, 1000, 500), at(0), at(1000), at(0));
    const auto early = bench.run_until(0, 1990);
    REQUIRE(early.size() == 8);
    for (std::size_t i = 0; i < 8; ++i) CHECK(early[i].second == at(250 * std::int64_t(i)));
    // Held up for 300 ms, then on the beat again.
    const auto late = bench.run_until(2300, 3990);
    REQUIRE(late.size() == 8);
    CHECK(late[0].second == at(2300));
    CHECK(late[1].second == at(2300));
    CHECK(late[2].second == at(2500));
    CHECK(late[4].second == at(3000));
}

TEST_CASE("with little to send the grid is wide and the beat exact; much to send or odd spacing narrows it")
{
    Bench bench;
    bench.core.add(plan(1, 1000, 300), at(0), at(1030), at(0));
    const auto sent = bench.run_until(0, 5000);
    REQUIRE(sent.size() == 5);
    for (std::size_t i = 1; i < sent.size(); ++i) CHECK(sent[i].second == at(50 + 1000 * std::int64_t(i)));
    CHECK((bench.core.next_wake().time_since_epoch() % kWideTick) == Nanos(0));
    bench.core.add(plan(1, 1010, 300), at(5010), at(6020), at(5000));  // no multiple of the wide grid
    const auto narrow = bench.run_until(5010, 6900);
    REQUIRE(narrow.size() == 4);
    CHECK(narrow[1].second == at(5030));
    CHECK(narrow[2].second == at(6020));
    CHECK(narrow[3].second == at(6030));
}

TEST_CASE("answers in time make a run, with its times in the columns")
{
    Bench bench;
    bench.core.add(plan(4, 1000, 500), at(0), at(1000), at(0));
    for (std::int64_t ms = 0; ms < 1000; ms += 10) {
        for (const auto& [id, when] : bench.run_until(ms, ms)) {
            bench.core.transmitted(id, when + Micros(100));
            bench.core.answered(id, when + Micros(100) + Millis(10 + 2 * std::int64_t(id.seq % 2)), true, std::uint8_t{61});
        }
    }
    REQUIRE(bench.events.runs.size() == 1);
    auto& done = bench.events.runs[0];
    done.run.packets = done.packets;
    CHECK(done.run.outcome == Outcome::Ok);
    CHECK(done.run.clock == ClockSource::Kernel);
    auto sample = make_sample(kinds::ping, ProbeId{1}, WallTime{});
    fill_columns(done.run, sample);
    const auto number = [&](std::string_view name) { return sample.numbers[*kinds::ping.column_index(name)]; };
    CHECK(number("sent") == 4);
    CHECK(number("received") == 4);
    CHECK(number("rtt_min") == 10'000);
    CHECK(number("rtt_max") == 12'000);
    CHECK(number("rtt_sum") == 44'000);
    CHECK(number("rtt_sum_squares") == 2 * 100'000'000LL + 2 * 144'000'000LL);
    CHECK(number("ipdv_sum") == 6'000);
    CHECK(number("ipdv_count") == 3);
    CHECK(number("ttl_reply") == 61);
    const auto histogram = quality::Histogram::from_compact(sample.bytes[*kinds::ping.column_index("rtt")]);
    REQUIRE(histogram);
    CHECK(histogram->count() == 4);
}

TEST_CASE("delay variation crosses the border between runs of one packet")
{
    Bench bench;
    bench.core.add(plan(1, 1000, 500), at(0), at(1000), at(0));
    for (std::int64_t ms = 0; ms < 3000; ms += 10)
        for (const auto& [id, when] : bench.run_until(ms, ms))
            if (id.seq != 1) bench.core.answered(id, when + Millis(5), true, std::nullopt);
            else bench.core.answered(id, when + Millis(9), true, std::nullopt);
    REQUIRE(bench.events.runs.size() == 3);
    CHECK(!bench.events.runs[0].run.rtt_before);
    CHECK(bench.events.runs[1].run.rtt_before == Millis(5));
    CHECK(bench.events.runs[2].run.rtt_before == Millis(9));
}

TEST_CASE("silence is lost, and the run ends with its last timeout")
{
    Bench bench;
    bench.core.add(plan(2, 1000, 300), at(0), at(1000), at(0));
    bench.run_until(0, 790);
    CHECK(bench.events.runs.empty());
    bench.run_until(800, 810);
    REQUIRE(bench.events.runs.size() == 1);
    CHECK(bench.events.runs[0].run.outcome == Outcome::Lost);
    CHECK(bench.events.runs[0].run.reason == "no reply");
    CHECK(bench.events.settled[PacketState::Lost] == 2);
    CHECK(bench.core.waiting() == 0);
}

TEST_CASE("a late reply stays lost and is counted with the next run that ends")
{
    Bench bench;
    bench.core.add(plan(1, 1000, 300), at(0), at(1000), at(0));
    const auto first = bench.run_until(0, 990);
    REQUIRE(bench.events.runs.size() == 1);
    CHECK(bench.events.runs[0].run.outcome == Outcome::Lost);
    bench.core.answered(first[0].first, at(900), true, std::nullopt);
    bench.core.answered(first[0].first, at(901), true, std::nullopt);  // and again
    bench.run_until(1000, 1990);
    REQUIRE(bench.events.runs.size() == 2);
    CHECK(bench.events.runs[1].run.counts.late == 1);
    CHECK(bench.events.runs[1].run.counts.duplicates == 1);
    CHECK(bench.events.runs[1].run.outcome == Outcome::Lost);
}

TEST_CASE("a reply later than two intervals after its timeout does not count at all")
{
    Bench bench;
    bench.core.add(plan(1, 1000, 300), at(0), at(1000), at(0));
    const auto first = bench.run_until(0, 2290);
    bench.core.answered(first[0].first, at(2301), true, std::nullopt);
    bench.run_until(2300, 3990);
    for (const auto& done : bench.events.runs) CHECK(done.run.counts.late == 0);
}

TEST_CASE("the stamps decide, not when the reply was read")
{
    Bench bench;
    bench.core.add(plan(2, 1000, 300), at(0), at(1000), at(0));
    const auto sent = bench.run_until(0, 290);
    bench.core.answered(sent[0].first, at(299), true, std::nullopt);
    const auto more = bench.run_until(300, 500);
    bench.core.answered(more[0].first, at(801), true, std::nullopt);  // read early by a wrong clock: still too late
    REQUIRE(bench.events.runs.size() == 1);
    CHECK(bench.events.settled[PacketState::Answered] == 1);
    CHECK(bench.events.runs[0].run.counts.late == 1);
}

TEST_CASE("duplicates, reordering and corruption are counted, strangers are not")
{
    Bench bench;
    const auto slot = bench.core.add(plan(3, 300, 1000), at(0), at(300), at(0));
    const auto sent = bench.run_until(0, 200);
    REQUIRE(sent.size() == 3);
    bench.core.answered(sent[1].first, at(210), true, std::nullopt);
    bench.core.answered(sent[0].first, at(211), true, std::nullopt);  // behind a later one
    bench.core.answered(sent[0].first, at(212), true, std::nullopt);  // twice
    bench.core.corrupted(sent[2].first);
    bench.core.answered({slot, 77, 2}, at(213), true, std::nullopt);                          // another tenant of the slot
    bench.core.answered({slot, sent[0].first.generation, 500}, at(213), true, std::nullopt);  // never sent
    bench.core.answered({9999, 1, 0}, at(213), true, std::nullopt);
    CHECK(bench.events.runs.empty());
    bench.core.answered(sent[2].first, at(220), true, std::nullopt);
    REQUIRE(bench.events.runs.size() == 1);
    const auto& counts = bench.events.runs[0].run.counts;
    CHECK(counts.reordered == 1);
    CHECK(counts.duplicates == 1);
    CHECK(counts.corrupted == 1);
    CHECK(bench.events.runs[0].run.outcome == Outcome::Ok);
}

TEST_CASE("the outcome of a run without answers")
{
    const auto outcome = [](auto&& happen) {
        Bench bench;
        bench.core.add(plan(2, 1000, 300), at(0), at(1000), at(0));
        const auto sent = bench.run_until(0, 500);
        happen(bench.core, sent);
        bench.run_until(510, 900);
        REQUIRE(bench.events.runs.size() == 1);
        return bench.events.runs[0].run;
    };
    const auto one_error = outcome([](Core& core, auto& sent) { core.unreachable(sent[1].first, "icmp 3/1 from r"); });
    CHECK(one_error.outcome == Outcome::Unreachable);
    CHECK(one_error.reason == "icmp 3/1 from r");
    const auto tainted = outcome([](Core& core, auto& sent) { core.taint(sent[0].first.slot, "dropped"); });
    CHECK(tainted.outcome == Outcome::NotMeasured);
    CHECK(tainted.reason == "dropped");
    const auto unsent =
        outcome([](Core& core, auto& sent) { core.send_failed(sent[1].first, Outcome::PermissionError, "no"); });
    CHECK(unsent.outcome == Outcome::Lost);  // the first one did go out
}

TEST_CASE("a run that cannot be sent fails whole, and the next one comes in its time")
{
    Bench bench;
    bench.core.add(plan(4, 1000, 300), at(0), at(1000), at(0));
    const auto first = bench.run_until(0, 0);
    REQUIRE(first.size() == 1);
    CHECK(bench.core.begins_run(first[0].first));
    bench.core.fail_run(first[0].first, Outcome::BindError, "interface x is down");
    REQUIRE(bench.events.runs.size() == 1);
    CHECK(bench.events.runs[0].run.outcome == Outcome::BindError);
    CHECK(bench.events.runs[0].run.reason == "interface x is down");
    CHECK(bench.run_until(10, 990).empty());
    CHECK(bench.run_until(1000, 1000).size() == 1);
    CHECK(bench.core.waiting() == 1);
}

TEST_CASE("a run that fails leaves alone the later ones that were taken in the same turn")
{
    Bench bench;
    bench.core.add(plan(1, 10, 300), at(0), at(10), at(0));
    const auto taken = bench.run_until(15, 15);
    REQUIRE(taken.size() == 2);
    bench.core.fail_run(taken[0].first, Outcome::BindError, "interface x is down");
    CHECK(bench.core.is_waiting(taken[1].first));
    CHECK(bench.core.begins_run(taken[1].first));
}

TEST_CASE("missed runs are reported, each of them, as not measured")
{
    Bench bench;
    bench.core.add(plan(1, 1000, 300), at(0), at(1000), at(0));
    bench.run_until(0, 500);
    bench.events.runs.clear();
    bench.run_until(4500, 4500);  // the machine slept
    REQUIRE(bench.events.runs.size() == 3);
    for (const auto& done : bench.events.runs) CHECK(done.run.outcome == Outcome::NotMeasured);
    CHECK(bench.events.runs[0].run.start == at(1000));
    CHECK(bench.run_until(5000, 5000).size() == 1);
    bench.events.runs.clear();
    bench.run_until(105'000, 105'000);
    int reported = 0;
    for (const auto& done : bench.events.runs) reported += done.run.outcome == Outcome::NotMeasured;
    CHECK(reported == 10);
    CHECK(bench.events.runs.back().run.reason.ends_with("89 more runs were missed after this one"));
}

TEST_CASE("a retired probe sends nothing more and hands out what it has begun")
{
    Bench bench;
    const auto slot = bench.core.add(plan(4, 1000, 300), at(0), at(1000), at(0));
    const auto sent = bench.run_until(0, 300);
    REQUIRE(sent.size() == 2);
    bench.core.answered(sent[0].first, at(20), true, std::nullopt);
    bench.core.retire(slot, Core::Ending::Drain);
    CHECK(bench.events.runs.empty());
    CHECK(bench.run_until(310, 700).empty());
    REQUIRE(bench.events.runs.size() == 1);
    CHECK(bench.events.runs[0].packets.size() == 2);
    CHECK(bench.events.freed == std::vector{slot});

    const auto next = bench.core.add(plan(1, 1000, 300), at(800), at(1000), at(800));
    CHECK(next == slot);
    bench.core.answered(sent[1].first, at(810), true, std::nullopt);  // of the old tenant
    const auto again = bench.run_until(800, 900);
    REQUIRE(again.size() == 1);
    bench.core.retire(next, Core::Ending::Drop);
    CHECK(bench.core.waiting() == 0);
    CHECK(bench.events.runs.size() == 1);
}

TEST_CASE("a probe with a number of runs falls free after the last")
{
    Bench bench;
    auto three = plan(1, 100, 50);
    three.runs_max = 3;
    const auto slot = bench.core.add(three, at(0), at(100), at(0));
    CHECK(bench.run_until(0, 1000).size() == 3);
    CHECK(bench.events.runs.size() == 3);
    CHECK(bench.events.freed == std::vector{slot});
    CHECK(bench.core.next_wake() == Moment::max());
}

TEST_CASE("whatever comes in whichever order, every packet is settled once and every run handed out once")
{
    SeededRandom random(17);
    Bench bench;
    std::uint64_t sent = 0;
    for (int i = 0; i < 50; ++i) {
        auto limited = plan(1 + std::uint32_t(random.below(5)), 200, 100 + int(random.below(400)));
        limited.runs_max = 20;
        bench.core.add(limited, at(std::int64_t(random.below(20)) * 10), at(400), at(0));
    }
    std::vector<Identity> seen;
    for (std::int64_t ms = 0; ms < 10'000; ms += 10) {
        for (const auto& [id, when] : bench.run_until(ms, ms)) {
            ++sent;
            seen.push_back(id);
        }
        for (int i = 0; i < 20 && !seen.empty(); ++i) {
            const auto id = seen[seen.size() - 1 - random.below(std::min<std::uint64_t>(seen.size(), 300))];
            switch (random.below(6)) {
            case 0: bench.core.transmitted(id, at(ms)); break;
            case 1: bench.core.unreachable(id, "x"); break;
            case 2: bench.core.corrupted(id); break;
            case 3: bench.core.send_failed(id, Outcome::NotMeasured, "y"); break;
            default: bench.core.answered(id, at(ms) - Micros(random.below(9000)), random.below(2) == 0, std::nullopt); break;
            }
        }
    }
    std::uint64_t settled = 0;
    for (const auto& [state, count] : bench.events.settled) settled += std::uint64_t(count);
    CHECK(settled == sent);
    CHECK(bench.core.waiting() == 0);
    CHECK(bench.events.runs.size() == 50 * 20);
    CHECK(bench.events.freed.size() == 50);
}

}  // namespace nw::probe::ping
