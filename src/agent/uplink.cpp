#include "agent/uplink.hpp"

#include "wire/batch.hpp"

#include <algorithm>
#include <variant>

namespace nw::agent {
namespace {

constexpr std::size_t kWindow = 8;  // batches under way
constexpr Seconds kClockEvery{10};
constexpr Millis kClockFirst{200};
constexpr unsigned kClockFirstCount = 5;
constexpr Seconds kStableAfter{60};

}  // namespace

struct Uplink::Session {
    Session(std::unique_ptr<net::MessageChannel> opened, Loop& loop, const Log& log)
        : channel(std::move(opened)), changed(loop), tasks(loop.get_executor(), log)
    {}

    std::unique_ptr<net::MessageChannel> channel;
    Timer changed;
    bool dirty = true;
    bool greeted = false;
    std::uint64_t stream = 0;
    std::uint64_t acked = 0;
    std::uint64_t released = 0;
    std::uint64_t cursor = 0;             // everything up to it has been sent in this session
    std::deque<std::uint64_t> unacked{};  // the last number of each message under way
    std::uint64_t interfaces_sent = 0;    // the number of the last report of the host's network
    std::int64_t asked_us = 0;
    Instant began{};
    Instant heard{};
    Instant progress{};  // of acknowledgements, while any are owed
    std::optional<Instant> doubted{};
    std::optional<End> end{};
    std::string why{};
    TaskGroup tasks;

    void wake()
    {
        dirty = true;
        changed.cancel();
    }
    void finish(End how, std::string reason)
    {
        if (end) return;
        end = how;
        why = std::move(reason);
        channel->close(why);
        changed.cancel();
    }
};

std::string_view name_of(LinkState state)
{
    switch (state) {
    case LinkState::Connecting: return "connecting";
    case LinkState::Connected: return "connected";
    case LinkState::Waiting: return "waiting";
    case LinkState::Refused: return "refused";
    case LinkState::Stopped: return "stopped";
    }
    return "unknown";
}

Uplink::Uplink(Loop& loop, Pool& disk, spool::Spool& spool, const Kinds& kinds, const Clock& clock, Random& random,
               UplinkEvents& events, Log log, UplinkPatience patience)
    : loop_(loop), disk_(disk), spool_(spool), kinds_(kinds), clock_(clock), random_(random), events_(events),
      log_(std::move(log)), patience_(patience), pause_(loop)
{}

Uplink::~Uplink() = default;

void Uplink::wake()
{
    if (session_) session_->wake();
}

void Uplink::tell(const wire::AgentMessage& message)
{
    if (session_ && session_->greeted) (void)session_->channel->post(wire::encode(message));
}

void Uplink::doubt()
{
    if (!session_ || !session_->greeted || session_->end) return;
    session_->doubted = clock_.instant();
    session_->asked_us = to_us(clock_.wall());
    (void)session_->channel->post(wire::encode(wire::AgentMessage(wire::ClockRequest{session_->asked_us})));
}

void Uplink::set_state(LinkState state, std::string what)
{
    if (status_.state != state || status_.what != what) log_.info("{}{}{}", name_of(state), what.empty() ? "" : ": ", what);
    status_.state = state;
    status_.since = clock_.wall();
    status_.what = std::move(what);
    status_.retry_in = Nanos(0);
}

Task<void> Uplink::run()
{
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!stopping_) {
        const auto end = co_await attempt();
        // Closing the session's tasks left cancellation off.
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        if (!stopping_) co_await pause(end);
    }
    set_state(LinkState::Stopped, "");
}

void Uplink::stop()
{
    stopping_ = true;
    pause_.cancel();
    if (session_) session_->finish(End::Cancelled, "the agent stops");
}

