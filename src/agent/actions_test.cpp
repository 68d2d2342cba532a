#include "agent/actions.hpp"

#include "base/testing.hpp"
#include "model/kinds/path.hpp"

namespace nw::agent {
namespace {

struct Fixture final : ActionRunner {
    testing::ManualClock clock{};
    std::vector<ProbeSpec> begun{};
    std::vector<ProbeId> stopped{};
    std::vector<wire::ActionReport> told{};
    Actions actions{*this, clock, {}, [this](const wire::ActionReport& report) { told.push_back(report); }};

    void measure(ProbeSpec spec) override { begun.push_back(std::move(spec)); }
    void stop(ProbeId id) override { stopped.push_back(id); }

    static wire::Action trace(std::uint64_t id)
    {
        return {.id = ActionId(id),
                .expires_in_ms = 30'000,
                .kind = &kinds::path,
                .settings = *validated(kinds::path, {{"target", "192.0.2.1"}})};
    }
    static probe::Progress progress(std::uint32_t done, bool last = false)
    {
        auto sample = make_sample(kinds::path, ProbeId(1), from_us(5));
        sample.outcome = Outcome::Lost;
        sample.reason = "nothing answered";
        return {.steps_done = done, .steps = 10, .sample = std::move(sample), .done = last};
    }
};

}  // namespace

TEST_CASE("an action is begun once, however often it is sent, and its last report is said again")
{
    Fixture f;
    f.actions.on_action(Fixture::trace(7));
    REQUIRE(f.begun.size() == 1);
    CHECK(f.begun[0].id == ProbeId(7));
    CHECK(f.told.back().state == ActionState::Running);
    f.actions.progressed(ProbeId(7), Fixture::progress(3));
    f.actions.on_action(Fixture::trace(7));
    CHECK(f.begun.size() == 1);
    CHECK(f.told.back().steps_done == 3);
    f.actions.progressed(ProbeId(7), Fixture::progress(10, true));
    const auto last = f.told.back();
    CHECK(last.state == ActionState::Done);
    CHECK(last.reason == "nothing answered");
    const Kinds kinds({&kinds::path});
    const auto rows = wire::decode_rows(last.result, kinds);
    REQUIRE(rows);
    CHECK(rows->outcome[0] == Outcome::Lost);
    f.actions.on_action(Fixture::trace(7));
    CHECK(f.begun.size() == 1);
    CHECK(f.told.back() == last);
}

TEST_CASE("a cancelled action is stopped, and what comes after that is not told")
{
    Fixture f;
    f.actions.on_action(Fixture::trace(7));
    f.actions.on_action({.id = ActionId(7), .cancel = true});
    CHECK(f.stopped == std::vector{ProbeId(7)});
    CHECK(f.told.back().state == ActionState::Cancelled);
    const auto told = f.told.size();
    f.actions.progressed(ProbeId(7), Fixture::progress(10, true));
    CHECK(f.told.size() == told);
    f.actions.on_action({.id = ActionId(8), .cancel = true});
    CHECK(f.told.back().id == ActionId(8));
    CHECK(f.told.back().state == ActionState::Cancelled);
}

TEST_CASE("what cannot be done is said, and too much at once is refused")
{
    Fixture f;
    f.actions.on_action({.id = ActionId(1), .problem = "unknown probe kind 9"});
    CHECK(f.told.back().state == ActionState::Failed);
    CHECK(f.told.back().reason == "unknown probe kind 9");
    auto begun_before = Fixture::trace(2);
    begun_before.expires_in_ms = 0;
    f.actions.on_action(begun_before);
    CHECK(f.told.back().state == ActionState::Failed);
    CHECK(f.begun.empty());
    for (std::uint64_t id = 10; id < 10 + kActionsAtOnceMax; ++id) f.actions.on_action(Fixture::trace(id));
    f.actions.on_action(Fixture::trace(99));
    CHECK(f.begun.size() == kActionsAtOnceMax);
    CHECK(f.told.back().state == ActionState::Failed);
    f.actions.failed(ProbeId(10), "no such interface");
    CHECK(f.told.back().reason == "no such interface");
    f.actions.on_action(Fixture::trace(100));
    CHECK(f.begun.back().id == ProbeId(100));
}

TEST_CASE("old reports are forgotten, running actions are not")
{
    Fixture f;
    f.actions.on_action(Fixture::trace(1));
    f.actions.on_action(Fixture::trace(2));
    f.actions.progressed(ProbeId(1), Fixture::progress(10, true));
    f.clock.advance(kActionsKept + Seconds(1));
    f.actions.on_action(Fixture::trace(2));
    CHECK(f.begun.size() == 2);
    f.actions.on_action(Fixture::trace(1));
    CHECK(f.begun.size() == 3);
    for (std::uint64_t id = 1000; id < 1000 + 2 * kActionsKeptMax; ++id) {
        f.actions.on_action(Fixture::trace(id));
        f.actions.progressed(ProbeId(id), Fixture::progress(10, true));
    }
    f.actions.cancel_all("the agent stops");
    CHECK(f.told.back().state == ActionState::Cancelled);
    CHECK(f.told.back().reason == "the agent stops");
}

}  // namespace nw::agent
