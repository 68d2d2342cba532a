#include "ingest/sessions.hpp"

#include "base/task_group.hpp"
#include "base/testing.hpp"
#include "ingest/desired_state.hpp"
#include "model/kinds/all.hpp"
#include "model/kinds/ping.hpp"
#include "store/telemetry/memory.hpp"
#include "store/telemetry/telemetry_contract.hpp"

#include <deque>
#include <map>
#include <set>

using namespace nw;
using namespace nw::ingest;
using store::contract::batch_of;
using store::contract::kStart;
using store::contract::ping_sample;

namespace {

// The agent's end of a session: what it says is queued, what it is told is kept.
class ScriptedChannel final : public net::MessageChannel {
public:
    explicit ScriptedChannel(Loop& loop) : changed_(loop) {}

    Task<Result<std::string>> receive() override
    {
        while (said_.empty() && !closed) {
            changed_.expires_at(Timer::time_point::max());
            co_await changed_.async_wait(nothrow);
        }
        if (closed) co_return fail(Errc::Unavailable, "closed: " + why);
        auto message = std::move(said_.front());
        said_.pop_front();
        co_return message;
    }
    bool post(std::string message) override
    {
        if (closed || deaf) return false;
        auto decoded = wire::decode_controller_message(message, kinds_);
        REQUIRE(decoded);
        told.push_back(*std::move(decoded));
        return true;
    }
    Task<Status> send(std::string message) override
    {
        if (!post(std::move(message))) co_return fail(Errc::Unavailable, "closed");
        co_return Status{};
    }
    using MessageChannel::close;
    void close(std::string reason, net::CloseCode) override
    {
        if (!closed) why = std::move(reason);
        closed = true;
        changed_.cancel();
    }
    std::size_t queued_bytes() const override { return 0; }

    void say(const wire::AgentMessage& message) { say_bytes(wire::encode(message)); }
    void say_bytes(std::string bytes)
    {
        said_.push_back(std::move(bytes));
        changed_.cancel();
    }
    template <class T>
    std::vector<T> all() const
    {
        std::vector<T> found;
        for (const auto& message : told)
            if (const auto* one = std::get_if<T>(&message)) found.push_back(*one);
        return found;
    }

    std::vector<wire::ControllerMessage> told{};
    bool closed = false;
    bool deaf = false;
    std::string why{};

private:
    Timer changed_;
    std::deque<std::string> said_{};
    Kinds kinds_ = all_kinds();
};

class FakeDirectory final : public AgentDirectory {
public:
    std::shared_ptr<const DesiredState> desired(AgentId agent) override
    {
        const auto found = states.find(agent);
        return found == states.end() ? nullptr : found->second;
    }
    bool may_report(AgentId agent, ProbeId probe) override { return desired(agent) && desired(agent)->find(probe); }
    void on_connected(const SessionFacts& facts) override { connected.push_back(facts); }
    void on_disconnected(AgentId, std::string_view why, bool replaced) override
    {
        disconnected.push_back(std::string(why) + (replaced ? " (replaced)" : ""));
    }
    void on_health(AgentId, const AgentHealth& health, std::int64_t, std::uint64_t, WallTime) override
    {
        healths.push_back(health);
    }
    void on_state_applied(AgentId, std::uint64_t number, std::span<const wire::ProbeProblem>) override
    {
        applied.push_back(number);
    }
    void on_twin(AgentId, std::string_view one, std::string_view other, WallTime) override
    {
        twins.push_back(std::string(one) + " and " + std::string(other));
    }
    std::uint64_t interfaces_number(AgentId, StreamId stream) override { return stream == StreamId{77} ? 17 : 0; }
    void on_interfaces(AgentId, StreamId, wire::Interfaces report) override { reports.push_back(std::move(report)); }
    void on_event(AgentId, std::string_view what) override { events.emplace_back(what); }

