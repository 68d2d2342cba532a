#include "probe/ping/core.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace nw::probe::ping {
namespace {

std::size_t answered_words(const Plan& plan)
{
    const auto intervals = std::uint64_t((plan.timeout + plan.interval - Nanos(1)) / plan.interval) + 3;
    return std::size_t((intervals * plan.packets + 63) / 64);
}

double packets_per_second(const Plan& plan)
{
    return double(plan.packets) / std::chrono::duration<double>(plan.interval).count();
}

}  // namespace

Core::Core(CoreListener& listener, Moment now) : listener_(listener), schedule_(now) {}

std::uint32_t Core::add(const Plan& plan, Moment first_start, Moment next_start, Moment now)
{
    NW_ASSERT(plan.packets > 0 && plan.interval > Nanos(0) && plan.timeout > Nanos(0));
    const auto slot = schedule_.take_slot();
    probes_.resize(schedule_.slots());
    probes_[slot] = Probe{.plan = plan,
                          .first_start = first_start,
                          .next_start = next_start,
                          .answered = std::vector<std::uint64_t>(answered_words(plan)),
                          .generation = ++generations_,
                          .state = State::Active};
    narrow_plans_ += needs_narrow_grid(plan);
    per_second_ += packets_per_second(plan);
    plan_next(slot, now);
    return slot;
}

bool Core::needs_narrow_grid(const Plan& plan)
{
    const auto odd = [](Nanos time) { return time % kWideTick != Nanos(0); };
    return odd(plan.interval) || (plan.packets > 1 && (odd(plan.spacing) || odd(plan.first_spacing)));
}

void Core::retire(std::uint32_t slot, Ending ending)
{
    auto& probe = probes_[slot];
    NW_ASSERT(probe.state == State::Active);
    schedule_.clear(slot, Timer::Next);
    probe.state = State::Draining;
    narrow_plans_ -= needs_narrow_grid(probe.plan);
    per_second_ = std::max(0.0, per_second_ - packets_per_second(probe.plan));
    if (ending == Ending::Drop) {
        for (auto& run : probe.runs)
            waiting_ -=
                std::size_t(std::ranges::count(run.packets, PacketState::Waiting, [](const Packet& p) { return p.state; }));
        probe.runs.clear();
    }
    for (auto& run : probe.runs) run.wanted = std::uint32_t(run.packets.size());
    finish_complete(slot);
    finish_retired(slot);
}

void Core::relock(std::uint32_t slot, Moment next_start)
{
    auto& probe = probes_[slot];
    const auto run = (probe.next_seq + probe.plan.packets - 1) / probe.plan.packets;
    if (probe.state != State::Active || run == 0) return;
    probe.next_start = next_start - probe.plan.interval * std::int64_t(run - 1);
    if (probe.next_seq % probe.plan.packets == 0 && schedule_.is_set(slot, Timer::Next))
        schedule_.set(slot, Timer::Next, next_start);
}

Moment Core::due_at(const Probe& probe, std::uint64_t seq)
{
    const auto run = std::int64_t(seq / probe.plan.packets);
    const auto position = std::int64_t(seq % probe.plan.packets);
    if (run == 0) return probe.first_start + probe.plan.first_spacing * position;
    return probe.next_start + probe.plan.interval * (run - 1) + probe.plan.spacing * position;
}

void Core::plan_next(std::uint32_t slot, Moment now)
{
    auto& probe = probes_[slot];
    if (probe.next_seq / probe.plan.packets >= probe.plan.runs_max) return retire(slot, Ending::Drain);
    const auto due = due_at(probe, probe.next_seq);
    if (due > now) schedule_.set(slot, Timer::Next, due);
    else schedule_.enqueue(slot);
}

// Up to the last line of the present grid.
void Core::advance(Moment now)
{
    const auto line = tick_of(now) / grid_width() * grid_width();
    schedule_.advance(line, [&](std::uint32_t slot) { expire(slot, now); });
}

Moment Core::next_wake() const { return schedule_.next_wake(grid_width()); }

