#include "atlas/atlas.hpp"

#include "atlas/stored_runs.hpp"
#include "base/testing.hpp"
#include "model/kinds/path.hpp"
#include "model/kinds/ping.hpp"
#include "store/telemetry/memory.hpp"
#include "topology/testing.hpp"

#include <algorithm>
#include <functional>

namespace nw::atlas {
namespace {

using topology::testing::FakeFlow;
using topology::testing::run_through;
using topology::testing::v4;

constexpr std::int64_t kMinute = 60'000'000;
const std::vector<FakeFlow> kDirect{{{{1}, {2}, {9}}}};
const std::vector<FakeFlow> kDetour{{{{1}, {5}, {6}, {9}}}};

// Stores that outlive several programs, each with an atlas of its own.
struct Fixture {
    testing::ScratchDir dir{};
    Loop loop{};
    testing::ManualClock clock{};
    SeededRandom random{5};
    std::unique_ptr<store::Metadata> metadata = *store::Metadata::open(dir / "metadata.db");
    std::unique_ptr<store::Telemetry> telemetry = store::make_memory_telemetry(clock);
    Kinds kinds{{&kinds::ping, &kinds::path}};
    TaskGroup tasks{loop.get_executor(), Log()};
    std::unique_ptr<Atlas> atlas{};
    WorkspaceId workspace{1};
    AgentId agent{2};
    ProbeId probe{3};
    std::uint64_t seq = 0;
    std::vector<store::PathChange> told{};

