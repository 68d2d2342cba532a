#include "base/assert.hpp"
#include "probe/path/core.hpp"

#include <algorithm>
#include <utility>

// When branches and the path MTU are looked for, and what follows from them.
namespace nw::probe::path {
namespace {

constexpr std::uint8_t kStrikes = 2;
constexpr Nanos kPatienceMin = std::chrono::minutes(1);

std::size_t digest_of(const Exploration& found)
{
    std::size_t digest = 0;
    const auto mix = [&](std::size_t value) { digest = (digest ^ value) * 0x9e3779b97f4a7c15ULL; };
    for (const auto& link : found.links) {
        for (const auto& node : {link.from, link.to}) {
            mix(node.ttl);
            if (node.address)
                for (const auto byte : node.address->view()) mix(std::uint8_t(byte));
        }
    }
    return digest;
}

}  // namespace

bool Core::wants_branches(const Trace& trace, Moment now) const
{
    if (!trace.plan.explore) return false;
    if (trace.branches.explorer || trace.state == State::Exploring) return true;
    return trace.state == State::Active && now >= trace.branches.due && !trace.branches.found && exploring_ < kExploringMax
           && now >= trace.first_start;
}

void Core::explore(std::uint32_t slot, Moment now)
{
    auto& trace = traces_[slot];
    auto& branches = trace.branches;
    if (!branches.explorer) {
        branches.explorer = std::make_unique<Explorer>(
            ExplorerSettings{.hops_max = trace.plan.hops_max,
                             .preferred = branches.digest == 0 ? std::vector<std::uint16_t>{} : trace.flow_ids,
                             .before = branches.before});
        branches.begun = false;
        ++exploring_;
        set_discovering(trace);
    }
    for (const auto& probe : branches.explorer->next())
        trace.wanted.push_back({.flow = probe.flow, .ttl = probe.ttl, .purpose = Purpose::Explore});
    if (branches.explorer->done()) return finish_exploring(slot, branches.explorer->result(), now);
    if (!trace.wanted.empty()) schedule_.enqueue(slot);
}

void Core::stop_exploring(Trace& trace)
{
    if (!trace.branches.explorer) return;
    trace.branches.explorer.reset();
    std::erase_if(trace.wanted, [](const Wanted& wanted) { return wanted.purpose == Purpose::Explore; });
    NW_ASSERT(exploring_ > 0);
    --exploring_;
    set_discovering(trace);
}

void Core::finish_exploring(std::uint32_t slot, Exploration found, Moment now)
{
    auto& trace = traces_[slot];
    auto& branches = trace.branches;
    stop_exploring(trace);
    const auto digest = digest_of(found);
    const bool first = branches.digest == 0;
    branches.patience = digest != branches.digest ? Nanos(0) : std::max(kPatienceMin, branches.patience * 2);
    branches.patience = std::min(branches.patience, trace.plan.explore_every);
    branches.digest = digest;
    branches.not_before = now + branches.patience;
    branches.due = now + (first ? trace.plan.explore_every : std::max(kPatienceMin, branches.patience));
    branches.before = branchings(found);
    branches.found = std::move(found);
    if (trace.state == State::Exploring) {
        // The first run follows at once, and the second one not before it has ended.
        trace.state = State::Active;
        trace.first_start = now;
        const auto end = now + trace.plan.first_spacing * std::int64_t(trace.plan.cycles);
        if (trace.plan.follow_on) trace.next_start = now + trace.plan.interval;
        while (trace.next_start < end) trace.next_start += trace.plan.interval;
        adopt_branches(slot);
    }
    plan_next(slot, now);
}

// Between two runs. Flows that go on being traced keep what is known of them.
void Core::adopt_branches(std::uint32_t slot)
{
    auto& trace = traces_[slot];
    if (!trace.branches.found) return;
    const auto found = *std::exchange(trace.branches.found, std::nullopt);
    const auto run = trace.next_turn / turns_per_run(trace);
    std::vector<Flow> flows(found.flows.size());
    for (std::size_t i = 0; i < flows.size(); ++i)
        if (const auto before = position_of(trace, found.flows[i]); before < trace.flows.size())
            flows[i] = std::move(trace.flows[before]);
    trace.flow_ids = found.flows;
    trace.flows = std::move(flows);
    trace.next_turn = run * turns_per_run(trace);
    listener_.explored(slot, found);
}

// Of a trace that has ended but for this, once.
bool Core::wants_mtu(const Trace& trace, Moment now)
{
    if (trace.mtu.search) return true;
    if (trace.plan.mtu_every == Nanos(0) || now < trace.mtu.due || trace.flows.empty()) return false;
    const bool awaited = trace.state == State::Draining && trace.plan.mtu_awaited && !trace.mtu.searched;
    return (trace.state == State::Active || awaited) && trace.flows.front().reach != 0 && trace.flows.front().arrived;
}

void Core::search_mtu(std::uint32_t slot, Moment now)
{
    auto& trace = traces_[slot];
    auto& mtu = trace.mtu;
    if (!mtu.search) {
        const auto& flow = trace.flows.front();
        MtuSettings settings{.end = flow.reach, .size_max = mtu.link};
        for (std::uint8_t ttl = 1; ttl < flow.reach && ttl <= flow.way.size(); ++ttl)
            if (flow.way[ttl - 1U].known) settings.answering.push_back(ttl);
        mtu.search = std::make_unique<MtuSearch>(std::move(settings));
        mtu.begun = false;
    }
    if (const auto probe = mtu.search->next()) {
        trace.wanted.push_back(
            {.flow = trace.flow_ids.front(), .ttl = probe->ttl, .purpose = Purpose::Mtu, .size = probe->size});
        schedule_.enqueue(slot);
    }
    if (!mtu.search->done()) return;
    const auto found = mtu.search->found();
    stop_mtu_search(trace);
    mtu.due = now + trace.plan.mtu_every;
    mtu.searched = true;
    listener_.mtu_searched(slot, found);
}

void Core::stop_mtu_search(Trace& trace)
{
    trace.mtu.search.reset();
    std::erase_if(trace.wanted, [](const Wanted& wanted) { return wanted.purpose == Purpose::Mtu; });
}

void Core::tell_searches(Trace& trace, const Probe& probe, ProbeState state, const Settled& how)
{
    if (auto* explorer = probe.purpose == Purpose::Explore ? trace.branches.explorer.get() : nullptr) {
        const Explorer::Probe asked{probe.flow, probe.ttl};
        if (state == ProbeState::Answered) explorer->answered(asked, how.reply->responder, ends_path(how.reply->answer));
        else explorer->unanswered(asked);
    }
    if (auto* search = probe.purpose == Purpose::Mtu ? trace.mtu.search.get() : nullptr) {
        if (state == ProbeState::Answered) search->answered(*how.reply);
        else if (state == ProbeState::Unsent && how.outcome == Outcome::Unreachable) search->refused_here();
        else search->unanswered();
    }
}

// See rule 5.
void Core::note_responder(std::uint32_t slot, const Probe& probe, const Reply& reply, Moment now)
{
    auto& trace = traces_[slot];
    const auto position = position_of(trace, probe.flow);
    if (position == trace.flows.size()) return;
    auto& way = trace.flows[position].way;
    if (way.size() < probe.ttl) way.resize(probe.ttl);
    auto& responder = way[probe.ttl - 1U];
    if (!std::exchange(responder.known, true)) responder.usual = reply.responder;
    if (responder.usual == reply.responder) {
        responder.strikes = 0;
        return;
    }
    responder.strikes = responder.other == reply.responder ? std::uint8_t(responder.strikes + 1) : std::uint8_t{1};
    responder.other = reply.responder;
    if (responder.strikes < kStrikes) return;
    responder = {.usual = reply.responder, .known = true};
    if (position == 0) trace.mtu.due = std::min(trace.mtu.due, std::max(now, trace.branches.not_before));
    if (!trace.plan.explore) return;
    trace.branches.due = std::min(trace.branches.due, std::max(now, trace.branches.not_before));
    schedule_.enqueue(slot);
}

}  // namespace nw::probe::path