Task<Uplink::End> Uplink::attempt()
{
    set_state(LinkState::Connecting, status_.what);
    auto channel = co_await events_.connect();
    if (!channel) {
        const bool denied = channel.error().code == Errc::Denied;
        set_state(denied ? LinkState::Refused : LinkState::Waiting, channel.error().what);
        if (!denied) co_return End::Lost;
        if (!denied_since_) denied_since_ = clock_.instant();
        if (!revoked_ && clock_.instant() - *denied_since_ >= patience_.denied_stops_after) {
            revoked_ = true;
            co_await events_.on_revoked(channel.error().what);
        }
        co_return End::Refused;
    }
    Session session(*std::move(channel), loop_, log_);
    session.began = session.heard = session.progress = clock_.instant();
    session.tasks.spawn("uplink watch", watch(session));
    session_ = &session;
    if (stopping_) stop();
    auto end = End::Lost;
    if (auto greeted = co_await greet(session); greeted) end = co_await converse(session);
    else session.finish(End::Lost, greeted.error().what);
    session_ = nullptr;
    co_await session.tasks.close();
    end = session.end.value_or(end);
    if (end == End::Revoked && !revoked_) {
        revoked_ = true;
        co_await events_.on_revoked(session.why);
    }
    if (end != End::Cancelled)
        set_state(end == End::Revoked || end == End::Refused ? LinkState::Refused : LinkState::Waiting, session.why);
    co_return end;
}

Task<Status> Uplink::greet(Session& session)
{
    auto hello = events_.hello();
    std::uint64_t opened_next = 0;
    co_await run_on(disk_, [&] {
        hello.stream = StreamId(spool_.stream());
        hello.first_unacked_seq = spool_.first_unacked();
        opened_next = spool_.opened_next_seq();
        return true;
    });
    session.stream = std::uint64_t(hello.stream);
    if (stream_ != session.stream) sent_seq_ = 0;
    stream_ = session.stream;
    NW_CO_CHECK(co_await session.channel->send(wire::encode(wire::AgentMessage(std::move(hello)))));
    auto bytes = co_await session.channel->receive();
    if (!bytes) co_return std::unexpected(std::move(bytes).error().while_doing("wait for the controller's welcome"));
    session.heard = clock_.instant();
    NW_CO_TRY(auto message, wire::decode_controller_message(*bytes, kinds_));
    if (const auto* refused = std::get_if<wire::Refused>(&message)) {
        session.finish(handle_refusal(*refused), "refused: " + refused->what);
        co_return fail(Errc::Denied, refused->what);
    }
    const auto* welcome = std::get_if<wire::Welcome>(&message);
    if (!welcome) co_return fail(Errc::Corrupt, "the controller's first message was no welcome");
    // The controller has numbers that this spool gave out in an earlier life and forgot, through power loss.
    if (welcome->acked_seq >= opened_next && welcome->acked_seq > sent_seq_) {
        log_.warn("the spool was set back behind what the controller has; continuing in a new stream");
        co_await run_on(disk_, [&, fresh = random_.u64()] {
            spool_.restart_stream(fresh);
            return true;
        });
        session.finish(End::Resume, "new stream");
        co_return fail(Errc::Conflict, "new stream");
    }
    events_.interfaces_kept(welcome->interfaces);
    session.interfaces_sent = welcome->interfaces;
    session.acked = session.cursor = welcome->acked_seq;
    session.greeted = true;
    co_return Status{};
}

Task<Uplink::End> Uplink::converse(Session& session)
{
    ++status_.sessions;
    status_.acked_seq = session.acked;
    set_state(LinkState::Connected, "");
    denied_since_.reset();
    if (revoked_) {
        revoked_ = false;
        co_await events_.on_accepted();
    }
    session.tasks.spawn("uplink sender", send_loop(session));
    session.tasks.spawn("uplink clock", clock_loop(session));
    while (!session.end) {
        auto bytes = co_await session.channel->receive();
        if (!bytes) {
            session.finish(End::Lost, std::move(bytes).error().what);
        } else {
            session.heard = clock_.instant();
            if (auto handled = co_await handle(session, *std::move(bytes)); !handled)
                session.finish(End::Lost, std::move(handled).error().what);
        }
    }
    if (clock_.instant() - session.began >= kStableAfter) failures_ = 0;
    co_return *session.end;
}