    void set(AgentId agent, std::uint64_t number, const std::set<std::uint64_t>& probes, std::int64_t packets = 20)
    {
        DesiredState state{.number = number};
        for (const auto id : probes)
            state.probes.push_back({.id = ProbeId(id),
                                    .revision = 1,
                                    .kind = &kinds::ping,
                                    .settings = *validated(kinds::ping, {{"target", "192.0.2.1"}, {"packets", packets}})});
        states[agent] = std::make_shared<const DesiredState>(std::move(state));
    }

    std::map<AgentId, std::shared_ptr<const DesiredState>> states{};
    std::vector<SessionFacts> connected{};
    std::vector<std::string> disconnected{};
    std::vector<AgentHealth> healths{};
    std::vector<std::uint64_t> applied{};
    std::vector<std::string> twins{};
    std::vector<std::string> events{};
    std::vector<wire::Interfaces> reports{};
};

class FakeBoard final : public ActionBoard {
public:
    std::vector<wire::Action> open_for(AgentId, bool takes_actions) override
    {
        takes.push_back(takes_actions);
        return takes_actions ? open : std::vector<wire::Action>{};
    }
    void on_report(AgentId, const wire::ActionReport& report) override { reports.push_back(report); }

    std::vector<wire::Action> open{};
    std::vector<bool> takes{};
    std::vector<wire::ActionReport> reports{};
};

class CountingSubscriber final : public Subscriber {
public:
    void on_rows(AgentId, std::span<const Rows> all, WallTime) override
    {
        for (const auto& rows : all)
            for (const auto each : rows.seq) seq.push_back(each);
    }
    std::vector<std::uint64_t> seq{};
};

// A store that can be made to fail, in front of the real one.
class MoodyTelemetry final : public store::Telemetry {
public:
    explicit MoodyTelemetry(const Clock& clock) : real_(store::make_memory_telemetry(clock)) {}
    bool unavailable = false;

    Task<Result<store::Appended>> append(store::AppendRequest request) override
    {
        if (unavailable) co_return fail(Errc::Unavailable, "the disk is nearly full");
        co_return co_await real_->append(std::move(request));
    }
    Task<Result<store::Appended>> declare_lost(store::LostSpan span) override
    {
        return real_->declare_lost(std::move(span));
    }
    Task<Result<std::uint64_t>> watermark(AgentId agent, StreamId stream) override
    {
        return real_->watermark(agent, stream);
    }
    Task<Result<store::Series>> series(store::SeriesQuery query) override { return real_->series(std::move(query)); }
    Task<Result<store::SamplePage>> samples(store::SamplesQuery query) override { return real_->samples(std::move(query)); }
    Task<Result<store::Summaries>> summaries(store::SummaryQuery query) override
    {
        return real_->summaries(std::move(query));
    }
    Task<Result<std::vector<store::LatestPtr>>> latest(store::LatestQuery query) override
    {
        return real_->latest(std::move(query));
    }
    Task<Result<std::vector<store::TopEntry>>> top(store::TopQuery query) override { return real_->top(std::move(query)); }
    Task<Result<std::vector<store::LostSpan>>> lost(std::vector<AgentId> agents, store::TimeRange range,
                                                    std::uint32_t limit) override
    {
        return real_->lost(std::move(agents), range, limit);
    }
    Task<Status> set_retention(store::Retention everything, std::vector<store::ShorterRetention> shorter) override
    {
        return real_->set_retention(everything, std::move(shorter));
    }
    Task<Status> remove_probe(ProbeId probe) override { return real_->remove_probe(probe); }
    Task<Status> maintain(WallTime now) override { return real_->maintain(now); }
    Task<Status> seal() override { return real_->seal(); }
    Task<Status> backup(std::filesystem::path to) override { return real_->backup(std::move(to)); }
    Task<store::TelemetryStats> stats() override { return real_->stats(); }
    Task<void> close() override { return real_->close(); }

private:
    std::unique_ptr<store::Telemetry> real_;
};

constexpr AgentId kAgent{5};
constexpr StreamId kStream{77};

class World {
public:
    explicit World(SessionsOptions options = {})
        : sessions(loop.get_executor(), telemetry, directory, board, kinds, clock, {&subscriber}, Log{}, options),
          serving_(loop.get_executor(), Log{})
    {
        clock.set_wall(from_us(kStart));
        directory.set(kAgent, 3, {1, 2});
    }
    ~World()
    {
        testing::run(loop, sessions.close());
        testing::run(loop, serving_.close());
    }

