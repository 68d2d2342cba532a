#include "ingest/session.hpp"

#include "ingest/desired_state.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace nw::ingest {
namespace {

// Longer names and versions than this are no names.
constexpr std::size_t kFactBytesMax = 256;

std::string clipped(std::string text)
{
    if (text.size() > kFactBytesMax) text.resize(kFactBytesMax);
    return text;
}

auto bad_message(std::string what) { return fail(Errc::Invalid, std::move(what)); }

}  // namespace

Session::Session(Shared& shared, AgentId agent, std::string remote, net::MessageChannel& channel)
    : shared_(shared), channel_(channel), tasks_(shared.loop, shared.log), room_(shared.loop), heard_(shared.clock.instant())
{
    facts_.agent = agent;
    facts_.remote = std::move(remote);
    facts_.since = shared.clock.wall();
}

Task<Status> Session::greet()
{
    tasks_.spawn("session watch", watch());
    auto first = co_await channel_.receive();
    if (!first) co_return std::unexpected(std::move(first).error().while_doing("wait for hello"));
    heard_ = shared_.clock.instant();
    NW_CO_TRY(auto message, wire::decode_agent_message(*first));
    auto* hello = std::get_if<wire::Hello>(&message);
    if (!hello) co_return bad_message("the first message was no hello");
    hello_ = std::move(*hello);
    facts_.version = clipped(std::move(hello_.version));
    facts_.hostname = clipped(std::move(hello_.hostname));
    facts_.os = clipped(std::move(hello_.os));
    facts_.arch = clipped(std::move(hello_.arch));
    facts_.gateway = clipped(std::move(hello_.gateway));
    facts_.resolver = clipped(std::move(hello_.resolver));
    facts_.kinds = std::move(hello_.kinds);
    facts_.state_number = hello_.state_number;
    facts_.boot = hello_.boot;
    co_return Status{};
}

Task<void> Session::converse()
{
    if (!ended_) {
        if (auto welcomed = co_await welcome(); !welcomed)
            end(wire::RefusedReason::Overloaded, std::move(welcomed).error().what);
    }
    co_await read_loop();
    co_await tasks_.close();
}

Task<Status> Session::welcome()
{
    NW_CO_TRY(auto watermark, co_await shared_.telemetry.watermark(facts_.agent, hello_.stream));
    // The agent no longer has what it was once told is stored, and this store does not have it: it is lost, and
    // said to be, instead of stopping the stream for ever (a controller restored from an older backup).
    if (hello_.first_unacked_seq > watermark + 1) {
        const auto now = to_us(shared_.clock.wall());
        NW_CO_TRY(const auto declared,
                  co_await shared_.telemetry.declare_lost({.agent = facts_.agent,
                                                           .stream = hello_.stream,
                                                           .first_seq = watermark + 1,
                                                           .last_seq = hello_.first_unacked_seq - 1,
                                                           .reason = "acknowledged earlier, but not in this store",
                                                           .from_us = now,
                                                           .until_us = now}));
        watermark = declared.acked_seq;
        shared_.directory.on_event(facts_.agent, "samples acknowledged earlier are not in this store; declared lost");
    }
    if (ended_) co_return Status{};
    acked_seq_ = ack_sent_ = watermark;
    post(wire::Welcome{.acked_seq = watermark,
                       .now_us = to_us(shared_.clock.wall()),
                       .interfaces = shared_.directory.interfaces_number(facts_.agent, hello_.stream)});
    greeted_ = true;
    if (!agent_has_ || agent_has_->number != hello_.state_number) agent_has_ = nullptr;
    shared_.directory.on_connected(facts_);
    if (!agent_has_) {
        const auto current = shared_.directory.desired(facts_.agent);
        if (current && current->number == hello_.state_number) agent_has_ = current;
    }
    push_state();
    for (const auto& action : shared_.actions.open_for(facts_.agent, takes_actions())) post(action);
    co_return Status{};
}

bool Session::takes_actions() const
{
    return std::ranges::find(hello_.capabilities, wire::kActionsCapability) != hello_.capabilities.end();
}

bool Session::send(const wire::Action& action)
{
    if (ended_ || !greeted_ || !takes_actions()) return false;
    post(action);
    return true;
}

