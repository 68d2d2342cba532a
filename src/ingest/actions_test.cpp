#include "ingest/actions.hpp"

#include "base/testing.hpp"
#include "model/kinds/all.hpp"
#include "model/kinds/path.hpp"
#include "store/metadata/settings_json.hpp"

namespace nw::ingest {
namespace {

constexpr std::int64_t kNow = 1'769'212'800'000'000;

class World {
public:
    World()
    {
        clock.set_wall(from_us(kNow));
        workspace = metadata
                        ->write_now([&](store::MetadataTx& tx) {
                            return tx.workspaces().add({.id = WorkspaceId(1), .slug = "w", .name = "W", .created_us = kNow});
                        })
                        ->id;
        REQUIRE(metadata->write_now([&](store::MetadataTx& tx) {
            return tx.agents(workspace).add({.id = AgentId(5), .name = "edge", .created_us = kNow});
        }));
        actions = make();
    }
    ~World() { testing::run(loop, tasks.close()); }

    std::unique_ptr<Actions> make()
    {
        auto made = std::make_unique<Actions>(loop.get_executor(), *metadata, kinds, clock, Log());
        made->on_send([this](AgentId, const wire::Action& action) {
            if (connected) sent.push_back(action);
            return connected;
        });
        made->on_changed([this](const store::Action& action) { changes.push_back(action); });
        return made;
    }
    store::Action open(std::uint64_t id)
    {
        const auto settings = *validated(kinds::path, {{"target", "192.0.2.1"}});
        const auto action = metadata->write_now([&](store::MetadataTx& tx) {
            return tx.actions(workspace).add({.id = ActionId(id),
                                              .agent = AgentId(5),
                                              .kind = "path",
                                              .settings = store::to_json(kinds::path, settings, true),
                                              .author = "Ana",
                                              .created_us = kNow,
                                              .expires_us = kNow + 30'000'000,
                                              .give_up_us = kNow + 90'000'000});
        });
        REQUIRE(action);
        actions->opened(*action);
        return *action;
    }
    store::Action stored(std::uint64_t id)
    {
        return *testing::run(loop,
                             metadata->read([&](store::MetadataTx& tx) { return tx.actions(workspace).get(ActionId(id)); }));
    }
    // Until what was recorded is in the store.
    void settle(std::uint64_t id, ActionState state)
    {
        const auto deadline = std::chrono::steady_clock::now() + Seconds(20);
        while (stored(id).state != state) REQUIRE(std::chrono::steady_clock::now() < deadline);
    }
    std::string result()
    {
        auto rows = make_rows(kinds::path);
        append(rows, 0, make_sample(kinds::path, ProbeId(7), from_us(kNow)));
        return wire::encode_rows(rows);
    }

    testing::ScratchDir dir{};
    Loop loop{};
    testing::ManualClock clock{};
    Kinds kinds = all_kinds();
    std::unique_ptr<store::Metadata> metadata = *store::Metadata::open(dir / "metadata.db");
    WorkspaceId workspace{};
    bool connected = true;
    std::vector<wire::Action> sent{};
    std::vector<store::Action> changes{};
    std::unique_ptr<Actions> actions{};
    TaskGroup tasks{loop.get_executor(), Log()};
};

}  // namespace

TEST_CASE("an action goes to its agent, and its reports to the listener and the store")
{
    World world;
    world.actions->start(world.tasks);
    world.open(7);
    REQUIRE(world.sent.size() == 1);
    CHECK(world.sent[0].expires_in_ms == 30'001);
    CHECK(world.actions->open_of(AgentId(5)) == 1);
    world.actions->on_report(AgentId(6), {.id = ActionId(7)});  // of another agent
    CHECK(world.changes.empty());
    CHECK(world.sent.back().cancel);
    world.actions->on_report(AgentId(5), {.id = ActionId(7), .steps_done = 1, .steps = 10, .result = world.result()});
    REQUIRE(world.changes.size() == 1);
    CHECK(world.changes[0].state == ActionState::Running);
    CHECK(world.changes[0].steps_done == 1);
    CHECK(world.changes[0].started_us == kNow);
    world.actions->on_report(
        AgentId(5), {.id = ActionId(7), .state = ActionState::Done, .steps_done = 10, .steps = 10, .result = "no rows"});
    CHECK(world.changes.back().state == ActionState::Done);
    CHECK(world.changes.back().result == world.result());                 // the last one that was one
    CHECK(world.actions->find(ActionId(7))->state == ActionState::Done);  // until the store knows
    CHECK(world.actions->known(WorkspaceId(999)).empty());
    REQUIRE(world.actions->known(world.workspace).size() == 1);
    CHECK(world.actions->known(world.workspace)[0].state == ActionState::Done);
    world.settle(7, ActionState::Done);
    testing::run(world.loop, asio::post(world.loop, use_task));
    CHECK_FALSE(world.actions->find(ActionId(7)));
    CHECK(world.actions->known(world.workspace).empty());
    CHECK(world.stored(7).result == world.result());
    CHECK(world.stored(7).ended_us == kNow);
    CHECK_FALSE(world.actions->cancel(ActionId(7)));
}

TEST_CASE("what an absent agent was asked is sent after its greeting, and expires when it does not come")
{
    World world;
    world.connected = false;
    world.open(7);
    world.open(8);
    CHECK(world.sent.empty());
    world.clock.set_wall(from_us(kNow + 10'000'000));
    const auto open = world.actions->open_for(AgentId(5), true);
    REQUIRE(open.size() == 2);
    CHECK(open[0].expires_in_ms == 20'001);
    world.actions->on_report(AgentId(5), {.id = ActionId(7), .steps = 10});
    world.clock.set_wall(from_us(kNow + 31'000'000));
    world.actions->start(world.tasks);
    world.settle(8, ActionState::Expired);
    CHECK(world.actions->find(ActionId(7)));
    CHECK(world.actions->open_for(AgentId(5), true).size() == 1);  // running: asked how far it is
    CHECK(world.actions->open_for(AgentId(5), false).empty());
    world.settle(7, ActionState::Failed);
}

TEST_CASE("what is open when the controller starts anew is asked for again, and given up in the end")
{
    World world;
    world.actions->start(world.tasks);
    world.open(7);
    world.actions->on_report(AgentId(5), {.id = ActionId(7), .steps = 10});
    world.settle(7, ActionState::Running);
    auto next = world.make();
    REQUIRE(testing::run(world.loop, next->load()));
    REQUIRE(next->open_for(AgentId(5), true).size() == 1);
    CHECK(next->open_for(AgentId(5), true)[0].expires_in_ms == 0);  // only asked how far it is
    world.clock.set_wall(from_us(kNow + 91'000'000));
    next->start(world.tasks);
    world.settle(7, ActionState::Failed);
    CHECK(world.stored(7).reason == "the agent did not finish in time");
    testing::run(world.loop, world.tasks.close());
}

TEST_CASE("cancelling ends an action at once, whatever its agent does")
{
    World world;
    world.connected = false;
    world.actions->start(world.tasks);
    world.open(7);
    CHECK(world.actions->cancel(ActionId(7)));
    CHECK(world.changes.back().state == ActionState::Cancelled);
    world.settle(7, ActionState::Cancelled);
    world.connected = true;
    world.actions->on_report(AgentId(5), {.id = ActionId(7), .steps = 10});  // it had got it nevertheless
    CHECK(world.sent.back().cancel);
}

}  // namespace nw::ingest