    Fixture()
    {
        clock.set_wall(from_us(1'700'000'000'000'000));
        write([&](store::MetadataTx& tx) -> Status {
            NW_CHECK(tx.workspaces().add({.id = workspace, .slug = "w", .name = "W"}));
            NW_CHECK(tx.agents(workspace).add({.id = agent, .name = "a"}));
            return {};
        });
        add_probe(probe, "www.example.org");
        restart();
    }
    ~Fixture() { testing::run(loop, tasks.close()); }

    void write(const std::function<Status(store::MetadataTx&)>& work)
    {
        const auto done = testing::run(loop, metadata->write([&](store::MetadataTx& tx) { return work(tx); }));
        REQUIRE(done);
    }
    void add_probe(ProbeId id, const std::string& target)
    {
        write([&](store::MetadataTx& tx) -> Status {
            NW_CHECK(
                tx.probes(workspace).add({.id = id,
                                          .agent = agent,
                                          .kind = "path",
                                          .name = "p",
                                          .settings = R"({"interval":60000,"protocol":"udp","target":")" + target + "\"}"}));
            return {};
        });
    }
    void start()
    {
        atlas = std::make_unique<Atlas>(loop.get_executor(), *metadata, *telemetry, kinds, clock, "m", Log());
        atlas->on_change([this](WorkspaceId, const store::PathChange& change) { told.push_back(change); });
        REQUIRE(testing::run(loop, atlas->load()));
    }
    void restart()
    {
        start();
        atlas->start(tasks);
        settle();
    }
    void settle()
    {
        until([&] { return atlas->stats().probes_waiting == 0 && atlas->stats().probes_to_draw == 0; });
    }
    void stop()
    {
        testing::run(loop, tasks.close());
        std::destroy_at(&tasks);
        std::construct_at(&tasks, loop.get_executor(), Log());
        atlas.reset();
    }
    void until(const std::function<bool()>& done)
    {
        for (int i = 0; i < 100'000 && !done(); ++i) {
            loop.restart();
            loop.run_one();
        }
        REQUIRE(done());
    }
    std::string destination = v4(9);
    Rows rows_of(const std::vector<FakeFlow>& flows, std::int64_t at_us)
    {
        const auto run = run_through(at_us, flows);
        auto sample = make_sample(kinds::path, probe, from_us(at_us));
        sample.outcome = run.outcome;
        sample.address = destination;
        sample.bytes[*kinds::path.column_index("hops")] = encode_hops(run.hops);
        auto rows = make_rows(kinds::path);
        append(rows, ++seq, sample);
        return rows;
    }
    // Stores a run, as ingest does; nobody else hears of it.
    std::vector<Rows> keep(const std::vector<FakeFlow>& flows, std::int64_t at_us)
    {
        wire::Batch batch{.stream = StreamId{1}, .count = 1, .kinds = {rows_of(flows, at_us)}};
        batch.first_seq = seq;
        auto appended = testing::run(
            loop, telemetry->append(
                      {.agent = agent, .batch = batch, .bytes = wire::encode_batch(batch), .received_at = clock.wall()}));
        REQUIRE(appended);
        return std::move(appended->new_rows);
    }
    void run(const std::vector<FakeFlow>& flows, int times = 1)
    {
        for (int i = 0; i < times; ++i) {
            clock.advance(std::chrono::minutes(1));
            const auto fresh = keep(flows, to_us(clock.wall()));
            REQUIRE(fresh.size() == 1);
            atlas->take(fresh);
        }
    }
    std::vector<store::PathChange> stored()
    {
        return *testing::run(loop, metadata->read([&](store::MetadataTx& tx) {
            return tx.path_changes(workspace).list(std::nullopt, 0, INT64_MAX, 100);
        }));
    }
    std::size_t nodes()
    {
        settle();
        const auto* graph = atlas->graph(workspace);
        return graph ? graph->node_count() : 0;
    }
};

}  // namespace

TEST_CASE("new rows draw the map; what is deleted or disabled leaves it at once")
{
    Fixture f;
    f.run(kDirect, 2);
    CHECK(f.nodes() == 4);
    REQUIRE(f.atlas->graph(f.workspace)->ends_of(f.probe));
    CHECK(f.atlas->graph(f.workspace)->ends_of(f.probe)->target_name == "www.example.org");
    CHECK(f.atlas->graph(f.workspace)->ends_of(f.probe)->protocol == "udp");
    f.write([&](store::MetadataTx& tx) -> Status {
        NW_TRY(auto agent, tx.agents(f.workspace).get(f.agent));
        agent.enabled = false;
        NW_CHECK(tx.agents(f.workspace).update(agent, agent.revision));
        return {};
    });
    REQUIRE(testing::run(f.loop, f.atlas->refresh(f.agent)));
    CHECK(f.nodes() == 0);
    f.run(kDirect);  // what was still in its spool
    CHECK(f.nodes() == 0);
    f.write([&](store::MetadataTx& tx) -> Status {
        NW_TRY(auto agent, tx.agents(f.workspace).get(f.agent));
        agent.enabled = true;
        NW_CHECK(tx.agents(f.workspace).update(agent, agent.revision));
        return {};
    });
    REQUIRE(testing::run(f.loop, f.atlas->refresh(f.agent)));
    f.until([&] { return f.atlas->stats().probes_waiting == 0; });
    CHECK(f.nodes() == 4);
    f.write([&](store::MetadataTx& tx) { return tx.probes(f.workspace).remove(f.probe, f.clock.wall()); });
    REQUIRE(testing::run(f.loop, f.atlas->refresh(f.agent)));
    CHECK(f.nodes() == 0);
    CHECK(f.atlas->stats().probes == 0);
}

TEST_CASE("paths that are measured no more leave when their time has passed")
{
    Fixture f;
    f.run(kDirect);
    f.clock.advance(std::chrono::minutes(9));
    f.atlas->expire();
    CHECK(f.nodes() == 4);
    f.clock.advance(std::chrono::minutes(2));
    f.atlas->expire();
    CHECK(f.nodes() == 0);
    // What an agent catches up with is no present either.
    f.atlas->take(f.keep(kDirect, to_us(f.clock.wall()) - 11 * kMinute));
    CHECK(f.nodes() == 0);
}

TEST_CASE("a route change is stored and told once, dated to the first run that saw it")
{
    Fixture f;
    f.run(kDirect, 120);
    const auto first = to_us(f.clock.wall()) + kMinute;
    f.run(kDetour, 3);
    f.until([&] { return !f.told.empty(); });
    REQUIRE(f.stored().size() == 1);
    CHECK(f.told == f.stored());
    const auto change = f.stored().front();
    CHECK(change.at_us == first);
    CHECK(change.confirmed_us == first + 2 * kMinute);
    REQUIRE(change.added.size() == 2);
    CHECK(change.added[0].address == "10.0.0.5");
    REQUIRE(change.removed.size() == 1);
    CHECK(change.removed[0].ttl == 2);
    CHECK(change.hops_after == 4);
    f.run(kDetour, 20);
    CHECK(f.atlas->stats().changes_pending == 0);
    CHECK(f.stored().size() == 1);
}

TEST_CASE("a start shows what the store has, and finds changes that nobody noted, once")
{
    Fixture f;
    f.run(kDirect, 100);
    // The program ends after the samples are stored and before anybody looks at them.
    f.stop();
    const auto first = to_us(f.clock.wall()) + kMinute;
    for (int i = 0; i < 3; ++i) {
        f.clock.advance(std::chrono::minutes(1));
        f.keep(kDetour, to_us(f.clock.wall()));
    }
    f.restart();
    f.until([&] { return f.told.size() == 1; });
    CHECK(f.told[0].at_us == first);
    CHECK(f.nodes() == 6);  // both routes lie within the window
    f.stop();
    f.restart();
    f.stop();
    f.restart();
    CHECK(f.atlas->stats().changes_pending == 0);
    CHECK(f.told.size() == 1);
    CHECK(f.stored().size() == 1);
}

TEST_CASE("rows that come in before a probe is up to date are followed afterwards, in order")
{
    Fixture f;
    f.run(kDirect, 100);
    f.stop();
    f.start();
    const auto first = to_us(f.clock.wall()) + kMinute;
    f.run(kDetour, 3);
    CHECK(f.atlas->stats().probes_to_draw == 1);
    CHECK(f.told.empty());
    f.atlas->start(f.tasks);
    f.until([&] { return f.told.size() == 1; });
    CHECK(f.told[0].at_us == first);
}

TEST_CASE("another target is another path: nothing of the old one is left, and no change is told")
{
    Fixture f;
    f.run(kDirect, 100);
    f.write([&](store::MetadataTx& tx) -> Status {
        NW_TRY(auto probe, tx.probes(f.workspace).get(f.probe));
        probe.settings = R"({"interval":60000,"protocol":"udp","target":"other.example.org"})";
        probe.updated_us = to_us(f.clock.wall()) + 1;
        NW_CHECK(tx.probes(f.workspace).update(probe, probe.revision));
        return {};
    });
    REQUIRE(testing::run(f.loop, f.atlas->refresh(f.agent)));
    CHECK(f.nodes() == 0);
    f.until([&] { return f.atlas->stats().probes_waiting == 0; });
    f.run({{{{1}, {7}, {8}}}}, 100);
    CHECK(f.told.empty());
}

TEST_CASE("a name that becomes another address is no route change, and its routes are told apart")
{
    Fixture f;
    const std::vector<FakeFlow> other{{{{1}, {7}, {8}}}};
    f.run(kDirect, 100);
    for (std::uint32_t i = 0; i < 10; ++i) {
        f.destination = v4(i % 2 == 0 ? 8 : 9);
        f.run(i % 2 == 0 ? other : kDirect, 10);
    }
    f.destination = v4(9);
    f.run(kDetour, 5);
    f.until([&] { return !f.told.empty(); });
    REQUIRE(f.told.size() == 1);
    CHECK(f.told[0].removed.size() == 1);
    CHECK(f.told[0].removed[0].address == "10.0.0.2");
    for (std::uint32_t i = 20; i < 40; ++i) {
        f.destination = v4(i);
        f.run({{{{1}, {i}}}});
    }
    CHECK(f.told.size() == 1);
}

TEST_CASE("stored runs are read from the newest back")
{
    Fixture f;
    f.run(kDirect, 30);
    f.clock.advance(std::chrono::hours(3));
    const auto now = to_us(f.clock.wall());
    auto& pool = f.atlas->pool();
    const auto all = testing::run(f.loop, read_runs(*f.telemetry, pool, f.probe, kinds::path, {0, now}, 100));
    REQUIRE(all);
    CHECK(all->runs.size() == 30);
    CHECK(!all->truncated);
    const auto some = testing::run(f.loop, read_runs(*f.telemetry, pool, f.probe, kinds::path, {0, now}, 4));
    CHECK(some->truncated);
    CHECK(some->runs.front() == all->runs[26]);
    std::vector<topology::Run> each;
    const auto corrupt = testing::run(f.loop, each_run(*f.telemetry, pool, f.probe, kinds::path, {0, now},
                                                       [&](const topology::Run& run) { each.push_back(run); }));
    CHECK(corrupt == 0U);
    CHECK(each == all->runs);
    const auto last = testing::run(f.loop, read_run_before(*f.telemetry, pool, f.probe, kinds::path, now));
    REQUIRE(last->size() == 1);
    CHECK(last->front() == all->runs.back());
}

}  // namespace nw::atlas