    // A new connection, which has not said hello yet.
    std::shared_ptr<ScriptedChannel> connect(AgentId agent = kAgent, bool revoked = false)
    {
        auto channel = std::make_shared<ScriptedChannel>(loop);
        serving_.spawn("serve", serve(agent, channel, revoked));
        return channel;
    }
    std::shared_ptr<ScriptedChannel> greet(std::uint64_t state_number = 0, std::uint64_t boot = 1,
                                           std::uint64_t first_unacked = 1)
    {
        auto channel = connect();
        channel->say(wire::Hello{.version = "1.0",
                                 .stream = kStream,
                                 .first_unacked_seq = first_unacked,
                                 .state_number = state_number,
                                 .hostname = "edge-1",
                                 .kinds = {1},
                                 .boot = boot});
        settle();
        return channel;
    }
    // Runs everything that can run without time passing.
    void settle()
    {
        loop.restart();
        while (loop.poll() > 0) loop.restart();
    }
    static wire::RawBatch batch(std::uint64_t first_seq, const std::vector<std::uint64_t>& probes)
    {
        std::vector<Sample> samples;
        for (const auto probe : probes) samples.push_back(ping_sample(probe, kStart, 2, {100}));
        return {wire::encode_batch(batch_of(kStream, first_seq, samples))};
    }

    Loop loop;
    testing::ManualClock clock;
    Kinds kinds = all_kinds();
    MoodyTelemetry telemetry{clock};
    FakeBoard board{};
    FakeDirectory directory;
    CountingSubscriber subscriber;
    Sessions sessions;

private:
    Task<void> serve(AgentId agent, std::shared_ptr<ScriptedChannel> channel, bool revoked)
    {
        co_await sessions.serve({.agent = agent, .remote = "192.0.2.9", .revoked = revoked}, *channel);
    }
    TaskGroup serving_;
};

}  // namespace

TEST_CASE("an agent is welcomed with its watermark and its desired state")
{
    World world;
    const auto agent = world.greet();
    REQUIRE(agent->told.size() == 2);
    CHECK(agent->all<wire::Welcome>().at(0).acked_seq == 0);
    CHECK(agent->all<wire::Welcome>().at(0).now_us == kStart);
    const auto state = agent->all<wire::State>().at(0);
    CHECK(state.base == 0);
    CHECK(state.number == 3);
    CHECK(state.upsert.size() == 2);
    REQUIRE(world.directory.connected.size() == 1);
    CHECK(world.directory.connected[0].hostname == "edge-1");
    CHECK(world.sessions.connected(kAgent));
}

TEST_CASE("batches are stored, acknowledged together and published once")
{
    World world;
    const auto agent = world.greet();
    agent->say(World::batch(1, {1, 2, 1}));
    agent->say(World::batch(4, {2}));
    agent->say(World::batch(1, {1, 2, 1}));  // sent again
    world.settle();
    const auto acks = agent->all<wire::Ack>();
    REQUIRE_FALSE(acks.empty());
    CHECK(acks.back() == wire::Ack{kStream, 4});
    CHECK(world.subscriber.seq == std::vector<std::uint64_t>{1, 2, 3, 4});
    CHECK(world.sessions.stats().rows == 4);

    agent->close("cable cut");
    world.settle();
    CHECK_FALSE(world.sessions.connected(kAgent));
    CHECK(world.greet()->all<wire::Welcome>().at(0).acked_seq == 4);
}

TEST_CASE("rows of probes that are not the agent's are dropped, the rest of the batch is kept")
{
    World world;
    const auto agent = world.greet();
    agent->say(World::batch(1, {1, 99, 2}));
    world.settle();
    CHECK(agent->all<wire::Ack>().back().acked_seq == 3);
    CHECK(world.subscriber.seq == std::vector<std::uint64_t>{1, 3});
    CHECK(world.sessions.stats().rows_foreign == 1);
}

