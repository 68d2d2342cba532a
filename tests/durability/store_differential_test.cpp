// The embedded store against the in-memory reference: the same random life for both, and every answer must be the same,
// while the embedded one seals, compacts, forgets and is closed and opened at random moments.
//
// NW_ROWS: how many rows (20,000 unless told); NW_SEED: another life.
#include "base/testing.hpp"
#include "model/kinds/ping.hpp"
#include "store/telemetry/embedded.hpp"
#include "store/telemetry/memory.hpp"
#include "store/telemetry/rows_testing.hpp"
#include "store/telemetry/telemetry_contract.hpp"

#include <array>
#include <cstdlib>
#include <map>

using namespace nw;
using namespace nw::store;
using contract::batch_of;
using contract::kStart;
using testing_rows::random_sample;

namespace {

constexpr std::array<ChildColumn, 3> kOddChildren{{
    {.name = "ttl"},
    {.name = "address", .type = ColumnType::Text, .unit = "ip"},
    {.name = "delay", .unit = "us"},
}};
constexpr std::array<Column, 6> kOddColumns{{
    {.name = "note", .type = ColumnType::Text, .rollup = Rollup::Last},
    {.name = "first", .type = ColumnType::Histogram, .rollup = Rollup::Merge},
    {.name = "gauge", .rollup = Rollup::Last, .hot = true},
    {.name = "second", .type = ColumnType::Histogram, .rollup = Rollup::Merge},
    {.name = "count", .rollup = Rollup::Sum},
    {.name = "hops", .type = ColumnType::Table, .children = kOddChildren},
}};
constexpr std::array<Setting, 1> kOddSettings{
    {{.name = "interval", .type = SettingType::Duration, .default_number = 1000, .min = 1000, .max = 9000}}};
constexpr std::array<Metric, 2> kOddMetrics{{
    {.name = "gauge", .formula = Formula::Value, .a = "gauge"},
    {.name = "second_p90", .unit = "us", .formula = Formula::Quantile, .a = "second", .q = 0.9},
}};
// A second kind: nothing in the store may know what a ping is.
constexpr Kind kOdd{.number = 900, .name = "odd", .settings = kOddSettings, .columns = kOddColumns, .metrics = kOddMetrics};

constexpr std::uint64_t kProbes = 24;
constexpr Retention kRetention{
    .raw = Seconds(5 * 86'400), .five_minutes = Seconds(9 * 86'400), .hour = Seconds(400 * 86'400)};

std::uint64_t setting(const char* name, std::uint64_t otherwise)
{
    const auto* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Life {
public:
    explicit Life(std::uint64_t seed) : random_(seed)
    {
        clock_.set_wall(from_us(kStart));
        reference_ = make_memory_telemetry(clock_, kRetention);
        open();
    }
    ~Life() { shut(); }

    void live(std::uint64_t rows)
    {
        // About 14 days in all, so that raw rows and 5-minute roll-ups expire on the way.
        const auto steps = std::max<std::uint64_t>(1, rows / 60);
        while (rows_ < rows) {
            clock_.set_wall(clock_.wall() + Micros(std::int64_t(14 * std::uint64_t(kDayUs) / steps)));
            append();
            if (random_.below(5) == 0) keep_house();
            if (random_.below(30) == 0) compare();
        }
        keep_house();
        compare();
        for (int i = 0; i < 20; ++i) compare();
    }

private:
    struct Stream {
        std::uint64_t next = 1;
        std::vector<wire::Batch> sent{};  // the last few, to be sent again
    };

    template <class T>
    T both(std::function<Task<Result<T>>(Telemetry&)> ask)
    {
        auto expected = testing::run(loop_, ask(*reference_));
        auto got = testing::run(loop_, ask(*embedded_));
        REQUIRE(expected.has_value() == got.has_value());
        if (!expected) {
            CHECK(expected.error().code == got.error().code);
            return T{};
        }
        expected_equal(*expected, *got);
        return *std::move(expected);
    }
    static void expected_equal(const Appended& a, const Appended& b)
    {
        CHECK(a.acked_seq == b.acked_seq);
        CHECK(a.gap == b.gap);
        CHECK(a.new_rows == b.new_rows);
    }
    static void expected_equal(const Series& a, const Series& b)
    {
        CHECK(a.from_us == b.from_us);
        CHECK(a.step_us == b.step_us);
        CHECK(a.resolution == b.resolution);
        REQUIRE(a.probes.size() == b.probes.size());
        for (std::size_t i = 0; i < a.probes.size(); ++i) {
            CHECK(a.probes[i].runs == b.probes[i].runs);
            CHECK(a.probes[i].first_at_us == b.probes[i].first_at_us);
            CHECK(a.probes[i].last_at_us == b.probes[i].last_at_us);
            CHECK((a.probes[i].buckets == b.probes[i].buckets));
        }
    }
    static void expected_equal(const SamplePage& a, const SamplePage& b)
    {
        CHECK((a.rows == b.rows));
        CHECK(a.next == b.next);
    }
    static void expected_equal(const Summaries& a, const Summaries& b)
    {
        CHECK((a.range == b.range));
        CHECK((a.probes == b.probes));
    }
    static void expected_equal(const std::vector<LatestPtr>& a, const std::vector<LatestPtr>& b)
    {
        REQUIRE(a.size() == b.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            CHECK((a[i]->sample == b[i]->sample));
            CHECK(a[i]->received_us == b[i]->received_us);
            CHECK((a[i]->recent == b[i]->recent));
        }
    }
    static void expected_equal(const std::vector<TopEntry>& a, const std::vector<TopEntry>& b)
    {
        REQUIRE(a.size() == b.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            CHECK(a[i].probe == b[i].probe);
            CHECK(a[i].value == b[i].value);
        }
    }
    static void expected_equal(const std::vector<LostSpan>& a, const std::vector<LostSpan>& b)
    {
        REQUIRE(a.size() == b.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            INFO("stream " << std::uint64_t(a[i].stream) << " or " << std::uint64_t(b[i].stream) << ", declared "
                           << a[i].declared_us << " or " << b[i].declared_us);
            CHECK((a[i] == b[i]));
        }
    }
    static void expected_equal(std::uint64_t a, std::uint64_t b) { CHECK(a == b); }

    const Kind& kind_of(std::uint64_t probe) const { return probe % 3 == 0 ? kOdd : kinds::ping; }

    wire::Batch next_batch(std::uint64_t agent, Stream& stream, StreamId id)
    {
        std::vector<Sample> samples;
        const auto now = to_us(clock_.wall());
        const auto late = random_.below(12) == 0 ? std::int64_t(random_.below(2 * std::uint64_t(kDayUs))) : 0;
        for (auto n = 1 + random_.below(100); n > 0; --n) {
            const auto probe = 1 + agent * 8 + random_.below(8);
            const auto at =
                now - late - std::int64_t(random_.below(3600)) * kSecondUs - std::int64_t(random_.below(3)) * 1'000;
            samples.push_back(random_sample(random_, kind_of(probe), ProbeId(probe), std::max<std::int64_t>(at, 0)));
        }
        auto batch = batch_of(id, stream.next, samples);
        if (random_.below(4) == 0) {
            batch.clock_offset_us = std::int64_t(random_.below(20'000'000)) - 10'000'000;
            batch.clock_uncertainty_us = random_.below(2'000'000);
        }
        if (random_.below(10) == 0)  // as ingest does with rows of foreign probes
            for (auto& rows : batch.kinds) {
                auto kept = make_rows(*rows.kind);
                for (std::size_t row = 0; row < rows.size(); ++row)
                    if (random_.below(3) != 0) nw::append_row(kept, rows, row);
                rows = std::move(kept);
            }
        return batch;
    }

    void append()
    {
        const auto agent = random_.below(3);
        const auto id = StreamId(100 + agent * 2 + random_.below(2));
        auto& stream = streams_[{agent, std::uint64_t(id)}];
        const auto luck = random_.below(20);
        if (luck == 0 && !stream.sent.empty()) return send(agent, stream.sent[random_.below(stream.sent.size())]);
        if (luck == 1) return declare_lost(agent, stream, id);
        auto batch = next_batch(agent, stream, id);
        if (luck == 2) {
            batch.first_seq += 5;
            for (auto& rows : batch.kinds)
                for (auto& seq : rows.seq) seq += 5;
            return send(agent, batch);  // a gap
        }
        rows_ += batch.count;
        stream.next += batch.count;
        send(agent, batch);
        stream.sent.push_back(std::move(batch));
        if (stream.sent.size() > 5) stream.sent.erase(stream.sent.begin());
    }

    void send(std::uint64_t agent, const wire::Batch& batch)
    {
        const auto received = clock_.wall() + Micros(std::int64_t(random_.below(5'000'000)));
        const auto bytes = wire::encode_batch(batch);
        both<Appended>([&](Telemetry& store) { return store.append({AgentId(agent), batch, bytes, received}); });
    }

    void declare_lost(std::uint64_t agent, Stream& stream, StreamId id)
    {
        const auto now = to_us(clock_.wall());
        const auto count = 1 + random_.below(50);
        const LostSpan span{.agent = AgentId(agent),
                            .stream = id,
                            .first_seq = stream.next,
                            .last_seq = stream.next + count - 1,
                            .reason = "spool full",
                            .from_us = now - 600 * kSecondUs,
                            .until_us = now};
        stream.next += count;
        both<Appended>([&](Telemetry& store) { return store.declare_lost(span); });
    }

    void keep_house()
    {
        switch (random_.below(5)) {
        case 0: REQUIRE(testing::run(loop_, embedded_->seal())); break;
        case 1:
            shut();
            open();
            break;
        case 2: {
            REQUIRE(testing::run(loop_, embedded_->seal()));
            // Late rows are compacted into their day only after a quiet time.
            if (random_.below(4) == 0) clock_.advance(std::chrono::hours(7));
            REQUIRE(testing::run(loop_, embedded_->maintain(clock_.wall())));
            break;
        }
        default: REQUIRE(testing::run(loop_, embedded_->maintain(clock_.wall())));
        }
    }

    TimeRange random_range()
    {
        const auto now = to_us(clock_.wall());
        const auto length = 1 + std::int64_t(random_.below(std::uint64_t(1) << (20 + random_.below(21))));
        const auto until =
            now + kHourUs - std::int64_t(random_.below(std::uint64_t(random_.below(3) == 0 ? 14 * kDayUs : 2 * kDayUs)));
        return {std::max<std::int64_t>(0, until - length), until};
    }

    void compare()
    {
        const Kind& kind = random_.below(3) == 0 ? kOdd : kinds::ping;
        std::vector<ProbeId> probes;
        for (auto n = 1 + random_.below(6); n > 0; --n) probes.push_back(ProbeId(1 + random_.below(kProbes + 2)));
        const auto range = random_range();
        const auto buckets = std::uint32_t(1 + random_.below(400));
        both<Series>([&](Telemetry& store) {
            return store.series({.probes = probes, .kind = &kind, .range = range, .buckets_max = buckets});
        });
        both<Summaries>(
            [&](Telemetry& store) { return store.summaries({.probes = probes, .kind = &kind, .range = range}); });
        both<std::vector<LatestPtr>>(
            [&](Telemetry& store) { return store.latest({.probes = probes, .kind = &kind, .now = clock_.wall()}); });
        const auto metric = std::string(kind.metrics[random_.below(kind.metrics.size())].name);
        const auto count = std::uint32_t(1 + random_.below(4));
        INFO("metric " << metric << " from " << range.from_us - kStart << " until " << range.until_us - kStart << " at "
                       << to_us(clock_.wall()) - kStart);
        both<std::vector<TopEntry>>([&](Telemetry& store) {
            return store.top({.probes = probes, .kind = &kind, .metric = metric, .range = range, .count = count});
        });
        std::string cursor;
        const auto limit = std::uint32_t(1 + random_.below(300));
        for (int page = 0; page < 20; ++page) {
            const auto got = both<SamplePage>([&](Telemetry& store) {
                return store.samples({.probe = probes[0], .kind = &kind, .range = range, .limit = limit, .cursor = cursor});
            });
            if (got.next.empty()) break;
            cursor = got.next;
        }
        for (const auto& [key, stream] : streams_)
            both<std::uint64_t>([&](Telemetry& store) { return store.watermark(AgentId(key.first), StreamId(key.second)); });
        both<std::vector<LostSpan>>([&](Telemetry& store) { return store.lost({AgentId(0), AgentId(2)}, range, 1000); });
    }

    void open()
    {
        auto opened = open_embedded(
            {.dir = scratch_.path(), .retention = kRetention, .self_maintenance = false, .disk_free_min_bytes = 0}, kinds_,
            clock_, Log{});
        if (!opened) FAIL(opened.error().what);
        embedded_ = *std::move(opened);
    }
    void shut()
    {
        testing::run(loop_, embedded_->close());
        embedded_.reset();
    }

    SeededRandom random_;
    testing::ScratchDir scratch_;
    testing::ManualClock clock_;
    Kinds kinds_{{&kinds::ping, &kOdd}};
    Loop loop_;
    std::unique_ptr<Telemetry> reference_;
    std::unique_ptr<Telemetry> embedded_;
    std::map<std::pair<std::uint64_t, std::uint64_t>, Stream> streams_{};
    std::uint64_t rows_ = 0;
};

}  // namespace

TEST_CASE("the embedded store answers as the reference does")
{
    const auto seed = setting("NW_SEED", 1);
    INFO("NW_SEED=" << seed);
    Life(seed).live(setting("NW_ROWS", 20'000));
}
