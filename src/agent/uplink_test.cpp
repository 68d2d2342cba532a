#include "agent/collector.hpp"
#include "agent/uplink.hpp"
#include "base/testing.hpp"
#include "model/kinds/all.hpp"

#include <boost/asio/post.hpp>

#include <deque>
#include <functional>
#include <future>
#include <set>

namespace nw::agent {
namespace {

// A controller with a store of sequence numbers, and links that break when told to.
struct FakeController {
    const Kinds& kinds;
    std::map<std::uint64_t, std::uint64_t> watermark{};         // by stream
    std::map<std::uint64_t, std::set<std::uint64_t>> stored{};  // by stream
    std::map<std::uint64_t, std::set<std::uint64_t>> declared_lost{};
    std::uint64_t rows_twice = 0;
    std::uint64_t gaps = 0;
    int sessions = 0;
    int cut_after = 0;    // messages per session; 0: never
    bool silent = false;  // takes everything, says nothing
    bool acknowledges = true;
    std::optional<wire::Refused> refuse_with{};
    std::optional<wire::State> push_state{};
    std::vector<wire::StateApplied> applied{};
    std::optional<AgentHealth> health{};
    std::uint64_t lie_about_ack = 0;
    std::uint64_t interfaces = 0;  // the last report's number
    std::vector<std::uint64_t> reports{};

    std::vector<wire::ControllerMessage> on(const wire::AgentMessage& message, std::uint64_t& stream)
    {
        if (silent) return {};
        if (const auto* hello = std::get_if<wire::Hello>(&message)) {
            ++sessions;
            stream = std::uint64_t(hello->stream);
            if (refuse_with) return {*refuse_with};
            std::vector<wire::ControllerMessage> answers{
                wire::Welcome{.acked_seq = watermark[stream], .interfaces = interfaces}};
            if (push_state) answers.emplace_back(*push_state);
            return answers;
        }
        if (const auto* raw = std::get_if<wire::RawBatch>(&message)) {
            const auto batch = wire::decode_batch(raw->bytes, kinds);
            REQUIRE(batch);
            CHECK(std::uint64_t(batch->stream) == stream);
            if (batch->health) health = batch->health;
            return take(stream, batch->first_seq, batch->last_seq(), stored[stream]);
        }
        if (const auto* lost = std::get_if<wire::Lost>(&message))
            return take(stream, lost->first_seq, lost->last_seq, declared_lost[stream]);
        if (const auto* state = std::get_if<wire::StateApplied>(&message)) applied.push_back(*state);
        if (const auto* report = std::get_if<wire::Interfaces>(&message)) {
            reports.push_back(report->number);
            interfaces = report->number;
            return {wire::Ack{StreamId(stream), watermark[stream], interfaces}};
        }
        if (const auto* clock = std::get_if<wire::ClockRequest>(&message))
            return {wire::ClockReply{clock->agent_us, clock->agent_us + 5'000'000}};
        return {};
    }

    std::vector<wire::ControllerMessage> take(std::uint64_t stream, std::uint64_t first, std::uint64_t last,
                                              std::set<std::uint64_t>& into)
    {
        auto& mark = watermark[stream];
        if (first > mark + 1) ++gaps;
        for (auto seq = std::max(first, mark + 1); seq <= last; ++seq)
            if (!into.insert(seq).second) ++rows_twice;
        mark = std::max(mark, last);
        if (lie_about_ack != 0) return {wire::Ack{StreamId(stream), lie_about_ack}};
        if (!acknowledges) return {};
        return {wire::Ack{StreamId(stream), mark}};
    }
};

class FakeChannel final : public net::MessageChannel {
public:
    FakeChannel(Loop& loop, FakeController& controller) : controller_(controller), changed_(loop) {}