TEST_CASE("a changed state goes out at once as a difference; an agent that lost track gets the whole")
{
    World world;
    const auto agent = world.greet();
    world.directory.set(kAgent, 4, {2, 3});
    world.sessions.state_changed(kAgent);
    auto states = agent->all<wire::State>();
    REQUIRE(states.size() == 2);
    CHECK(states[1].base == 3);
    CHECK(states[1].number == 4);
    REQUIRE(states[1].upsert.size() == 1);
    CHECK(states[1].upsert[0].id == ProbeId{3});
    CHECK(states[1].remove == std::vector{ProbeId{1}});
    world.sessions.state_changed(kAgent);
    CHECK(agent->all<wire::State>().size() == 2);  // nothing new

    agent->say(wire::StateApplied{.number = 4});
    world.settle();
    CHECK(world.directory.applied == std::vector<std::uint64_t>{4});
    agent->say(wire::StateApplied{.number = 4, .need_full = true});
    world.settle();
    CHECK(agent->all<wire::State>().back().base == 0);

    agent->close("cable cut");
    world.settle();
    world.directory.set(kAgent, 5, {2, 3, 4});
    CHECK(world.greet(4)->all<wire::State>().at(0).base == 4);
    CHECK(world.greet(5)->all<wire::State>().empty());
    CHECK(world.greet(1)->all<wire::State>().at(0).base == 0);
}

TEST_CASE("clock requests are answered at once, health is handed on")
{
    World world;
    const auto agent = world.greet();
    world.clock.advance(Millis(5));
    agent->say(wire::ClockRequest{.agent_us = 42});
    agent->say(AgentHealth{.probes = 9});
    world.settle();
    CHECK(agent->all<wire::ClockReply>().at(0) == wire::ClockReply{42, kStart + 5000});
    REQUIRE(world.directory.healths.size() == 1);
    CHECK(world.directory.healths[0].probes == 9);
}

TEST_CASE("a second session replaces the first, and everybody is told")
{
    World world;
    const auto first = world.greet(0, 1);
    const auto second = world.greet(3, 2);
    CHECK(first->closed);
    CHECK(first->all<wire::Refused>().at(0).reason == wire::RefusedReason::Replaced);
    CHECK_FALSE(second->closed);
    CHECK(world.sessions.connected(kAgent));
    REQUIRE(world.directory.disconnected.size() == 1);
    CHECK(world.directory.disconnected[0].ends_with("(replaced)"));
    REQUIRE(world.directory.events.size() == 1);
    CHECK(world.directory.connected.back().restarted);
    CHECK(world.sessions.stats().replaced == 1);
}

TEST_CASE("a credential that two processes use by turns is noticed")
{
    World world;
    world.greet(0, 1);
    world.greet(0, 2);
    CHECK(world.directory.twins.empty());  // so far it may have been restarted
    world.greet(0, 1);
    REQUIRE(world.directory.twins.size() == 1);
}

TEST_CASE("a revoked agent is told and disconnected, and refused when it comes back")
{
    World world;
    const auto agent = world.greet();
    world.directory.states.clear();
    world.sessions.revoke(kAgent);
    CHECK(agent->closed);
    CHECK(agent->all<wire::Refused>().at(0).reason == wire::RefusedReason::Revoked);
    const auto again = world.greet();
    CHECK(again->all<wire::Refused>().at(0).reason == wire::RefusedReason::Revoked);
    CHECK(again->all<wire::Welcome>().empty());
}

TEST_CASE("a former credential is told that it is revoked, and does not disturb who has the new one")
{
    World world;
    const auto agent = world.greet();
    const auto former = world.connect(kAgent, true);
    former->say(wire::Hello{.stream = StreamId(9)});
    world.settle();
    CHECK(former->all<wire::Refused>().at(0).reason == wire::RefusedReason::Revoked);
    CHECK(former->closed);
    CHECK_FALSE(agent->closed);
    CHECK(world.sessions.connected(kAgent));
}