Task<Status> Uplink::handle(Session& session, std::string bytes)
{
    NW_CO_TRY(auto message, wire::decode_controller_message(bytes, kinds_));
    if (const auto* ack = std::get_if<wire::Ack>(&message)) {
        if (std::uint64_t(ack->stream) != session.stream || ack->acked_seq > session.cursor
            || ack->interfaces > session.interfaces_sent)
            co_return fail(Errc::Corrupt, "the controller acknowledged what was never sent");
        session.acked = std::max(session.acked, ack->acked_seq);
        status_.acked_seq = session.acked;
        if (ack->interfaces > 0) events_.interfaces_kept(ack->interfaces);
        session.progress = clock_.instant();
        while (!session.unacked.empty() && session.unacked.front() <= session.acked) session.unacked.pop_front();
        session.wake();
    } else if (auto* state = std::get_if<wire::State>(&message)) {
        const auto applied = co_await events_.on_state(std::move(*state));
        NW_CO_CHECK(co_await session.channel->send(wire::encode(wire::AgentMessage(applied))));
    } else if (auto* action = std::get_if<wire::Action>(&message)) {
        events_.on_action(std::move(*action));
    } else if (const auto* reply = std::get_if<wire::ClockReply>(&message)) {
        if (reply->agent_us == session.asked_us)
            estimate_.add(reply->agent_us, reply->controller_us, to_us(clock_.wall()), clock_.instant());
        status_.clock = estimate_.get(clock_.instant());
    } else if (const auto* refused = std::get_if<wire::Refused>(&message)) {
        session.finish(handle_refusal(*refused), "refused: " + refused->what);
    } else {
        co_return fail(Errc::Corrupt, "a second welcome");
    }
    co_return Status{};
}

Uplink::End Uplink::handle_refusal(const wire::Refused& refused)
{
    switch (refused.reason) {
    case wire::RefusedReason::Revoked: return End::Revoked;
    case wire::RefusedReason::TooOld:
    case wire::RefusedReason::Replaced:
    case wire::RefusedReason::Unknown: return End::Refused;
    case wire::RefusedReason::Overloaded: return End::Overloaded;
    case wire::RefusedReason::BadMessage: return End::Lost;
    }
    return End::Refused;
}

// Appended to the block's bytes: protobuf reads fields that come later over earlier ones, and these are not in
// the block. So a block is encoded once, when it is measured, and never again.
std::string Uplink::with_envelope(const spool::Block& block)
{
    wire::Batch envelope{.stream = StreamId(stream_), .first_seq = block.first_seq, .count = block.count};
    if (const auto estimate = estimate_.get(clock_.instant())) {
        envelope.clock_offset_us = estimate->offset_us;
        envelope.clock_uncertainty_us = estimate->uncertainty_us;
    }
    envelope.health = events_.health();
    return wire::encode(wire::AgentMessage(wire::RawBatch{block.bytes + wire::encode_batch(envelope)}));
}

Task<void> Uplink::send_loop(Session& session)
{
    while (!session.end) {
        if (!session.dirty) {
            session.changed.expires_at(Timer::time_point::max());
            co_await session.changed.async_wait(nothrow);
            if (session.end) co_return;
        }
        session.dirty = false;
        auto sent = co_await send_interfaces(session);
        if (sent) sent = co_await send_more(session);
        if (!sent) session.finish(End::Lost, std::move(sent).error().what);
    }
}

// They are few, and what they tell explains the samples behind them: they go first.
Task<Status> Uplink::send_interfaces(Session& session)
{
    while (const auto* report = events_.interfaces_after(session.interfaces_sent)) {
        session.interfaces_sent = report->number;
        NW_CO_CHECK(co_await session.channel->send(wire::encode(wire::AgentMessage(*report))));
    }
    co_return Status{};
}