    Task<Result<std::string>> receive() override
    {
        while (answers_.empty() && open_) {
            changed_.expires_at(Timer::time_point::max());
            co_await changed_.async_wait(nothrow);
            if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) open_ = false;
        }
        if (!open_) co_return fail(Errc::Unavailable, "closed");
        auto message = std::move(answers_.front());
        answers_.pop_front();
        co_return message;
    }
    bool post(std::string message) override
    {
        if (!open_) return false;
        if (controller_.cut_after != 0 && ++messages_ > controller_.cut_after) {
            close("cut");  // with whatever the controller had answered
            return true;   // the sender cannot know
        }
        const auto decoded = wire::decode_agent_message(message);
        REQUIRE(decoded);
        for (const auto& answer : controller_.on(*decoded, stream_)) answers_.push_back(wire::encode(answer));
        changed_.cancel();
        return true;
    }
    Task<Status> send(std::string message) override
    {
        if (!post(std::move(message))) co_return fail(Errc::Unavailable, "closed");
        co_return Status{};
    }
    using MessageChannel::close;
    void close(std::string, net::CloseCode) override
    {
        open_ = false;
        changed_.cancel();
    }
    std::size_t queued_bytes() const override { return 0; }

private:
    FakeController& controller_;
    Timer changed_;
    std::deque<std::string> answers_{};
    std::uint64_t stream_ = 0;
    int messages_ = 0;
    bool open_ = true;
};

struct Bench final : UplinkEvents {
    testing::ScratchDir dir{};
    Loop loop{};
    Pool disk{1};
    SystemClock clock{};
    SeededRandom random{21};
    Kinds kinds = all_kinds();
    std::unique_ptr<spool::Spool> spool{};
    FakeController controller{kinds};
    std::optional<Error> connect_fails{};
    int connects = 0;
    std::vector<wire::State> states{};
    std::vector<wire::Action> actions{};
    int revoked = 0;
    int accepted = 0;
    std::deque<wire::Interfaces> networks{};
    std::uint64_t kept = 0;
    TaskGroup tasks{loop.get_executor(), Log()};
    std::unique_ptr<Uplink> uplink{};

    explicit Bench(spool::Limits limits = {})
    {
        spool = *spool::Spool::open(dir / "spool.db", limits, 77);
        make_uplink({});
    }
    void make_uplink(UplinkPatience patience)
    {
        patience.backoff_first = Micros(100);
        patience.backoff_max = Millis(2);
        patience.refused_min = Millis(1);
        patience.refused_max = Millis(2);
        uplink = std::make_unique<Uplink>(loop, disk, *spool, kinds, clock, random, static_cast<UplinkEvents&>(*this), Log(),
                                          patience);
    }
    ~Bench() override
    {
        uplink->stop();
        testing::run(loop, tasks.close());
    }

    Task<Result<std::unique_ptr<net::MessageChannel>>> connect() override
    {
        ++connects;
        if (connect_fails) co_return std::unexpected(*connect_fails);
        co_return std::unique_ptr<net::MessageChannel>(std::make_unique<FakeChannel>(loop, controller));
    }
    wire::Hello hello() override { return {.version = "test"}; }
    AgentHealth health() override { return {.lateness_p99_us = 42}; }
    void on_action(wire::Action action) override { actions.push_back(std::move(action)); }
    Task<wire::StateApplied> on_state(wire::State state) override
    {
        states.push_back(state);
        co_return wire::StateApplied{.number = state.number};
    }
    Task<void> on_revoked(std::string) override
    {
        ++revoked;
        co_return;
    }
    Task<void> on_accepted() override
    {
        ++accepted;
        co_return;
    }
    const wire::Interfaces* interfaces_after(std::uint64_t number) override
    {
        const auto found = std::ranges::find_if(networks, [&](const auto& one) { return one.number > number; });
        return found == networks.end() ? nullptr : &*found;
    }
    void interfaces_kept(std::uint64_t number) override { kept = number; }