TEST_CASE("while the store refuses, agents wait outside but for one trial a second; the first stored batch ends it")
{
    World world;
    CHECK_FALSE(world.sessions.trouble());
    const auto agent = world.greet();
    world.telemetry.unavailable = true;
    agent->say(World::batch(1, {1}));
    world.settle();
    REQUIRE(world.sessions.trouble());
    CHECK(world.sessions.trouble()->why == "the disk is nearly full");
    const auto refused = [](const auto& channel) {
        return channel->template all<wire::Welcome>().empty()
               && channel->template all<wire::Refused>().at(0).reason == wire::RefusedReason::Overloaded;
    };
    CHECK(refused(world.greet()));
    world.clock.advance(Seconds(1));
    const auto trial = world.greet();
    CHECK(trial->all<wire::Welcome>().size() == 1);
    CHECK(refused(world.greet()));
    world.telemetry.unavailable = false;
    CHECK(refused(world.greet()));  // nobody has tried yet
    trial->say(World::batch(1, {1}));
    world.settle();
    CHECK_FALSE(world.sessions.trouble());
    CHECK(world.greet()->all<wire::Welcome>().size() == 1);
}

TEST_CASE("nothing is acknowledged while the store refuses; later the same batches are taken")
{
    World world;
    const auto agent = world.greet();
    world.telemetry.unavailable = true;
    agent->say(World::batch(1, {1}));
    agent->say(World::batch(2, {1}));
    world.settle();
    CHECK(agent->all<wire::Ack>().empty());
    CHECK(agent->all<wire::Refused>().at(0).reason == wire::RefusedReason::Overloaded);
    CHECK(world.subscriber.seq.empty());
    world.telemetry.unavailable = false;
    world.clock.advance(Seconds(1));
    const auto again = world.greet();
    CHECK(again->all<wire::Welcome>().at(0).acked_seq == 0);
    again->say(World::batch(1, {1}));
    again->say(World::batch(2, {1}));
    world.settle();
    CHECK(again->all<wire::Ack>().back().acked_seq == 2);
}

TEST_CASE("a gap ends the session with the watermark; losses close it")
{
    World world;
    const auto agent = world.greet();
    agent->say(World::batch(5, {1}));
    world.settle();
    CHECK(agent->all<wire::Ack>().at(0).acked_seq == 0);
    CHECK(agent->closed);

    const auto again = world.greet();
    again->say(wire::Lost{.stream = kStream,
                          .first_seq = 1,
                          .last_seq = 4,
                          .reason = "spool full",
                          .from_us = kStart,
                          .until_us = kStart + 5});
    again->say(World::batch(5, {1}));
    world.settle();
    CHECK(again->all<wire::Ack>().back().acked_seq == 5);
    CHECK(world.directory.events.back() == "declared lost: 4 samples, spool full");
    // An agent that was once acknowledged beyond what this store has goes on; the hole is declared.
    again->close("cable cut");
    world.settle();
    const auto restored = world.greet(0, 1, 50);
    CHECK(restored->all<wire::Welcome>().at(0).acked_seq == 49);
}

TEST_CASE("what breaks the protocol ends the session with the reason")
{
    World world;
    const auto refused = [&](auto speak) {
        const auto agent = world.greet();
        speak(*agent);
        world.settle();
        const auto all = agent->all<wire::Refused>();
        return agent->closed && all.size() == 1 && all[0].reason == wire::RefusedReason::BadMessage;
    };
    CHECK(refused([](auto& agent) { agent.say_bytes("\x01\x02\x03"); }));
    CHECK(refused([](auto& agent) { agent.say(wire::Hello{.stream = kStream}); }));
    CHECK(refused([](auto& agent) { agent.say(wire::RawBatch{"rubbish"}); }));
    CHECK(refused([](auto& agent) {
        agent.say(wire::RawBatch{wire::encode_batch(batch_of(StreamId(1), 1, {ping_sample(1, kStart, 1, {1})}))});
    }));
    CHECK(refused([](auto& agent) { agent.say(wire::Lost{.stream = kStream, .first_seq = 9, .last_seq = 3}); }));
    const auto rude = world.connect();
    rude->say(AgentHealth{});
    world.settle();
    CHECK(rude->closed);
    CHECK(world.subscriber.seq.empty());
}