Task<void> Session::read_loop()
{
    while (!ended_) {
        if (in_flight_ >= kAppendsInFlight) {
            room_.expires_at(Timer::time_point::max());
            co_await room_.async_wait(nothrow);
            continue;
        }
        auto message = co_await channel_.receive();
        if (!message) {
            hang_up(std::move(message).error().what);
            break;
        }
        heard_ = shared_.clock.instant();
        if (auto accepted = accept(*message); !accepted) {
            shared_.directory.on_event(facts_.agent, "refused a message: " + accepted.error().what);
            end(wire::RefusedReason::BadMessage, std::move(accepted).error().what);
        }
    }
}

Task<void> Session::watch()
{
    Timer timer(shared_.loop);
    while (!ended_) {
        const auto limit = greeted_ ? shared_.options.silence_max : shared_.options.hello_max;
        const auto left = limit - (shared_.clock.instant() - heard_);
        if (left <= Nanos(0)) {
            hang_up(greeted_ ? "silent for too long" : "no hello in time");
            co_return;
        }
        timer.expires_after(std::chrono::duration_cast<Millis>(left) + Millis(1));
        const auto [error] = co_await timer.async_wait(nothrow);
        if (error) co_return;
    }
}

Status Session::accept(const std::string& bytes)
{
    NW_TRY(auto message, wire::decode_agent_message(bytes));
    return std::visit([this](auto& body) { return on(body); }, message);
}

Status Session::on(const wire::Hello&) { return bad_message("a second hello"); }

Status Session::on(wire::RawBatch& raw)
{
    NW_TRY(auto batch, wire::decode_batch(raw.bytes, shared_.kinds));
    if (batch.stream != hello_.stream) return bad_message("a batch of another stream than the hello named");
    ++shared_.stats.batches;
    const auto now = shared_.clock.wall();
    clock_offset_us_ = batch.clock_offset_us;
    clock_uncertainty_us_ = batch.clock_uncertainty_us;
    if (batch.health) shared_.directory.on_health(facts_.agent, *batch.health, clock_offset_us_, clock_uncertainty_us_, now);
    auto bytes = drop_foreign_rows(batch) ? wire::encode_batch(batch) : std::move(raw.bytes);
    ++in_flight_;
    tasks_.spawn("append", append({facts_.agent, std::move(batch), std::move(bytes), now}));
    return {};
}

bool Session::drop_foreign_rows(wire::Batch& batch)
{
    std::size_t dropped = 0;
    for (auto& rows : batch.kinds) {
        const auto allowed = [&](ProbeId probe) { return shared_.directory.may_report(facts_.agent, probe); };
        if (std::ranges::all_of(rows.probe, allowed)) continue;
        auto kept = make_rows(*rows.kind);
        for (std::size_t row = 0; row < rows.size(); ++row)
            if (allowed(rows.probe[row])) append_row(kept, rows, row);
        dropped += rows.size() - kept.size();
        rows = std::move(kept);
    }
    shared_.stats.rows_foreign += dropped;
    return dropped > 0;
}

Status Session::on(const wire::Lost& lost)
{
    if (lost.stream != hello_.stream) return bad_message("a loss in another stream than the hello named");
    if (lost.first_seq == 0 || lost.last_seq < lost.first_seq || lost.last_seq > UINT64_MAX / 2)
        return bad_message("a loss of no sequences");
    ++in_flight_;
    tasks_.spawn("declare lost", declare_lost({.agent = facts_.agent,
                                               .stream = lost.stream,
                                               .first_seq = lost.first_seq,
                                               .last_seq = lost.last_seq,
                                               .reason = clipped(lost.reason),
                                               .from_us = std::clamp<std::int64_t>(lost.from_us, 0, store::kTimeMaxUs),
                                               .until_us = std::clamp<std::int64_t>(lost.until_us, 0, store::kTimeMaxUs)}));
    return {};
}

Status Session::on(const wire::StateApplied& applied)
{
    if (applied.need_full) {
        agent_has_ = nullptr;
        push_state();
        return {};
    }
    shared_.directory.on_state_applied(facts_.agent, applied.number, applied.problems);
    return {};
}

Status Session::on(const AgentHealth& health)
{
    shared_.directory.on_health(facts_.agent, health, clock_offset_us_, clock_uncertainty_us_, shared_.clock.wall());
    return {};
}

Status Session::on(const wire::ClockRequest& request)
{
    post(wire::ClockReply{.agent_us = request.agent_us, .controller_us = to_us(shared_.clock.wall())});
    return {};
}

Status Session::on(const wire::ActionReport& report)
{
    shared_.actions.on_report(facts_.agent, report);
    return {};
}

