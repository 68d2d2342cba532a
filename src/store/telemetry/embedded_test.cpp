#include "store/telemetry/embedded.hpp"

#include "model/kinds/all.hpp"
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