void Core::take_due(Moment now, std::size_t max, std::vector<Identity>& out)
{
    for (std::size_t taken = 0; taken < max && schedule_.has_ready();) {
        const auto slot = schedule_.take_ready();
        if (probes_[slot].state == State::Active && take_one(slot, now, out)) ++taken;
    }
}

bool Core::take_one(std::uint32_t slot, Moment now, std::vector<Identity>& out)
{
    if (probes_[slot].next_seq % probes_[slot].plan.packets == 0) skip_missed(slot, now);
    auto& probe = probes_[slot];
    const auto seq = probe.next_seq;
    if (due_at(probe, seq) > now || seq / probe.plan.packets >= probe.plan.runs_max) {  // skipping used it up
        plan_next(slot, now);
        return false;
    }
    if (seq % probe.plan.packets == 0) begin_run(probe, now);
    auto& run = probe.runs.back();
    run.packets.push_back({.sent = now});
    probe.answered[(seq / 64) % probe.answered.size()] &= ~(1ULL << (seq % 64));
    ++probe.next_seq;
    ++waiting_;
    out.push_back({slot, probe.generation, seq});
    if (!schedule_.is_set(slot, Timer::Expiry)) schedule_.set(slot, Timer::Expiry, now + probe.plan.timeout);
    plan_next(slot, now);
    return true;
}

void Core::begin_run(Probe& probe, Moment now)
{
    auto& run = probe.runs.emplace_back();
    run.number = probe.next_seq / probe.plan.packets;
    run.start = now;
    run.wanted = probe.plan.packets;
    run.packets.reserve(probe.plan.packets);
}

void Core::skip_missed(std::uint32_t slot, Moment now)
{
    auto& probe = probes_[slot];
    const auto late = now - due_at(probe, probe.next_seq);
    const auto missed = missed_runs(late, probe.plan.interval);
    for (std::uint64_t i = 0; i < missed.reported; ++i) {
        listener_.run_finished(
            slot, {.start = due_at(probe, probe.next_seq), .outcome = Outcome::NotMeasured, .reason = missed.reason(i)});
        probe.next_seq += probe.plan.packets;
    }
    probe.next_seq += (missed.runs - missed.reported) * probe.plan.packets;
}

bool Core::knows(const Identity& id) const
{
    if (id.slot >= probes_.size()) return false;
    const auto& probe = probes_[id.slot];
    return probe.state != State::Free && probe.generation == id.generation && id.seq < probe.next_seq
           && probe.next_seq - id.seq <= probe.answered.size() * 64;
}

Core::Probe* Core::find(const Identity& id) { return knows(id) ? &probes_[id.slot] : nullptr; }

Core::Run* Core::find_run(Probe& probe, std::uint64_t seq)
{
    const auto number = seq / probe.plan.packets;
    const auto found = std::ranges::find(probe.runs, number, &Run::number);
    return found == probe.runs.end() || seq % probe.plan.packets >= found->packets.size() ? nullptr : &*found;
}

Packet* Core::find_waiting(const Identity& id, Run** run)
{
    auto* probe = find(id);
    *run = probe ? find_run(*probe, id.seq) : nullptr;
    if (!*run) return nullptr;
    auto& packet = (*run)->packets[id.seq % probe->plan.packets];
    return packet.state == PacketState::Waiting ? &packet : nullptr;
}

bool Core::test_and_set(Probe& probe, std::uint64_t seq)
{
    auto& word = probe.answered[(seq / 64) % probe.answered.size()];
    const auto bit = 1ULL << (seq % 64);
    const bool was = (word & bit) != 0;
    word |= bit;
    return was;
}

void Core::transmitted(const Identity& id, Moment when)
{
    Run* run = nullptr;
    auto* packet = find_waiting(id, &run);
    // A stamp that is not near the time of sending belongs to some other packet, or the clock was set.
    if (!packet || when < packet->sent - Millis(1) || when > packet->sent + Seconds(1)) return;
    packet->sent = when;
    packet->kernel_sent = true;
}

