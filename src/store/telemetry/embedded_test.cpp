#include "store/telemetry/embedded.hpp"

#include "model/kinds/all.hpp"
#include "sqlite/database.hpp"
#include "store/telemetry/telemetry_contract.hpp"

#include <fstream>

using namespace nw;
using namespace nw::store;
using contract::kStart;
using contract::ping_sample;

namespace {

// Stores in directories of their own, and the ways in which data may have moved on.
class Bench {
public:
    Bench() { clock.set_wall(from_us(kStart + 2 * kDayUs)); }

    EmbeddedOptions options(const std::string& name)
    {
        return {.dir = scratch / name, .self_maintenance = false, .disk_free_min_bytes = 0};
    }
    std::unique_ptr<Telemetry> open(const std::string& name)
    {
        auto store = open_embedded(options(name), kinds, clock, Log{});
        if (!store) FAIL(store.error().what);
        return *std::move(store);
    }
    contract::Subject subject(std::function<void(Telemetry&)> settle)
    {
        return {.make = [this] { return open(std::to_string(++made_)); }, .settle = std::move(settle), .clock = &clock};
    }

    testing::ScratchDir scratch;
    testing::ManualClock clock;
    Kinds kinds = all_kinds();

private:
    int made_ = 0;
};

}  // namespace

TEST_CASE("the embedded store keeps the contract while everything is in the hot window")
{
    Bench bench;
    contract::check_telemetry_contract(bench.subject([](Telemetry&) {}));
}

TEST_CASE("the embedded store keeps the contract when all is sealed after each append")
{
    Bench bench;
    contract::check_telemetry_contract(bench.subject([](Telemetry& store) { REQUIRE(testing::run(store.seal())); }));
}

TEST_CASE("the embedded store keeps the contract when days are compacted again and again")
{
    Bench bench;
    std::int64_t later = 0;
    contract::check_telemetry_contract(bench.subject([&](Telemetry& store) {
        REQUIRE(testing::run(store.seal()));
        // Far enough ahead each time for every day to be due, with nothing expired.
        later += kDayUs;
        REQUIRE(testing::run(store.maintain(from_us(kStart + 3 * kDayUs + later % (7 * kDayUs)))));
    }));
}

TEST_CASE("files that a crash left without tables do not keep the store from opening")
{
    Bench bench;
    testing::run(bench.open("crashed")->close());
    for (const auto* name : {"rollups/ping-202601-5m.db", "rollups/ping-202601-1h.db", "chunks/ping-20260124-h0.db",
                             "intake-77.db", "chunks/ping-20260124-d1.db.tmp"})
        std::ofstream(bench.scratch / "crashed" / name).flush();
    auto store = bench.open("crashed");
    auto batch = contract::batch_of(StreamId(9), 1, {ping_sample(7, kStart, 1, {10})});
    auto bytes = wire::encode_batch(batch);
    REQUIRE(testing::run(store->append({AgentId(1), std::move(batch), std::move(bytes), from_us(kStart)})));
    REQUIRE(testing::run(store->seal()));
    REQUIRE(testing::run(store->maintain(from_us(kStart + 3 * kDayUs))));
    const auto page =
        testing::run(store->samples({.probe = ProbeId(7), .kind = &kinds::ping, .range = {kStart, kStart + 1}}));
    REQUIRE(page);
    CHECK(page->rows.size() == 1);
    testing::run(store->close());
}

