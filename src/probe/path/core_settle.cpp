#include "probe/path/core.hpp"

#include <algorithm>
#include <utility>

// What becomes of probes that were sent: answers, timeouts, failures, and the ends of runs.
namespace nw::probe::path {
namespace {

// How long a settled probe is remembered, to tell late and repeated answers from strangers'.
constexpr Nanos kRemember = Seconds(2);
// While branches are looked for, a probe that takes much longer than all others is asked again.
constexpr Nanos kExploreTimeoutMin = Millis(500);
constexpr Nanos kExploreTimeoutFirst = Seconds(1);
constexpr Nanos kRetrySearch = std::chrono::minutes(1);

}  // namespace

Core::Trace* Core::find(const Identity& id)
{
    if (id.slot >= traces_.size()) return nullptr;
    auto& trace = traces_[id.slot];
    const bool known = trace.state != State::Free && trace.generation == id.generation && id.seq >= trace.first_seq
                       && id.seq - trace.first_seq < trace.probes.size();
    return known ? &trace : nullptr;
}

Core::Probe* Core::find_waiting(const Identity& id)
{
    auto* trace = find(id);
    auto* probe = trace ? &trace->probes[std::size_t(id.seq - trace->first_seq)] : nullptr;
    return probe && probe->state == ProbeState::Waiting ? probe : nullptr;
}

Core::Run* Core::find_run(Trace& trace, std::uint64_t number)
{
    const auto found = std::ranges::find(trace.runs, number, [](const Run& run) { return run.end.number; });
    return found == trace.runs.end() ? nullptr : &*found;
}

void Core::transmitted(const Identity& id, Moment when)
{
    auto* probe = find_waiting(id);
    // A stamp that is not near the time of sending belongs to some other packet, or the clock was set.
    if (!probe || when < probe->sent - Millis(1) || when > probe->sent + Seconds(1)) return;
    probe->sent = when;
    probe->kernel_sent = true;
}

Nanos Core::timeout_of(const Trace& trace, const Probe& probe) const
{
    if (probe.purpose == Purpose::Measure) return trace.plan.timeout;
    const auto usual = trace.rtt_max == Nanos(0) ? kExploreTimeoutFirst : std::max(kExploreTimeoutMin, trace.rtt_max * 3);
    return std::min(trace.plan.timeout, usual);
}

// Which packet of the flow an answer that names none belongs to. In one cycle several may have come to the destination,
// while it is not known how far that is: it answers all of them, so that counting from the furthest one is right.
Core::Probe* Core::find_of_flow(Trace& trace, const Probe& latest)
{
    Probe* best = nullptr;
    for (auto& probe : trace.probes) {
        const bool same = probe.flow == latest.flow && probe.purpose == latest.purpose && probe.run == latest.run
                          && probe.cycle == latest.cycle;
        if (same && probe.state == ProbeState::Waiting && (!best || probe.ttl > best->ttl)) best = &probe;
    }
    return best;
}

void Core::answered(const Reply& reply, Moment when, bool kernel_time)
{
    auto* trace = find(reply.id);
    if (!trace) return;
    auto* named = &trace->probes[std::size_t(reply.id.seq - trace->first_seq)];
    if (reply.of_flow) named = find_of_flow(*trace, *named);
    if (!named) return;
    auto& probe = *named;
    if (probe.state != ProbeState::Waiting) {
        if (probe.state == ProbeState::Lost) ++trace->late;
        if (probe.state == ProbeState::Answered) ++trace->duplicates;
        return;
    }
    const auto slot = reply.id.slot;
    const auto now = schedule_.ticked();
    const auto rtt = std::max(when - probe.sent, Nanos(1));
    if (rtt > trace->plan.timeout) {
        ++trace->late;
        settle(slot, probe, ProbeState::Lost, {.outcome = Outcome::Lost});
        return after_settling(slot);
    }
    trace->rtt_max = std::max(trace->rtt_max, rtt);
    if (probe.purpose == Purpose::Measure) {
        note_distance(slot, probe, reply, now);
        note_responder(slot, probe, reply, now);
    }
    settle(
        slot, probe, ProbeState::Answered,
        {.rtt = rtt, .clock = kernel_time && probe.kernel_sent ? ClockSource::Kernel : ClockSource::User, .reply = &reply});
    after_settling(slot);
}

void Core::send_failed(const Identity& id, Outcome outcome, const std::string& reason)
{
    auto* probe = find_waiting(id);
    if (!probe) return;
    settle(id.slot, *probe, ProbeState::Unsent, {.outcome = outcome, .reason = reason});
    after_settling(id.slot);
}

void Core::excuse(std::uint32_t slot, Outcome outcome, const std::string& reason)
{
    for (auto& probe : traces_[slot].probes)
        if (probe.state == ProbeState::Waiting)
            settle(slot, probe, ProbeState::Unsent, {.outcome = outcome, .reason = reason});
    after_settling(slot);
}

void Core::taint(const std::string& reason)
{
    taint_ = reason;
    for (auto& trace : traces_)
        for (auto& probe : trace.probes)
            if (probe.state == ProbeState::Waiting) probe.tainted = true;
}

// Takes back what has not been sent yet.
void Core::give_up(Trace& trace, Purpose purpose, std::uint64_t run_number)
{
    auto* run = purpose == Purpose::Measure ? find_run(trace, run_number) : nullptr;
    std::erase_if(trace.wanted, [&](const Wanted& wanted) {
        if (wanted.purpose != purpose || wanted.run != run_number) return false;
        if (run) --run->open;
        return true;
    });
    if (!run) return;
    for (auto& flow : trace.flows) flow.stretching = false;
    if (run->turns_left == 0) return;
    run->turns_left = 0;
    trace.next_turn = std::max(trace.next_turn, (run_number + 1) * turns_per_run(trace));
}

void Core::fail_run(const Identity& id, Outcome outcome, const std::string& reason)
{
    const auto* probe = find_waiting(id);
    if (!probe) return;
    auto& trace = traces_[id.slot];
    const auto purpose = probe->purpose;
    const auto number = probe->run;
    give_up(trace, purpose, number);
    const auto now = schedule_.ticked();
    // Runs fail for the same reason, and say so.
    if (purpose == Purpose::Explore) stop_exploring(trace);
    if (purpose == Purpose::Mtu) stop_mtu_search(trace);
    for (auto& other : trace.probes)
        if (other.state == ProbeState::Waiting && other.purpose == purpose && other.run == number)
            settle(id.slot, other, ProbeState::Unsent, {.outcome = outcome, .reason = reason});
    if (purpose == Purpose::Mtu) {
        trace.mtu.due = now + kRetrySearch;
        trace.mtu.searched = true;
        return after_settling(id.slot);
    }
    if (purpose == Purpose::Explore) {
        if (trace.state == State::Exploring) finish_exploring(id.slot, {.flows = {0}}, now);
        trace.branches.due = now + kRetrySearch;
        return;
    }
    schedule_.clear(id.slot, Timer::Next);
    after_settling(id.slot);
    plan_next(id.slot, now);
}

void Core::note_in_run(Run& run, ProbeState state, const Settled& how)
{
    --run.open;
    auto& end = run.end;
    if (state == ProbeState::Unsent && !end.trouble) end.trouble = NotReady{how.outcome, std::string(how.reason)};
    if (state != ProbeState::Unsent) ++end.sent;
    if (state != ProbeState::Answered) return;
    ++end.answered;
    const auto& reply = *how.reply;
    if (reply.answer == Answer::Arrived) end.reached = true;
    else if (ends_path(reply.answer))
        end.refusal = "icmp " + std::to_string(reply.type) + "/" + std::to_string(reply.code) + " from "
                      + packet::to_text(reply.responder);
}

void Core::settle(std::uint32_t slot, Probe& probe, ProbeState state, const Settled& how)
{
    auto& trace = traces_[slot];
    probe.state = state;
    --waiting_;
    auto* run = probe.purpose == Purpose::Measure ? find_run(trace, probe.run) : nullptr;
    if (run) note_in_run(*run, state, how);
    tell_searches(trace, probe, state, how);
    Settled settled = how;
    settled.run = probe.run;
    settled.cycle = probe.cycle;
    settled.round = probe.run * trace.plan.cycles + probe.cycle;
    settled.flow = probe.flow;
    settled.ttl = probe.ttl;
    settled.size = probe.size;
    settled.purpose = probe.purpose;
    settled.state = state;
    settled.sent = probe.sent;
    listener_.probe_settled(slot, settled);
}

void Core::after_settling(std::uint32_t slot)
{
    auto& trace = traces_[slot];
    // What is sent next is decided once all that has come in is known.
    if (trace.branches.explorer || wants_mtu(trace, schedule_.ticked())) schedule_.enqueue(slot);
    set_discovering(traces_[slot]);
    finish_complete(slot);
    finish_retired(slot);
}

// Fires timeouts and stretches, forgets what is old, and sets the timer for the next time.
void Core::watch(std::uint32_t slot, Moment now)
{
    auto& trace = traces_[slot];
    if (trace.state == State::Free) return;
    bool settled = false;
    auto next = Moment::max();
    for (auto& probe : trace.probes) {
        if (probe.state != ProbeState::Waiting) continue;
        const auto expires = probe.sent + timeout_of(trace, probe);
        if (expires > now) {
            next = expires;
            break;
        }
        if (probe.tainted) settle(slot, probe, ProbeState::Unsent, {.outcome = Outcome::NotMeasured, .reason = taint_});
        else settle(slot, probe, ProbeState::Lost, {.outcome = Outcome::Lost});
        settled = true;
    }
    while (!trace.probes.empty() && trace.probes.front().state != ProbeState::Waiting
           && trace.probes.front().sent + trace.plan.timeout + kRemember < now) {
        trace.probes.pop_front();
        ++trace.first_seq;
    }
    for (std::size_t position = 0; position < trace.flows.size(); ++position) {
        if (trace.flows[position].stretching && trace.flows[position].stretch_at <= now) stretch(slot, position, now);
        if (trace.flows[position].stretching) next = std::min(next, trace.flows[position].stretch_at);
    }
    if (next != Moment::max()) schedule_.set(slot, Timer::Expiry, next);
    if (settled) after_settling(slot);
    else set_discovering(trace);
}

Moment Core::frontier(std::uint32_t slot) const
{
    for (const auto& probe : traces_[slot].probes)
        if (probe.state == ProbeState::Waiting) return probe.sent;
    return Moment::max();
}

void Core::set_discovering(Trace& trace)
{
    const bool first_cycle = trace.state != State::Free && trace.next_turn != 0 && trace.next_turn <= trace.flow_ids.size()
                             && !trace.runs.empty() && trace.runs.front().open > 0;
    const bool discovering = trace.state == State::Exploring || trace.branches.explorer || first_cycle
                             || (trace.state != State::Free && std::ranges::any_of(trace.flows, &Flow::stretching));
    if (discovering == trace.discovering) return;
    trace.discovering = discovering;
    discovering_ += discovering ? 1 : std::size_t(-1);
}

NotReady Core::conclude(const RunEnd& end)
{
    if (end.reached) return {Outcome::Ok, {}};
    if (!end.refusal.empty()) return {Outcome::Unreachable, end.refusal};
    if (end.sent > 0) return {Outcome::Lost, "the destination did not answer"};
    return end.trouble.value_or(NotReady{Outcome::NotMeasured, "nothing was sent"});
}

void Core::finish_complete(std::uint32_t slot)
{
    auto& trace = traces_[slot];
    for (std::size_t i = 0; i < trace.runs.size();) {
        auto& run = trace.runs[i];
        const bool stretching = std::ranges::any_of(
            trace.flows, [&](const Flow& flow) { return flow.stretching && flow.stretch.run == run.end.number; });
        if (run.open > 0 || run.turns_left > 0 || stretching) {
            ++i;
            continue;
        }
        auto end = std::move(run.end);
        trace.runs.erase(trace.runs.begin() + std::ptrdiff_t(i));
        end.late = std::exchange(trace.late, 0);
        end.duplicates = std::exchange(trace.duplicates, 0);
        const auto [outcome, reason] = conclude(end);
        end.outcome = outcome;
        end.reason = reason;
        listener_.run_finished(slot, end);
    }
}

void Core::finish_retired(std::uint32_t slot)
{
    auto& trace = traces_[slot];
    if (trace.state != State::Draining || !trace.runs.empty() || !trace.wanted.empty()) return;
    if (wants_mtu(trace, schedule_.ticked())) {
        if (!trace.mtu.search) schedule_.enqueue(slot);
        return;
    }
    for (const auto& probe : trace.probes) waiting_ -= probe.state == ProbeState::Waiting;
    schedule_.clear(slot, Timer::Next);
    schedule_.clear(slot, Timer::Expiry);
    trace.state = State::Free;
    trace.flows.clear();
    set_discovering(trace);
    // Its memory goes with the tenant.
    trace.probes = {};
    trace.runs = {};
    schedule_.give_back(slot);
    listener_.slot_free(slot);
}

}  // namespace nw::probe::path