void Core::answered(const Identity& id, Moment when, bool kernel_time, std::optional<std::uint8_t> ttl)
{
    auto* probe = find(id);
    if (!probe) return;
    auto* run = find_run(*probe, id.seq);
    if (test_and_set(*probe, id.seq)) {
        ++(run ? run->counts : probe->pending).duplicates;
        return;
    }
    auto* packet = run ? &run->packets[id.seq % probe->plan.packets] : nullptr;
    if (!packet || packet->state != PacketState::Waiting || when - packet->sent > probe->plan.timeout)
        return count_unanswered(*probe, run, id, when);
    if (id.seq + 1 < probe->highest_answered) ++run->counts.reordered;
    probe->highest_answered = std::max(probe->highest_answered, id.seq + 1);
    packet->rtt_ns = std::max<std::int64_t>((when - packet->sent).count(), 1);
    const auto clock = kernel_time && packet->kernel_sent ? ClockSource::Kernel : ClockSource::User;
    run->clock = run->clock == ClockSource::None ? clock : std::min(run->clock, clock);
    if (ttl) run->ttl = ttl;
    settle(id.slot, *run, id.seq, PacketState::Answered);
    finish_complete(id.slot);
    finish_retired(id.slot);
}

// A reply to a packet that has been given up, or is given up now.
void Core::count_unanswered(Probe& probe, Run* run, const Identity& id, Moment when)
{
    auto* packet = run ? &run->packets[id.seq % probe.plan.packets] : nullptr;
    const auto sent = packet ? packet->sent : due_at(probe, id.seq);
    if (when - sent <= probe.plan.timeout + 2 * probe.plan.interval) ++(run ? run->counts : probe.pending).late;
    if (!packet || packet->state != PacketState::Waiting) return;
    settle(id.slot, *run, id.seq, PacketState::Lost);
    finish_complete(id.slot);
    finish_retired(id.slot);
}

void Core::unreachable(const Identity& id, std::string reason)
{
    Run* run = nullptr;
    if (!find_waiting(id, &run)) return;
    run->trouble = Outcome::Unreachable;
    run->reason = std::move(reason);
    settle(id.slot, *run, id.seq, PacketState::Unreachable);
    finish_complete(id.slot);
    finish_retired(id.slot);
}

void Core::corrupted(const Identity& id)
{
    auto* probe = find(id);
    if (!probe) return;
    auto* run = find_run(*probe, id.seq);
    ++(run ? run->counts : probe->pending).corrupted;
}

void Core::send_failed(const Identity& id, Outcome outcome, std::string reason)
{
    Run* run = nullptr;
    if (!find_waiting(id, &run)) return;
    if (run->trouble == Outcome::Ok) {
        run->trouble = outcome;
        run->reason = std::move(reason);
    }
    settle(id.slot, *run, id.seq, PacketState::Unsent);
    finish_complete(id.slot);
    finish_retired(id.slot);
}

void Core::excuse(std::uint32_t slot, Outcome outcome, const std::string& reason)
{
    auto& probe = probes_[slot];
    for (auto& run : probe.runs)
        for (std::size_t i = 0; i < run.packets.size(); ++i) {
            if (run.packets[i].state != PacketState::Waiting) continue;
            if (run.trouble == Outcome::Ok) {
                run.trouble = outcome;
                run.reason = reason;
            }
            settle(slot, run, run.number * probe.plan.packets + i, PacketState::Unsent);
        }
    finish_complete(slot);
    finish_retired(slot);
}

void Core::fail_run(const Identity& id, Outcome outcome, std::string reason)
{
    Run* run = nullptr;
    if (!find_waiting(id, &run)) return;
    auto& probe = probes_[id.slot];
    const auto first = run->number * probe.plan.packets;
    // Later runs may have been taken in the same turn: they stay taken.
    probe.next_seq = std::max(probe.next_seq, first + probe.plan.packets);
    run->wanted = std::uint32_t(run->packets.size());
    run->trouble = outcome;
    run->reason = std::move(reason);
    if (probe.state == State::Active) {
        schedule_.clear(id.slot, Timer::Next);
        plan_next(id.slot, schedule_.ticked());
    }
    // A burst may have taken more packets of the run than the first.
    for (std::size_t i = 0; i < run->packets.size(); ++i)
        if (run->packets[i].state == PacketState::Waiting) settle(id.slot, *run, first + i, PacketState::Unsent);
    finish_complete(id.slot);
    finish_retired(id.slot);
}

