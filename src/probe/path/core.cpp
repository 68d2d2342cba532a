#include "probe/path/core.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <utility>

namespace nw::probe::path {

Core::Core(CoreListener& listener, Moment now) : listener_(listener), schedule_(now) {}

std::uint32_t Core::add(const Plan& plan, Moment first_start, Moment next_start, Moment now)
{
    NW_ASSERT(plan.cycles > 0 && plan.flows > 0 && plan.hops_max > 0 && plan.interval > Nanos(0) && plan.timeout > Nanos(0));
    const auto slot = schedule_.take_slot();
    traces_.resize(schedule_.slots());
    auto& trace = traces_[slot];
    trace = Trace{};
    trace.plan = plan;
    trace.first_start = first_start;
    trace.next_start = next_start;
    for (std::uint16_t flow = 0; flow < (plan.explore ? 1 : plan.flows); ++flow) trace.flow_ids.push_back(flow);
    trace.flows.resize(trace.flow_ids.size());
    trace.generation = ++generations_;
    trace.state = plan.explore && plan.explore_first ? State::Exploring : State::Active;
    plan_next(slot, now);
    return slot;
}

void Core::retire(std::uint32_t slot, Ending ending)
{
    auto& trace = traces_[slot];
    NW_ASSERT(trace.state == State::Active || trace.state == State::Exploring || trace.state == State::Draining);
    schedule_.clear(slot, Timer::Next);
    trace.state = State::Draining;
    trace.plan.mtu_every = Nanos(0);
    stop_exploring(trace);
    stop_mtu_search(trace);
    for (const auto& wanted : trace.wanted)
        if (auto* run = find_run(trace, wanted.run)) --run->open;
    trace.wanted.clear();
    for (auto& flow : trace.flows) flow.stretching = false;
    for (auto& run : trace.runs) run.turns_left = 0;
    if (ending == Ending::Drop) trace.runs.clear();
    finish_complete(slot);
    finish_retired(slot);
}

void Core::relock(std::uint32_t slot, Moment next_start)
{
    auto& trace = traces_[slot];
    const auto turns = turns_per_run(trace);
    const auto run = (trace.next_turn + turns - 1) / turns;
    if (trace.state != State::Active || run == 0) return;
    trace.next_start = next_start - trace.plan.interval * std::int64_t(run - 1);
    if (trace.next_turn % turns == 0 && schedule_.is_set(slot, Timer::Next)) schedule_.set(slot, Timer::Next, next_start);
}

Moment Core::due_at(const Trace& trace, std::uint64_t turn)
{
    const auto flows = std::int64_t(trace.flow_ids.size());
    const auto run = std::int64_t(turn / turns_per_run(trace));
    const auto within = std::int64_t(turn % turns_per_run(trace));
    const auto spacing = run == 0 ? trace.plan.first_spacing : trace.plan.spacing;
    const auto start = run == 0 ? trace.first_start : trace.next_start + trace.plan.interval * (run - 1);
    return start + spacing * (within / flows) + spacing * (within % flows) / flows;
}

// Sees to it that the trace is looked at when its next turn is due, or at once when there is something to send.
void Core::plan_next(std::uint32_t slot, Moment now)
{
    auto& trace = traces_[slot];
    if (!trace.wanted.empty()) return schedule_.enqueue(slot);
    if (trace.state == State::Exploring && trace.branches.explorer) return;  // answers and timeouts go on with it
    if (trace.state != State::Active && trace.state != State::Exploring) return;
    const auto due =
        trace.state == State::Exploring ? std::max(trace.first_start, Moment{}) : due_at(trace, trace.next_turn);
    if (due > now) schedule_.set(slot, Timer::Next, due);
    else schedule_.enqueue(slot);
}

void Core::advance(Moment now)
{
    schedule_.advance(tick_of(now), [&](std::uint32_t slot) { watch(slot, now); });
}

void Core::take_due(Moment now, std::size_t max, std::vector<Due>& out)
{
    for (std::size_t taken = 0; taken < max && schedule_.has_ready();) {
        const auto slot = schedule_.take_ready();
        if (traces_[slot].state == State::Free) continue;
        if (traces_[slot].wanted.empty()) begin_turn(slot, now);
        auto& trace = traces_[slot];
        if (!trace.wanted.empty()) {
            const auto wanted = trace.wanted.front();
            trace.wanted.pop_front();
            const Identity id{slot, trace.generation, trace.next_seq++};
            trace.probes.push_back({.sent = now,
                                    .run = wanted.run,
                                    .cycle = wanted.cycle,
                                    .flow = wanted.flow,
                                    .size = wanted.size,
                                    .ttl = wanted.ttl,
                                    .purpose = wanted.purpose});
            ++waiting_;
            ++taken;
            const bool first = !std::exchange(begun_of(trace, wanted), true);
            out.push_back({id, wanted.flow, wanted.ttl, wanted.size, first});
            if (!schedule_.is_set(slot, Timer::Expiry))
                schedule_.set(slot, Timer::Expiry, now + timeout_of(trace, trace.probes.back()));
        }
        plan_next(slot, now);
    }
}

// Whether something has been handed out already for what the probe is wanted for.
bool& Core::begun_of(Trace& trace, const Wanted& wanted)
{
    if (wanted.purpose == Purpose::Mtu) return trace.mtu.begun;
    auto* run = wanted.purpose == Purpose::Measure ? find_run(trace, wanted.run) : nullptr;
    return run ? run->begun : trace.branches.begun;
}

// Whatever of the trace is due: a step of looking for something, the next flow of the present cycle, the next run.
void Core::begin_turn(std::uint32_t slot, Moment now)
{
    auto& trace = traces_[slot];
    if (wants_branches(trace, now)) explore(slot, now);
    if (wants_mtu(trace, now)) search_mtu(slot, now);
    if (trace.state == State::Draining) return finish_retired(slot);
    if (trace.state != State::Active) return;
    if (trace.next_turn % turns_per_run(trace) == 0) {
        adopt_branches(slot);
        skip_missed(slot, now);
    }
    if (due_at(trace, trace.next_turn) > now) return;
    const auto turns = turns_per_run(trace);
    const auto number = trace.next_turn / turns;
    if (number < trace.plan.runs_max) {
        const auto within = trace.next_turn++ % turns;
        if (within == 0) {
            trace.runs.push_back({.end = {.number = number, .start = now}, .turns_left = std::uint32_t(turns)});
            listener_.run_begun(slot, {.number = number, .start = now, .flows = trace.flow_ids});
        }
        if (auto* run = find_run(trace, number)) begin_cycle(slot, *run, within, now);  // else it has failed
    }
    if (trace.next_turn / turns < trace.plan.runs_max) return;
    trace.state = State::Draining;
    stop_exploring(trace);
    finish_retired(slot);
}

void Core::begin_cycle(std::uint32_t slot, Run& run, std::uint64_t within, Moment now)
{
    auto& trace = traces_[slot];
    --run.turns_left;
    const auto cycle = std::uint32_t(within / trace.flow_ids.size());
    const auto position = std::size_t(within % trace.flow_ids.size());
    auto& flow = trace.flows[position];
    flow.now = {.run = run.end.number, .cycle = cycle};
    if (flow.reach != 0) {
        want(slot, position, flow.now, flow.reach);
    } else if (cycle != 0) {
        want(slot, position, flow.now, flow.highest + 1);
    } else {
        want(slot, position, flow.now, std::max<int>(kStretchFirst, flow.highest + 1));
        flow.stretch = flow.now;
        flow.stretching = flow.now.until < trace.plan.hops_max;
        flow.stretch_at = now + kStretchAfter;
    }
    watch(slot, now);
}

void Core::want(std::uint32_t slot, std::size_t position, Asked& asked, int until)
{
    auto& trace = traces_[slot];
    auto* run = find_run(trace, asked.run);
    if (!run) return;
    while (asked.until < until && asked.until < trace.plan.hops_max) {
        ++asked.until;
        trace.wanted.push_back(
            {.run = asked.run, .cycle = asked.cycle, .flow = trace.flow_ids[position], .ttl = asked.until});
        ++run->open;
    }
    if (!trace.wanted.empty()) schedule_.enqueue(slot);
}

void Core::skip_missed(std::uint32_t slot, Moment now)
{
    auto& trace = traces_[slot];
    const auto late = now - due_at(trace, trace.next_turn);
    const auto missed = missed_runs(late, trace.plan.interval);
    const auto turns = turns_per_run(trace);
    for (std::uint64_t i = 0; i < missed.reported; ++i) {
        listener_.run_finished(slot, {.number = trace.next_turn / turns,
                                      .start = due_at(trace, trace.next_turn),
                                      .outcome = Outcome::NotMeasured,
                                      .reason = missed.reason(i)});
        trace.next_turn += turns;
    }
    trace.next_turn += (missed.runs - missed.reported) * turns;
}

std::size_t Core::position_of(const Trace& trace, std::uint16_t flow)
{
    return std::size_t(std::ranges::find(trace.flow_ids, flow) - trace.flow_ids.begin());
}

// Asks the next hops of a flow whose end is not known yet.
void Core::stretch(std::uint32_t slot, std::size_t position, Moment now)
{
    auto& trace = traces_[slot];
    auto& flow = trace.flows[position];
    want(slot, position, flow.stretch, flow.stretch.until + kStretch);
    flow.stretching = flow.stretch.until < trace.plan.hops_max && find_run(trace, flow.stretch.run) != nullptr;
    flow.stretch_at = now + kStretchAfter;
}

// See rule 2.
void Core::note_distance(std::uint32_t slot, const Probe& probe, const Reply& reply, Moment now)
{
    auto& trace = traces_[slot];
    const auto position = position_of(trace, probe.flow);
    if (position == trace.flows.size()) return;  // not traced any more
    auto& flow = trace.flows[position];
    if (ends_path(reply.answer)) {
        if (flow.reach != 0 && flow.reach <= probe.ttl) return;
        flow.reach = probe.ttl;
        flow.arrived = reply.answer == Answer::Arrived;
        flow.stretching = false;
        std::erase_if(trace.wanted, [&](const Wanted& wanted) {
            if (wanted.purpose != Purpose::Measure || wanted.flow != probe.flow || wanted.ttl <= flow.reach) return false;
            if (auto* run = find_run(trace, wanted.run)) --run->open;
            return true;
        });
        return;
    }
    flow.highest = std::max(flow.highest, probe.ttl);
    const bool longer = flow.reach != 0 && probe.ttl >= flow.reach;
    if (longer) flow.reach = 0;
    if (flow.reach != 0) return;
    if (flow.stretching && probe.ttl == flow.stretch.until) stretch(slot, position, now);
    else if (probe.ttl == flow.now.until) want(slot, position, flow.now, flow.now.until + kStretch);
}

}  // namespace nw::probe::path