    // The spool is used by one thread at a time, which is the pool's while the uplink runs.
    template <class Member, class... Arguments>
    auto of_spool(Member member, Arguments... arguments)
    {
        std::packaged_task<std::invoke_result_t<Member, spool::Spool&, Arguments...>()> ask(
            [&] { return std::invoke(member, *spool, std::move(arguments)...); });
        auto answer = ask.get_future();
        asio::post(disk, [&] { ask(); });
        return answer.get();
    }
    void measure(int samples, WallTime at = WallTime(Seconds(1'700'000'000)))
    {
        std::vector<Sample> made;
        for (int i = 0; i < samples; ++i) made.push_back(make_sample(*kinds.by_name("ping"), ProbeId{7}, at));
        of_spool(&spool::Spool::append, to_contents(made), at);
    }
    void start() { tasks.spawn("uplink", uplink->run()); }
    // Turns the loop until `done`; a hang fails the test.
    template <class Done>
    void until(Done done)
    {
        const auto limit = std::chrono::steady_clock::now() + Seconds(20);
        loop.restart();
        while (!done() && std::chrono::steady_clock::now() < limit) loop.run_one_until(limit);
        CHECK(done());
    }
};

}  // namespace

TEST_CASE("what is in the spool arrives, once, in order, and is released when it is acknowledged")
{
    Bench bench;
    bench.measure(1234);
    bench.start();
    bench.until([&] { return bench.of_spool(&spool::Spool::first_unacked) == 1235; });
    CHECK(bench.controller.stored[77].size() == 1234);
    CHECK(bench.controller.gaps == 0);
    CHECK(bench.of_spool(&spool::Spool::depth).blocks == 0);
    REQUIRE(bench.controller.health);
    CHECK(bench.controller.health->lateness_p99_us == 42);
    bench.measure(5);
    bench.uplink->wake();
    bench.until([&] { return bench.of_spool(&spool::Spool::first_unacked) == 1240; });
    CHECK(bench.controller.sessions == 1);
}

TEST_CASE("links that break at any message lose nothing and store nothing twice")
{
    for (int cut = 1; cut <= 12; ++cut) {
        Bench bench;
        bench.controller.cut_after = cut;
        bench.measure(3000);
        bench.start();
        if (cut <= 2) {  // the greeting and the clock question alone: nothing can arrive
            bench.until([&] { return bench.connects >= 10; });
            CHECK(bench.of_spool(&spool::Spool::first_unacked) == 1);
            bench.controller.cut_after = 0;
        }
        bench.until([&] { return bench.of_spool(&spool::Spool::first_unacked) == 3001; });
        CHECK(bench.controller.stored[77].size() == 3000);
        CHECK(bench.controller.rows_twice == 0);
        CHECK(bench.controller.gaps == 0);
    }
}

TEST_CASE("what the spool had to drop is declared in its place")
{
    Bench bench({.bytes_max = 20'000});
    for (int i = 0; i < 40; ++i) bench.measure(100);
    REQUIRE(!bench.of_spool(&spool::Spool::lost_after, 0U).empty());
    bench.start();
    bench.until([&] { return bench.of_spool(&spool::Spool::first_unacked) == 4001; });
    CHECK(bench.controller.gaps == 0);
    CHECK(bench.controller.declared_lost[77].size() + bench.controller.stored[77].size() == 4000);
    CHECK(!bench.controller.declared_lost[77].empty());
    CHECK(bench.of_spool(&spool::Spool::lost_after, 0U).empty());
}

TEST_CASE("a spool set back by power loss continues in a new stream, so that nothing new is taken for old")
{
    Bench bench;
    bench.controller.watermark[77] = 500;  // sent in an earlier life, and forgotten here
    bench.measure(800);
    bench.start();
    bench.until(
        [&] { return bench.of_spool(&spool::Spool::stream) != 77 && bench.of_spool(&spool::Spool::first_unacked) == 801; });
    CHECK(bench.controller.stored[bench.of_spool(&spool::Spool::stream)].size() == 800);
    CHECK(bench.controller.stored[77].empty());
}

TEST_CASE("being deleted stops measuring; being accepted again resumes it")
{
    Bench bench;
    bench.measure(10);
    bench.controller.refuse_with = wire::Refused{wire::RefusedReason::Revoked, "agent was deleted"};
    bench.start();
    bench.until([&] { return bench.connects >= 3; });
    CHECK(bench.of_spool(&spool::Spool::depth).rows == 10);
    CHECK(bench.uplink->status().what == "refused: agent was deleted");
    CHECK(bench.revoked == 1);
    bench.controller.refuse_with.reset();
    bench.until([&] { return bench.of_spool(&spool::Spool::first_unacked) == 11; });
    CHECK(bench.accepted == 1);
}

TEST_CASE("credentials that are refused for long stop measuring, a short refusal does not")
{
    Bench bench;
    bench.make_uplink({.denied_stops_after = Millis(50)});
    bench.connect_fails = Error{Errc::Denied, "401", {}};
    bench.start();
    bench.until([&] { return bench.connects >= 3; });
    CHECK(bench.revoked == 0);
    CHECK(bench.uplink->status().state == LinkState::Refused);
    bench.until([&] { return bench.revoked == 1; });
}

TEST_CASE("states are handed over and answered")
{
    Bench bench;
    bench.controller.push_state = wire::State{.number = 9};
    bench.start();
    bench.until([&] { return !bench.controller.applied.empty(); });
    REQUIRE(bench.states.size() == 1);
    CHECK(bench.controller.applied[0].number == 9);
}

TEST_CASE("a controller that acknowledges what was never sent is left")
{
    Bench liar;
    liar.measure(10);
    liar.controller.lie_about_ack = 5000;
    liar.start();
    liar.until([&] { return liar.connects >= 2; });
    CHECK(liar.of_spool(&spool::Spool::first_unacked) == 1);
}

TEST_CASE("a controller that says nothing is left")
{
    Bench mute;
    mute.make_uplink({.hello_max = Millis(20)});
    mute.controller.silent = true;
    mute.start();
    mute.until([&] { return mute.connects >= 3; });
}

TEST_CASE("a controller that does not acknowledge is left")
{
    Bench forgetful;
    forgetful.make_uplink({.ack_max = Millis(20)});
    forgetful.measure(10);
    forgetful.controller.acknowledges = false;
    forgetful.start();
    // The next welcome tells what was stored all the same.
    forgetful.until([&] { return forgetful.connects >= 2 && forgetful.of_spool(&spool::Spool::first_unacked) == 11; });
    CHECK(forgetful.controller.rows_twice == 0);
}

TEST_CASE("the clock's offset comes from the quickest answer, with its uncertainty")
{
    ClockEstimate estimate;
    const Instant start{};
    CHECK(!estimate.get(start));
    estimate.add(1'000'000, 1'600'000, 1'100'000, start);  // took 100 ms, 50 ms beside the truth
    estimate.add(2'000'000, 2'500'500, 2'001'000, start + Seconds(1));
    auto best = estimate.get(start + Seconds(1));
    REQUIRE(best);
    CHECK(best->offset_us == 500'000);
    CHECK(best->uncertainty_us == 501);
    CHECK(estimate.get(start + Seconds(11))->uncertainty_us == 1501);       // it grows with age
    estimate.add(20'000'000, 19'000'000, 19'900'000, start + Seconds(12));  // the clock went backwards
    CHECK(!estimate.get(start + Seconds(12)));
    Bench bench;
    bench.start();
    bench.until([&] { return bench.uplink->status().clock.has_value(); });
    CHECK(bench.uplink->status().clock->offset_us <= 5'000'000);
    CHECK(bench.uplink->status().clock->offset_us >= 4'900'000);
}

TEST_CASE("a session whose controller does not answer after the network changed is taken up anew soon")
{
    Bench bench;
    bench.make_uplink({.doubt_max = Millis(40)});
    bench.start();
    bench.until([&] { return bench.uplink->status().state == LinkState::Connected; });
    bench.uplink->doubt();  // answered: nothing happens
    bench.measure(1);
    bench.uplink->wake();
    bench.until([&] { return bench.of_spool(&spool::Spool::first_unacked) == 2; });
    CHECK(bench.controller.sessions == 1);
    bench.controller.silent = true;
    bench.uplink->doubt();
    bench.until([&] { return bench.connects > 1; });
    bench.controller.silent = false;
    bench.until([&] { return bench.controller.sessions > 1; });
}

TEST_CASE("reports of the network go out in order, and after a break only those that the controller lacks")
{
    Bench bench;
    for (std::uint64_t number = 1; number <= 3; ++number) bench.networks.push_back({.number = number});
    bench.start();
    bench.until([&] { return bench.controller.reports.size() == 3; });
    CHECK(bench.controller.reports == std::vector<std::uint64_t>{1, 2, 3});
    bench.networks.push_back({.number = 4});
    bench.uplink->wake();
    bench.until([&] { return bench.controller.reports.size() == 4; });
    bench.until([&] { return bench.kept == 4; });  // told in the same session

    bench.controller.interfaces = 2;  // what it had taken after that was never stored
    bench.controller.reports.clear();
    bench.controller.cut_after = 1;
    bench.measure(1);
    bench.uplink->wake();
    bench.until([&] { return bench.controller.sessions > 1; });
    bench.controller.cut_after = 0;
    bench.until([&] { return bench.controller.interfaces == 4; });
    CHECK(bench.kept >= 2);
    CHECK(std::ranges::is_sorted(bench.controller.reports));
    CHECK(bench.controller.reports.front() == 3);
}

}  // namespace nw::agent