// Sends what is next in the stream, blocks and losses in the order of their numbers.
Task<Status> Uplink::send_more(Session& session)
{
    const auto room = kWindow - std::min(kWindow, session.unacked.size());
    std::vector<spool::Block> blocks;
    std::vector<spool::LostRange> lost;
    // By value what the loop goes on changing: acknowledgements come in meanwhile.
    session.released =
        co_await run_on(disk_, [&, acked = session.acked, released = session.released, cursor = session.cursor] {
            if (acked > released) spool_.release(acked);
            if (room > 0) blocks = spool_.peek(cursor, room);
            if (room > 0) lost = spool_.lost_after(cursor);
            return acked;
        });
    auto block = blocks.begin();
    auto range = lost.begin();
    while (session.unacked.size() < kWindow && (block != blocks.end() || range != lost.end())) {
        const bool loss = range != lost.end() && (block == blocks.end() || range->first_seq < block->first_seq);
        const auto last = loss ? range->last_seq : block->last_seq();
        const auto first = loss ? std::max(range->first_seq, session.cursor + 1) : block->first_seq;
        if (!loss && first != session.cursor + 1)
            co_return fail(Errc::Corrupt, "the spool lacks numbers after " + std::to_string(session.cursor));
        if (session.unacked.empty()) session.progress = clock_.instant();
        session.cursor = last;
        sent_seq_ = std::max(sent_seq_, last);
        session.unacked.push_back(last);
        auto message = loss ? wire::encode(wire::AgentMessage(wire::Lost{StreamId(session.stream), first, last,
                                                                         range->reason, range->from_us, range->until_us}))
                            : with_envelope(*block);
        if (loss) ++range;
        else ++block;
        ++status_.batches_sent;
        NW_CO_CHECK(co_await session.channel->send(std::move(message)));
    }
    if (blocks.size() == room && session.unacked.size() < kWindow) session.dirty = true;  // there may be more
    co_return Status{};
}

Task<void> Uplink::clock_loop(Session& session)
{
    Timer timer(loop_);
    auto ahead = clock_.wall().time_since_epoch() - std::chrono::duration_cast<Micros>(clock_.instant().time_since_epoch());
    for (unsigned asked = 0; !session.end; ++asked) {
        const auto now_ahead =
            clock_.wall().time_since_epoch() - std::chrono::duration_cast<Micros>(clock_.instant().time_since_epoch());
        if (std::chrono::abs(now_ahead - ahead) > Millis(5)) estimate_.forget();
        ahead = now_ahead;
        session.asked_us = to_us(clock_.wall());
        if (auto sent =
                co_await session.channel->send(wire::encode(wire::AgentMessage(wire::ClockRequest{session.asked_us})));
            !sent)
            co_return session.finish(End::Lost, std::move(sent).error().what);
        // Nothing to report for a while is itself worth a word.
        if (asked > kClockFirstCount && session.unacked.empty())
            (void)session.channel->post(wire::encode(wire::AgentMessage(events_.health())));
        timer.expires_after(asked < kClockFirstCount ? Nanos(kClockFirst) : Nanos(kClockEvery));
        const auto [error] = co_await timer.async_wait(nothrow);
        if (error) co_return;
    }
}

Task<void> Uplink::watch(Session& session)
{
    Timer timer(loop_);
    const auto every = std::min<Nanos>(
        {Seconds(1), patience_.hello_max / 4, patience_.silence_max / 4, patience_.ack_max / 4, patience_.doubt_max / 4});
    while (!session.end) {
        const auto now = clock_.instant();
        const auto silent = now - session.heard;
        if (silent > (session.greeted ? patience_.silence_max : patience_.hello_max))
            co_return session.finish(End::Lost, "the controller is silent");
        if (session.doubted && session.heard >= *session.doubted) session.doubted.reset();
        if (session.doubted && now - *session.doubted > patience_.doubt_max)
            co_return session.finish(End::Lost, "the controller does not answer since the network changed");
        if (!session.unacked.empty() && now - session.progress > patience_.ack_max)
            co_return session.finish(End::Lost, "the controller does not acknowledge");
        timer.expires_after(std::chrono::duration_cast<Timer::duration>(every));
        const auto [error] = co_await timer.async_wait(nothrow);
        if (error) co_return;
    }
}

Task<void> Uplink::pause(End end)
{
    if (end == End::Resume) co_return;
    const auto between = [&](Nanos least, Nanos most) {
        return least + std::chrono::duration_cast<Nanos>((most - least) * random_.unit());
    };
    if (end == End::Refused || end == End::Revoked) {
        status_.retry_in = between(patience_.refused_min, patience_.refused_max);
    } else if (end == End::Overloaded) {
        status_.retry_in = between(patience_.backoff_max / 6, patience_.backoff_max);
    } else {
        failures_ = std::min(failures_ + 1, 10U);
        status_.retry_in =
            between(Nanos(0), std::min<Nanos>(patience_.backoff_max, patience_.backoff_first * (1 << failures_)));
    }
    pause_.expires_after(std::chrono::duration_cast<Timer::duration>(status_.retry_in));
    co_await pause_.async_wait(nothrow);
}

}  // namespace nw::agent
