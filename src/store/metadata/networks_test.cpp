#include "store/metadata/metadata.hpp"

#include "base/testing.hpp"
#include "wire/interfaces.hpp"

namespace nw::store {
namespace {

constexpr std::int64_t kStart = 1'700'000'000'000'000;
constexpr std::int64_t kDay = 86'400'000'000;

struct Fixture {
    testing::ScratchDir dir;
    std::unique_ptr<Metadata> metadata = *Metadata::open(dir / "metadata.db");
    SeededRandom random{5};
    WorkspaceId workspace = make_id<WorkspaceId>(random, from_us(kStart));
    AgentId agent = make_id<AgentId>(random, from_us(kStart));
    std::uint64_t number = 0;

    template <class Work>
    auto tx(Work work)
    {
        return testing::run(metadata->write(std::move(work)));
    }
    Fixture()
    {
        REQUIRE(tx([&](MetadataTx& tx) -> Status {
            NW_CHECK(tx.workspaces().add({.id = workspace, .slug = "w", .name = "w", .created_us = kStart}));
            NW_CHECK(tx.agents(workspace).add({.id = agent, .name = "edge", .created_us = kStart}));
            return {};
        }));
    }
    void report(std::int64_t at_us, HostNetwork network, std::vector<Failover> failovers = {}, StreamId stream = StreamId(1))
    {
        REQUIRE(tx([&](MetadataTx& tx) {
            return tx.agent_sessions().record_network(
                agent, {stream, ++number},
                {.at_us = at_us, .network = std::move(network), .failovers = std::move(failovers)});
        }));
    }
    std::optional<NetworkReport> at(std::int64_t at_us)
    {
        return *tx([&](MetadataTx& tx) { return tx.agents(workspace).network(agent, at_us); });
    }
    Paged<NetworkHistoryEntry> history(NetworkHistoryFilter filter = {}, Page page = {})
    {
        return *tx([&](MetadataTx& tx) { return tx.agents(workspace).network_history(agent, filter, page); });
    }
};

HostNetwork host(std::uint32_t mtu, std::int64_t seen_us = 0)
{
    return {.hostname = "h",
            .interfaces = {{.name = "eth0",
                            .index = 2,
                            .mtu = mtu,
                            .up = true,
                            .carrier = true,
                            .public_v4 = {.address = "\x7f\1\1\1", .seen_us = seen_us}}},
            .interfaces_total = 1};
}

}  // namespace

TEST_CASE("an agent's network as it is, as it was, and what changed in between")
{
    Fixture f;
    CHECK_FALSE(f.at(INT64_MAX));
    f.report(kStart, host(1500));
    CHECK(f.history().items.empty());  // the first report says how things are
    f.report(kStart + 10, host(1400));
    f.report(kStart + 20, host(1300));
    CHECK(f.at(INT64_MAX)->network == host(1300));
    CHECK(f.at(kStart + 19)->network == host(1400));
    CHECK(f.at(kStart + 19)->at_us == kStart + 10);
    CHECK_FALSE(f.at(kStart - 1));
    const auto all = f.history();
    REQUIRE(all.items.size() == 2);
    CHECK(all.items[0].change.text == "eth0: MTU 1300");
    CHECK(all.items[0].change.before == "1400");
    CHECK(all.items[1].at_us == kStart + 10);
    CHECK(f.history({.from_us = kStart + 11}).items.size() == 1);
    CHECK(f.history({.until_us = kStart + 20}).items.size() == 1);
}

TEST_CASE("a report that says nothing new replaces the last one: after a restart, and when addresses were seen again")
{
    Fixture f;
    f.report(kStart, host(1500, 1));
    f.report(kStart + 10, host(1500, 99), {}, StreamId{2});
    CHECK(f.at(INT64_MAX)->at_us == kStart);
    CHECK(f.at(INT64_MAX)->network.interfaces[0].public_v4.seen_us == 99);
    CHECK(f.history().items.empty());
    CHECK(*f.tx([&](MetadataTx& tx) { return tx.agent_sessions().network_mark(f.agent); }) == NetworkMark{StreamId{2}, 2});
}

TEST_CASE("an agent that starts anew has not asked for its public addresses yet: they did not go away")
{
    Fixture f;
    f.report(kStart, host(1500, 7));
    auto fresh = host(1500);
    fresh.interfaces[0].public_v4 = {};
    f.report(kStart + 10, fresh, {}, StreamId{2});
    CHECK(f.at(INT64_MAX)->network == host(1500, 7));
    CHECK(f.history().items.empty());
    fresh.interfaces[0].public_v4 = {.seen_us = 7, .problem = "timed out"};
    f.report(kStart + 20, fresh, {}, StreamId{2});
    REQUIRE(f.history().items.size() == 1);
    CHECK(f.history().items[0].change.text == "eth0: no public address (timed out)");
    CHECK(f.history().items[0].change.reason == "timed out");
}

TEST_CASE("history is read page by page, and by kind; a failover told twice is one")
{
    Fixture f;
    f.report(kStart, host(1000));
    const Failover failover{.at_us = kStart + 5, .from = "eth0", .to = "eth1", .took_us = 1'500};
    f.report(kStart + 6, host(1001), {failover});
    f.report(kStart + 7, host(1001), {failover});
    for (std::uint32_t i = 2; i < 12; ++i) f.report(kStart + 10 * i, host(1000 + i));
    const auto failovers = f.history({.kind = NetworkChangeKind::Failover});
    REQUIRE(failovers.items.size() == 1);
    CHECK(failovers.items[0].at_us == kStart + 5);
    CHECK(failovers.items[0].change.took_us == 1'500);
    std::size_t seen = 0;
    std::int64_t last = INT64_MAX;
    Page page{.limit = 5};
    do {
        const auto part = f.history({}, page);
        for (const auto& entry : part.items) {
            CHECK(entry.at_us <= last);
            last = entry.at_us;
        }
        seen += part.items.size();
        page.cursor = part.next;
    } while (!page.cursor.empty());
    CHECK(seen == 12);
    CHECK_FALSE(f.tx([&](MetadataTx& tx) { return tx.agents(f.workspace).network_history(f.agent, {}, {.cursor = "x"}); }));
}

TEST_CASE("a clock that was set back puts no report before the one that it follows")
{
    Fixture f;
    f.report(kStart, host(1500));
    f.report(kStart - kDay, host(1400));
    CHECK(f.at(INT64_MAX)->network == host(1400));
    CHECK(f.at(INT64_MAX)->at_us == kStart);
}

TEST_CASE("what is kept is bounded in age, number and size")
{
    Fixture f;
    f.report(kStart, host(1));
    f.report(kStart + kDay, host(2));
    f.report(kStart + 190 * kDay, host(3));
    CHECK_FALSE(f.at(kStart));  // ended more than 180 days ago
    CHECK(f.at(kStart + 2 * kDay)->network == host(2));
    CHECK(f.history().items.size() == 1);

    auto large = host(4);
    for (std::uint32_t i = 0; i < 1000; ++i)
        large.routes.push_back(
            {.destination = std::string("\x0a\0", 2) + char(i / 256) + char(i % 256), .prefix = 32, .metric = 1});
    const auto bytes = wire::encode_interfaces({.network = large}).size();
    for (std::uint32_t i = 0; i < 400; ++i) {
        large.interfaces[0].mtu = 10 + i;
        f.report(kStart + 191 * kDay + i, large);
    }
    CHECK(f.at(INT64_MAX)->network == large);
    CHECK_FALSE(f.at(kStart + 191 * kDay + 400 - 2 - std::int64_t((4 << 20) / bytes)));
    CHECK(f.at(kStart + 191 * kDay + 400 - std::int64_t((4 << 20) / bytes) + 2));
}

TEST_CASE("probes bound to interfaces are counted, and another workspace sees nothing")
{
    Fixture f;
    f.report(kStart, host(1500));
    const auto add = [&](std::string settings) {
        REQUIRE(f.tx([&](MetadataTx& tx) {
            return tx.probes(f.workspace)
                .add({.id = make_id<ProbeId>(f.random, from_us(kStart)),
                      .agent = f.agent,
                      .kind = "ping",
                      .settings = std::move(settings),
                      .created_us = kStart});
        }));
    };
    add(R"({"interface":"eth0","target":"a"})");
    add(R"({"interface":"eth0","target":"b"})");
    add(R"({"interface":"","target":"c"})");
    add("{}");
    CHECK(*f.tx([&](MetadataTx& tx) { return tx.agents(f.workspace).bound_probes(f.agent); })
          == std::map<std::string, std::int64_t>{{"eth0", 2}});
    CHECK_FALSE(f.tx([&](MetadataTx& tx) { return tx.agents(WorkspaceId{99}).network(f.agent); }));
    CHECK_FALSE(f.tx([&](MetadataTx& tx) { return tx.agents(WorkspaceId{99}).network_history(f.agent, {}, {}); }));
}

}  // namespace nw::store