Status Session::on(wire::Interfaces& report)
{
    const auto in_our_time = [&](std::int64_t us) {
        if (clock_uncertainty_us_ == 0) return std::clamp<std::int64_t>(us, 0, store::kTimeMaxUs);
        return std::clamp<std::int64_t>(std::clamp<std::int64_t>(us, 0, store::kTimeMaxUs) + clock_offset_us_, 0,
                                        store::kTimeMaxUs);
    };
    report.at_us = in_our_time(report.at_us);
    for (auto& failover : report.failovers) failover.at_us = in_our_time(failover.at_us);
    interfaces_came_ = std::max(interfaces_came_, report.number);
    shared_.directory.on_interfaces(facts_.agent, hello_.stream, std::move(report));
    return {};
}

Task<void> Session::append(store::AppendRequest request)
{
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const auto received_at = request.received_at;
    auto result = co_await shared_.telemetry.append(std::move(request));
    if (!settle(result) || result->new_rows.empty()) co_return;
    for (const auto& rows : result->new_rows) shared_.stats.rows += rows.size();
    for (auto* subscriber : shared_.subscribers) subscriber->on_rows(facts_.agent, result->new_rows, received_at);
}

Task<void> Session::declare_lost(store::LostSpan span)
{
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto what = "declared lost: " + std::to_string(span.last_seq - span.first_seq + 1) + " samples, " + span.reason;
    if (settle(co_await shared_.telemetry.declare_lost(std::move(span)))) shared_.directory.on_event(facts_.agent, what);
}

bool Session::settle(const Result<store::Appended>& result)
{
    --in_flight_;
    room_.cancel();
    if (!result) {
        // The agent keeps what was not acknowledged and comes back later with the same.
        ++shared_.stats.batches_refused;
        shared_.store.refused(result.error().what);
        end(wire::RefusedReason::Overloaded, result.error().what);
        return false;
    }
    if (result->gap) {
        // A batch before this one failed, or the agent is confused: a new hello starts at the watermark again.
        ++shared_.stats.gaps;
        acked_seq_ = std::max(acked_seq_, result->acked_seq);
        send_ack();
        end(wire::RefusedReason::BadMessage, "a gap in the sequence; resume after " + std::to_string(result->acked_seq));
        return false;
    }
    shared_.store.took();
    acknowledge(result->acked_seq);
    return true;
}

// One message acknowledges all batches whose answers arrived together.
void Session::acknowledge(std::uint64_t seq)
{
    acked_seq_ = std::max(acked_seq_, seq);
    if (ack_due_ || acked_seq_ == ack_sent_) return;
    ack_due_ = true;
    tasks_.spawn("acknowledge", [](Session& session) -> Task<void> {
        co_await asio::post(session.shared_.loop, use_task);
        session.ack_due_ = false;
        session.send_ack();
    }(*this));
}

void Session::send_ack()
{
    ack_sent_ = acked_seq_;
    post(wire::Ack{.stream = hello_.stream, .acked_seq = acked_seq_, .interfaces = interfaces_stored_});
}

void Session::interfaces_stored(StreamId stream, std::uint64_t number)
{
    // What an earlier session brought was told in the welcome, or will be in the next one.
    if (ended_ || !greeted_ || stream != hello_.stream || number > interfaces_came_) return;
    interfaces_stored_ = std::max(interfaces_stored_, number);
    send_ack();
}

void Session::push_state()
{
    if (ended_ || !greeted_) return;
    auto target = shared_.directory.desired(facts_.agent);
    if (!target) return end(wire::RefusedReason::Revoked, "this agent was deleted");
    if (agent_has_ && agent_has_->number == target->number) return;
    post(step_to(*target, agent_has_.get()));
    agent_has_ = std::move(target);
}

void Session::post(const wire::ControllerMessage& message)
{
    if (ended_) return;
    if (!channel_.post(wire::encode(message))) hang_up("too slow to take what it is sent");
}

void Session::end(wire::RefusedReason reason, std::string why)
{
    if (ended_) return;
    (void)channel_.post(wire::encode(wire::Refused{.reason = reason, .what = why}));
    hang_up(std::move(why));
}

void Session::hang_up(std::string why)
{
    if (ended_) return;
    ended_ = true;
    why_ = why;
    channel_.close(std::move(why));
    room_.cancel();
}

}  // namespace nw::ingest
