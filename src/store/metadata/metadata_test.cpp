#include "store/metadata/metadata.hpp"

#include "base/testing.hpp"
#include "sqlite/database.hpp"

#include <span>
#include <utility>

namespace nw::store {

std::span<const std::pair<std::string_view, std::string_view>> metadata_migrations();

namespace {

struct Fixture {
    testing::ScratchDir dir;
    std::unique_ptr<Metadata> metadata = *Metadata::open(dir / "metadata.db");
    SeededRandom random{5};
    WallTime now = from_us(1'700'000'000'000'000);

    template <class Work>
    auto tx(Work work)
    {
        return testing::run(metadata->write(std::move(work)));
    }
    Workspace workspace(std::string slug)
    {
        return *tx([&](MetadataTx& tx) {
            return tx.workspaces().add(
                {.id = make_id<WorkspaceId>(random, now), .slug = slug, .name = slug, .created_us = to_us(now)});
        });
    }
    Agent agent(WorkspaceId workspace, std::string name)
    {
        return *tx([&](MetadataTx& tx) {
            return tx.agents(workspace).add({.id = make_id<AgentId>(random, now), .name = name, .created_us = to_us(now)});
        });
    }
    Probe probe(const Agent& agent, std::string name)
    {
        return *tx([&](MetadataTx& tx) {
            return tx.probes(agent.workspace)
                .add({.id = make_id<ProbeId>(random, now),
                      .agent = agent.id,
                      .kind = "ping",
                      .name = name,
                      .settings = "{}",
                      .created_us = to_us(now)});
        });
    }
};

}  // namespace

TEST_CASE("a change that fails leaves nothing behind")
{
    Fixture f;
    const auto failed = f.tx([&](MetadataTx& tx) -> Result<Workspace> {
        NW_CHECK(tx.workspaces().add({.id = WorkspaceId{1}, .slug = "a", .name = "a"}));
        return fail(Errc::Invalid, "second thoughts");
    });
    CHECK(!failed);
    CHECK(testing::run(f.metadata->read([](MetadataTx& tx) { return tx.workspaces().all(); }))->empty());
}

TEST_CASE("a repository cannot reach another workspace")
{
    Fixture f;
    const auto ours = f.workspace("ours");
    const auto theirs = f.workspace("theirs");
    const auto agent = f.agent(theirs.id, "agent");
    const auto probe = f.probe(agent, "probe");
    f.tx([&](MetadataTx& tx) -> Status {
        CHECK(tx.agents(ours.id).get(agent.id).error().code == Errc::NotFound);
        CHECK(tx.agents(ours.id).remove(agent.id, f.now).error().code == Errc::NotFound);
        CHECK(tx.agents(ours.id).update(agent, 1).error().code == Errc::NotFound);
        CHECK(tx.agents(ours.id).connections(agent.id, {}).error().code == Errc::NotFound);
        CHECK(tx.probes(ours.id).get(probe.id).error().code == Errc::NotFound);
        CHECK(tx.probes(ours.id).remove(probe.id, f.now).error().code == Errc::NotFound);
        CHECK(tx.probes(ours.id).update(probe, 1).error().code == Errc::NotFound);
        CHECK(tx.probes(ours.id).restore(probe.id, f.now).error().code == Errc::NotFound);
        CHECK(tx.probes(ours.id)
                  .add({.id = ProbeId{9}, .agent = agent.id, .kind = "ping", .name = "x", .settings = "{}"})
                  .error()
                  .code
              == Errc::NotFound);
        CHECK(tx.agents(ours.id).list({}, {})->items.empty());
        CHECK(tx.probes(ours.id).list({}, {})->items.empty());
        return {};
    });
}

TEST_CASE("an edit that lost a race is a conflict and changes nothing")
{
    Fixture f;
    const auto agent = f.agent(f.workspace("w").id, "old");
    auto changed = agent;
    changed.name = "new";
    CHECK(f.tx([&](MetadataTx& tx) { return tx.agents(agent.workspace).update(changed, agent.revision); })->name == "new");
    changed.name = "newer";
    CHECK(f.tx([&](MetadataTx& tx) { return tx.agents(agent.workspace).update(changed, agent.revision); }).error().code
          == Errc::Conflict);
}

TEST_CASE("every change of an agent's probes raises its state number")
{
    Fixture f;
    const auto agent = f.agent(f.workspace("w").id, "a");
    const auto number = [&] {
        return (*testing::run(f.metadata->read([&](MetadataTx& tx) { return tx.agents(agent.workspace).get(agent.id); })))
            .state_number;
    };
    auto last = number();
    const auto raised = [&] {
        const auto before = std::exchange(last, number());
        return last > before;
    };
    auto probe = f.probe(agent, "p");
    CHECK(raised());
    probe.enabled = false;
    REQUIRE(f.tx([&](MetadataTx& tx) { return tx.probes(agent.workspace).update(probe, probe.revision); }));
    CHECK(raised());
    REQUIRE(f.tx([&](MetadataTx& tx) { return tx.probes(agent.workspace).remove(probe.id, f.now); }));
    CHECK(raised());
    REQUIRE(f.tx([&](MetadataTx& tx) { return tx.probes(agent.workspace).restore(probe.id, f.now); }));
    CHECK(raised());
}

TEST_CASE("pages cover everything once, in order")
{
    Fixture f;
    const auto workspace = f.workspace("w");
    for (const auto* name : {"b", "a", "c", "a", "d%"}) f.agent(workspace.id, name);
    std::string names;
    Page page{.limit = 2};
    for (;;) {
        const auto part = *f.tx([&](MetadataTx& tx) { return tx.agents(workspace.id).list({}, page); });
        for (const auto& agent : part.items) names += agent.name + " ";
        if (part.next.empty()) break;
        page.cursor = part.next;
    }
    CHECK(names == "a a b c d% ");
    CHECK(f.tx([&](MetadataTx& tx) { return tx.agents(workspace.id).list({.text = "%"}, {}); })->items.size() == 1);
    CHECK(!f.tx([&](MetadataTx& tx) { return tx.agents(workspace.id).list({}, {.cursor = "nonsense"}); }));
}

TEST_CASE("the audit log notices a row that was changed afterwards")
{
    Fixture f;
    for (const auto* action : {"agent.create", "agent.update", "probe.create"})
        REQUIRE(f.tx([&](MetadataTx& tx) {
            return tx.audit().add({.workspace = WorkspaceId{1}, .at_us = 1, .actor = "usr_1", .action = action});
        }));
    CHECK(!*f.tx([](MetadataTx& tx) { return tx.audit().first_broken(); }));
    CHECK(f.tx([](MetadataTx& tx) {
               return tx.audit().list({.workspace = WorkspaceId{1}, .action = "agent."}, {});
           })->items.size()
          == 2);
    CHECK(f.tx([](MetadataTx& tx) { return tx.audit().list({.workspace = WorkspaceId{2}}, {}); })->items.empty());
    auto tamper = *sqlite::Database::open(f.dir / "metadata.db");
    REQUIRE(tamper->execute("UPDATE audit SET actor = 'usr_2' WHERE id = 2"));
    CHECK(*f.tx([](MetadataTx& tx) { return tx.audit().first_broken(); }) == 2);
}

TEST_CASE("annotations touch ranges, belong to one workspace, and come back after an undo")
{
    Fixture f;
    const auto workspace = f.workspace("ours");
    const auto theirs = f.workspace("theirs");
    const auto agent = f.agent(workspace.id, "a");
    const auto probe = f.probe(agent, "p");
    const auto other = f.probe(agent, "q");
    const auto add = [&](std::uint64_t id, std::optional<ProbeId> of, std::int64_t at, std::optional<std::int64_t> until) {
        return f.tx([&](MetadataTx& tx) {
            return tx.annotations(workspace.id)
                .add({.id = AnnotationId{id}, .probe = of, .at_us = at, .until_us = until, .text = "t", .author = "Ana"});
        });
    };
    REQUIRE(add(1, probe.id, 100, std::nullopt));
    REQUIRE(add(2, std::nullopt, 200, 400));  // of every probe
    REQUIRE(add(3, other.id, 250, std::nullopt));
    CHECK(!add(4, ProbeId{77}, 1, std::nullopt));
    const auto found = [&](std::optional<ProbeId> of, std::int64_t from, std::int64_t until) {
        std::string ids;
        for (const auto& one : *f.tx([&](MetadataTx& tx) { return tx.annotations(workspace.id).list(of, from, until, 10); }))
            ids += std::to_string(std::uint64_t(one.id));
        return ids;
    };
    CHECK(found(probe.id, 0, 1000) == "21");
    CHECK(found(std::nullopt, 0, 1000) == "321");
    CHECK(found(probe.id, 399, 400) == "2");  // begins before, still lasts
    CHECK(found(probe.id, 400, 500).empty());
    CHECK(found(probe.id, 100, 101) == "1");
    CHECK(found(probe.id, 0, 100).empty());

    f.tx([&](MetadataTx& tx) -> Status {
        auto foreign = tx.annotations(theirs.id);
        CHECK(foreign.get(AnnotationId{1}).error().code == Errc::NotFound);
        CHECK(foreign.remove(AnnotationId{1}, f.now).error().code == Errc::NotFound);
        CHECK(foreign.add({.id = AnnotationId{9}, .probe = probe.id, .at_us = 1, .text = "x"}).error().code
              == Errc::NotFound);
        auto ours = tx.annotations(workspace.id);
        auto one = *ours.get(AnnotationId{1});
        one.text = "changed";
        CHECK(ours.update(one, 1)->revision == 2);
        CHECK(ours.update(one, 1).error().code == Errc::Conflict);
        CHECK(ours.remove(one.id, f.now));
        CHECK(ours.get(one.id).error().code == Errc::NotFound);
        CHECK(ours.restore(one.id, f.now + Seconds(1)).error().code == Errc::NotFound);
        CHECK(ours.restore(one.id, f.now)->text == "changed");
        return {};
    });
}

TEST_CASE("a route change is kept once, belongs to one workspace, and goes with its retention")
{
    Fixture f;
    const auto ours = f.workspace("ours");
    const auto theirs = f.workspace("theirs");
    const auto agent = f.agent(ours.id, "a");
    const auto probe = f.probe(agent, "p");
    const auto other = f.probe(agent, "q");
    const auto change = [&](const Probe& of, std::int64_t at) {
        return PathChange{
            .probe = of.id,
            .at_us = at,
            .confirmed_us = at + 2,
            .added = {{.ttl = 3, .address = "10.0.0.1", .name = "<b>\"\xe2\x82\xac"}, {.ttl = 4, .address = "::1"}},
            .removed = {},
            .before = std::string("\0\1", 2),
            .after = std::string("\2\0\xff", 3),
            .hops_before = 5,
            .hops_after = 6};
    };
    f.tx([&](MetadataTx& tx) -> Status {
        auto changes = tx.path_changes(ours.id);
        CHECK(*changes.add(change(probe, 10)));
        CHECK(!*changes.add(change(probe, 10)));
        CHECK(*changes.add(change(probe, 20)));
        CHECK(*changes.add(change(other, 15)));
        CHECK(tx.path_changes(theirs.id).add(change(probe, 30)).error().code == Errc::NotFound);
        CHECK(tx.path_changes(theirs.id).list(std::nullopt, 0, 100, 10)->empty());
        CHECK(tx.path_changes(theirs.id).list(probe.id, 0, 100, 10)->empty());
        CHECK(*changes.list(probe.id, 0, 100, 10) == std::vector{change(probe, 20), change(probe, 10)});
        CHECK(changes.list(std::nullopt, 10, 20, 10)->size() == 2);
        CHECK(changes.list(std::nullopt, 0, 100, 1)->front() == change(probe, 20));
        CHECK(*changes.last(probe.id, 20) == change(probe, 10));
        CHECK(!*changes.last(other.id, 15));
        NW_CHECK(tx.probes(ours.id).remove(other.id, f.now));
        CHECK(changes.list(std::nullopt, 0, 100, 10)->size() == 2);
        NW_CHECK(changes.forget_before(20));
        CHECK(changes.list(std::nullopt, 0, 100, 10)->size() == 1);
        return {};
    });
}

TEST_CASE("a connection by another process of the agent is a restart")
{
    Fixture f;
    const auto agent = f.agent(f.workspace("w").id, "a");
    f.tx([&](MetadataTx& tx) -> Status {
        auto sessions = tx.agent_sessions();
        for (const auto& [boot, at] : {std::pair{5U, 0}, std::pair{5U, 10}, std::pair{6U, 20}}) {
            NW_CHECK(sessions.open_connection(agent.id, f.now + Seconds(at), "192.0.2.1", "1.0", boot));
            NW_CHECK(sessions.close_connection(agent.id, f.now + Seconds(at + 5), "gone"));
        }
        return {};
    });
    const auto at = to_us(f.now);
    const auto found = *f.tx([&](MetadataTx& tx) {
        return tx.agents(agent.workspace).connections_in(agent.id, at + 12'000'000, at + 21'000'000, 10);
    });
    REQUIRE(found.size() == 2);  // the second ended in the range
    CHECK(found[0].restarted);
    CHECK(!found[1].restarted);
    CHECK(f.tx([&](MetadataTx& tx) {
               return tx.agents(agent.workspace).connections_in(agent.id, at + 1, at + 2, 10);
           })->empty());
}

TEST_CASE("a database of the first version is brought up to date with what is in it")
{
    const testing::ScratchDir dir;
    {
        auto db = *sqlite::Database::open(dir / "m.db");
        REQUIRE(db->execute(std::string(metadata_migrations().front().second)));
        REQUIRE(db->execute(
            "INSERT INTO workspace (id, slug, name, created_us) VALUES (1, 'w', 'W', 1);"
            "INSERT INTO agent (id, workspace, name, created_us) VALUES (2, 1, 'a', 1);"
            "INSERT INTO agent_connection (agent, from_us, until_us, address, version) VALUES (2, 5, 9, '', '1');"
            "INSERT INTO agent_connection (agent, from_us, address, version) VALUES (2, 10, '', '2');"
            "PRAGMA user_version=1"));
    }
    const auto metadata = *Metadata::open(dir / "m.db");
    REQUIRE(testing::run(metadata->write(
        [](MetadataTx& tx) { return tx.agent_sessions().open_connection(AgentId{2}, from_us(20), "", "3", 7); })));
    const auto found = testing::run(
        metadata->read([](MetadataTx& tx) { return tx.agents(WorkspaceId{1}).connections_in(AgentId{2}, 0, 100, 10); }));
    REQUIRE(found);
    REQUIRE(found->size() == 3);
    // What nobody noted at the time is not made up: neither of these is a restart.
    for (const auto& connection : *found) CHECK(!connection.restarted);
}

TEST_CASE("a database of a newer program is left alone")
{
    const testing::ScratchDir dir;
    {
        auto db = *sqlite::Database::open(dir / "m.db");
        REQUIRE(db->execute("PRAGMA user_version=999"));
    }
    const auto opened = Metadata::open(dir / "m.db");
    REQUIRE(!opened);
    CHECK(opened.error().what.find("newer than this program") != std::string::npos);
}

}  // namespace nw::store