TEST_CASE("little is sealed every fourth hour, much every hour")
{
    Bench bench;
    auto store = bench.open("policy");
    std::uint64_t seq = 0;
    const auto append = [&](std::size_t rows, std::int64_t at_us) {
        std::vector<Sample> samples;
        for (std::size_t i = 0; i < rows; ++i) samples.push_back(ping_sample(1 + i, at_us, 1, {10}));
        auto batch = contract::batch_of(StreamId(9), seq + 1, samples);
        auto bytes = wire::encode_batch(batch);
        bytes.resize(std::max(bytes.size(), rows * 100));  // counts as 100 bytes a row; what is appended is the batch
        seq += rows;
        REQUIRE(testing::run(store->append({AgentId(1), std::move(batch), std::move(bytes), from_us(at_us)})));
    };
    const auto seals_at = [&](std::int64_t at_us) {
        REQUIRE(testing::run(store->maintain(from_us(at_us))));
        return testing::run(store->stats()).seals;
    };
    const auto before = seals_at(kStart + 4 * kHourUs + 120 * kSecondUs);
    for (const auto hour : {4, 5, 6}) {
        append(1, kStart + hour * kHourUs + kSecondUs);
        CHECK(seals_at(kStart + (hour + 1) * kHourUs + 60 * kSecondUs) == before);
    }
    append(1, kStart + 7 * kHourUs + kSecondUs);
    CHECK(seals_at(kStart + 8 * kHourUs + 119 * kSecondUs) == before);
    CHECK(seals_at(kStart + 8 * kHourUs + 120 * kSecondUs) == before + 1);
    for (int i = 0; i < 26; ++i) append(10'000, kStart + 8 * kHourUs + i * kSecondUs);
    CHECK(seals_at(kStart + 9 * kHourUs + 119 * kSecondUs) == before + 1);
    CHECK(seals_at(kStart + 9 * kHourUs + 120 * kSecondUs) == before + 2);
    testing::run(store->close());
}

TEST_CASE("rows and roll-ups of a probe that is kept for less leave the disk")
{
    Bench bench;
    auto store = bench.open("shorter");
    auto batch = contract::batch_of(StreamId(9), 1, {ping_sample(7, kStart, 1, {10}), ping_sample(8, kStart, 1, {20})});
    auto bytes = wire::encode_batch(batch);
    REQUIRE(testing::run(store->append({AgentId(1), std::move(batch), std::move(bytes), from_us(kStart)})));
    const auto maintain = [&](std::int64_t day) {
        bench.clock.set_wall(from_us(kStart + day * kDayUs + kHourUs));
        REQUIRE(testing::run(store->maintain(bench.clock.wall())));
    };
    const auto count = [&](const char* folder, const std::string& part, const char* table, int probe) {
        for (const auto& entry : std::filesystem::directory_iterator(bench.scratch / "shorter" / folder)) {
            const auto name = entry.path().filename().string();
            if (!name.ends_with(".db") || name.find(part) == std::string::npos) continue;
            const auto db = sqlite::Database::open(entry.path(), {.read_only = true});
            REQUIRE(db);
            sqlite::Statement rows(**db, std::string("SELECT count(*) FROM ") + table + " WHERE probe=?1");
            REQUIRE(rows.bind(1, std::int64_t(probe)).step());
            return rows.integer(0);
        }
        FAIL("no such file: " << part);
        return std::int64_t{-1};
    };
    maintain(2);
    CHECK(count("chunks", "-d1", "chunk", 7) == 1);
    const Retention shorter{.raw = Seconds(86'400), .five_minutes = Seconds(4 * 86'400), .hour = Seconds(8 * 86'400)};
    REQUIRE(testing::run(store->set_retention(Retention{}, {{shorter, {ProbeId(7)}}})));
    maintain(2);
    CHECK(count("chunks", "-d2", "chunk", 7) == 0);
    CHECK(count("chunks", "-d2", "chunk", 8) == 1);
    CHECK(count("rollups", "-5m", "rollup", 7) == 1);
    maintain(5);
    CHECK(count("rollups", "-5m", "rollup", 7) == 0);
    CHECK(count("rollups", "-5m", "rollup", 8) == 1);
    CHECK(count("rollups", "-1h", "rollup", 7) == 1);
    maintain(9);
    CHECK(count("rollups", "-1h", "total", 7) == 0);
    CHECK(count("rollups", "-1h", "total", 8) == 1);
    testing::run(store->close());
}