TEST_CASE("an agent that does not take what it is sent is disconnected")
{
    World world;
    const auto agent = world.greet();
    agent->deaf = true;
    agent->say(wire::ClockRequest{.agent_us = 1});
    world.settle();
    CHECK(agent->closed);
}

TEST_CASE("silence ends a session, before the hello and after it")
{
    World world({.silence_max = Millis(20), .hello_max = Millis(10)});
    const auto until_closed = [&](const std::shared_ptr<ScriptedChannel>& channel) {
        while (!channel->closed) {
            world.clock.advance(Millis(11));
            world.loop.restart();
            world.loop.run_one();
        }
        return channel->why;
    };
    CHECK(until_closed(world.connect()) == "no hello in time");
    CHECK(until_closed(world.greet()) == "silent for too long");
}

TEST_CASE("actions are sent after the greeting and at once, to agents that take them")
{
    World world;
    const wire::Action trace{.id = ActionId(4),
                             .expires_in_ms = 9,
                             .kind = &kinds::ping,
                             .settings = *validated(kinds::ping, {{"target", "192.0.2.1"}})};
    world.board.open = {trace};
    const auto old = world.greet();
    CHECK(world.board.takes == std::vector{false});
    CHECK_FALSE(world.sessions.send(kAgent, trace));
    CHECK(old->all<wire::Action>().empty());

    const auto agent = world.connect();
    agent->say(wire::Hello{.capabilities = {"actions"}, .stream = kStream, .boot = 1});
    world.settle();
    CHECK(agent->all<wire::Action>() == std::vector{trace});
    CHECK(world.sessions.send(kAgent, {.id = ActionId(4), .cancel = true}));
    CHECK(agent->all<wire::Action>().back().cancel);
    CHECK_FALSE(world.sessions.send(AgentId(99), trace));

    const wire::ActionReport report{.id = ActionId(4), .state = ActionState::Done, .steps_done = 2, .steps = 2};
    agent->say(report);
    world.settle();
    CHECK(world.board.reports == std::vector{report});
}

TEST_CASE("an agent is told which of its reports is stored, and its next ones are handed on in the controller's time")
{
    World world;
    const auto another = world.connect();
    another->say(wire::Hello{.stream = StreamId{99}, .boot = 4});
    world.settle();
    CHECK(another->all<wire::Welcome>().at(0).interfaces == 0);

    const auto current = world.greet();
    CHECK(current->all<wire::Welcome>().at(0).interfaces == 17);
    current->say(wire::Interfaces{.number = 18, .at_us = kStart, .network = {.hostname = "edge-1"}});
    auto batch = World::batch(1, {1});
    auto decoded = *wire::decode_batch(batch.bytes, world.kinds);
    decoded.clock_offset_us = 2'000'000;
    decoded.clock_uncertainty_us = 500;
    current->say(wire::RawBatch{wire::encode_batch(decoded)});
    current->say(
        wire::Interfaces{.number = 19, .at_us = kStart, .failovers = {{.at_us = kStart - 5, .from = "a", .to = "b"}}});
    world.settle();
    REQUIRE(world.directory.reports.size() == 2);
    CHECK(world.directory.reports[0].at_us == kStart);
    CHECK(world.directory.reports[0].network.hostname == "edge-1");
    CHECK(world.directory.reports[1].at_us == kStart + 2'000'000);
    CHECK(world.directory.reports[1].failovers.at(0).at_us == kStart + 2'000'000 - 5);

    world.sessions.interfaces_stored(kAgent, kStream, 18);
    world.sessions.interfaces_stored(kAgent, StreamId{99}, 19);  // of a session before
    world.sessions.interfaces_stored(kAgent, kStream, 20);       // likewise
    world.settle();
    CHECK(current->all<wire::Ack>().back() == wire::Ack{kStream, 1, 18});
    CHECK_FALSE(current->closed);
}