void Core::taint(std::uint32_t slot, const std::string& reason)
{
    for (auto& run : probes_[slot].runs) {
        run.tainted = true;
        run.reason = reason;
    }
}

void Core::expire(std::uint32_t slot, Moment now)
{
    auto& probe = probes_[slot];
    for (auto& run : probe.runs) {
        for (auto& at = run.first_waiting; at < run.packets.size(); ++at) {
            auto& packet = run.packets[at];
            if (packet.state != PacketState::Waiting) continue;
            if (packet.sent + probe.plan.timeout > now) {
                schedule_.set(slot, Timer::Expiry, packet.sent + probe.plan.timeout);
                finish_complete(slot);
                return finish_retired(slot);
            }
            settle(slot, run, run.number * probe.plan.packets + at, PacketState::Lost);
        }
    }
    finish_complete(slot);
    finish_retired(slot);
}

void Core::settle(std::uint32_t slot, Run& run, std::uint64_t seq, PacketState state)
{
    auto& probe = probes_[slot];
    auto& packet = run.packets[seq % probe.plan.packets];
    packet.state = state;
    ++run.settled;
    --waiting_;
    listener_.packet_settled(slot, seq, packet,
                             {.start = run.start,
                              .outcome = run.trouble,
                              .reason = state == PacketState::Answered ? "" : run.reason,
                              .clock = run.clock,
                              .ttl = run.ttl});
}

void Core::finish_complete(std::uint32_t slot)
{
    auto& runs = probes_[slot].runs;
    for (std::size_t i = 0; i < runs.size();) {
        if (runs[i].settled < runs[i].wanted) {
            ++i;
            continue;
        }
        const auto run = std::move(runs[i]);
        runs.erase(runs.begin() + std::ptrdiff_t(i));
        if (!run.packets.empty()) finish(slot, run);
    }
}

Outcome Core::outcome_of(const Run& run)
{
    const auto has = [&](PacketState state) {
        return std::ranges::any_of(run.packets, [&](const Packet& packet) { return packet.state == state; });
    };
    if (run.tainted && has(PacketState::Lost)) return Outcome::NotMeasured;
    if (has(PacketState::Answered)) return Outcome::Ok;
    if (has(PacketState::Unreachable)) return Outcome::Unreachable;
    return has(PacketState::Lost) ? Outcome::Lost : run.trouble;
}

RunResult Core::result_of(const Probe& probe, const Run& run) const
{
    RunResult result{.start = run.start,
                     .packets = run.packets,
                     .counts = run.counts,
                     .outcome = outcome_of(run),
                     .clock = run.clock,
                     .ttl = run.ttl};
    result.counts.late += probe.pending.late;
    result.counts.duplicates += probe.pending.duplicates;
    result.counts.reordered += probe.pending.reordered;
    result.counts.corrupted += probe.pending.corrupted;
    if (result.outcome == Outcome::Lost) result.reason = "no reply";
    else if (result.outcome != Outcome::Ok) result.reason = run.reason;
    if (probe.tail_seq != 0 && probe.tail_seq == run.number * probe.plan.packets) result.rtt_before = probe.tail_rtt;
    return result;
}

void Core::finish(std::uint32_t slot, const Run& run)
{
    auto& probe = probes_[slot];
    const auto result = result_of(probe, run);
    probe.pending = {};
    const auto& last = run.packets.back();
    const bool tail = last.state == PacketState::Answered && run.packets.size() == probe.plan.packets;
    probe.tail_seq = tail ? (run.number + 1) * probe.plan.packets : 0;
    probe.tail_rtt = last.rtt();
    listener_.run_finished(slot, result);
}

void Core::finish_retired(std::uint32_t slot)
{
    auto& probe = probes_[slot];
    if (probe.state != State::Draining || !probe.runs.empty()) return;
    schedule_.clear(slot, Timer::Expiry);
    probe.state = State::Free;
    // Its memory goes with the tenant.
    probe.runs = {};
    probe.answered = {};
    schedule_.give_back(slot);
    listener_.slot_free(slot);
}

}  // namespace nw::probe::ping
