#include "ingest/actions.hpp"

#include "store/metadata/settings_json.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

namespace nw::ingest {

Actions::Actions(Executor loop, store::Metadata& metadata, const Kinds& kinds, const Clock& clock, Log log)
    : loop_(loop), metadata_(metadata), kinds_(kinds), clock_(clock), log_(std::move(log)), wake_(loop),
      writes_waiting_(loop)
{}

Task<Status> Actions::load()
{
    NW_CO_TRY(auto open, co_await metadata_.read([](store::MetadataTx& tx) { return tx.agent_sessions().open_actions(); }));
    for (auto& action : open) open_.emplace(action.id, std::move(action));
    co_return Status{};
}

void Actions::start(TaskGroup& tasks)
{
    tasks.spawn("action watch", watch());
    tasks.spawn("action writer", write_loop());
}

void Actions::opened(store::Action action)
{
    auto& kept = open_.insert_or_assign(action.id, std::move(action)).first->second;
    wake_.cancel();
    if (const auto sent = as_sent(kept)) (void)send_(kept.agent, *sent);  // or after the agent's next greeting
}

Status Actions::cancel(ActionId id)
{
    const auto found = open_.find(id);
    if (found == open_.end()) return fail(Errc::NotFound, "it is over");
    (void)send_(found->second.agent, {.id = id, .cancel = true});
    end(found->second, ActionState::Cancelled, "");
    return {};
}

std::optional<store::Action> Actions::find(ActionId id) const
{
    if (const auto found = open_.find(id); found != open_.end()) return found->second;
    for (const auto* some : {&unwritten_, &being_written_})
        if (const auto found = std::ranges::find(*some, id, &store::Action::id); found != some->end()) return *found;
    return std::nullopt;
}

std::vector<store::Action> Actions::known(WorkspaceId workspace) const
{
    std::vector<store::Action> found;
    const auto of_workspace = [&](const store::Action& action) { return action.workspace == workspace; };
    std::ranges::copy_if(open_ | std::views::values, std::back_inserter(found), of_workspace);
    for (const auto* some : {&unwritten_, &being_written_})
        std::ranges::copy_if(*some, std::back_inserter(found), of_workspace);
    return found;
}

std::size_t Actions::open_of(AgentId agent) const
{
    return std::size_t(std::ranges::count_if(open_, [&](const auto& each) { return each.second.agent == agent; }));
}

std::vector<wire::Action> Actions::open_for(AgentId agent, bool takes_actions)
{
    std::vector<wire::Action> sent;
    std::vector<ActionId> mine;
    for (const auto& [id, action] : open_)
        if (action.agent == agent) mine.push_back(id);
    for (const auto id : mine) {
        auto& action = open_.at(id);
        if (!takes_actions) end(action, ActionState::Failed, "the agent's version does nothing on demand");
        else if (auto one = as_sent(action)) sent.push_back(*std::move(one));
    }
    return sent;
}

// Nothing when it is too late to begin. One that runs must not begin again: it has no time to.
std::optional<wire::Action> Actions::as_sent(const store::Action& action) const
{
    const auto left_us = action.expires_us - to_us(clock_.wall());
    if (left_us <= 0 && action.state == ActionState::Waiting) return std::nullopt;
    const auto* kind = kinds_.by_name(action.kind);
    auto settings = store::settings_from_text(action.settings);
    if (!kind || !settings) return std::nullopt;
    return wire::Action{.id = action.id,
                        .expires_in_ms = action.state == ActionState::Waiting ? std::uint32_t(left_us / 1000) + 1 : 0,
                        .kind = kind,
                        .settings = *std::move(settings)};
}

void Actions::on_report(AgentId agent, const wire::ActionReport& report)
{
    const auto found = open_.find(report.id);
    if (found == open_.end() || found->second.agent != agent) {
        // Ended here meanwhile: it need not go on.
        if (report.state == ActionState::Running) (void)send_(agent, {.id = report.id, .cancel = true});
        return;
    }
    auto& action = found->second;
    // What does not decode, or is no result of this action, is no result.
    const auto rows =
        report.result.empty() ? Result<Rows>(fail(Errc::NotFound, "none")) : wire::decode_rows(report.result, kinds_);
    if (rows && rows->size() == 1 && rows->kind->name == action.kind) action.result = report.result;
    action.steps_done = report.steps_done;
    action.steps = report.steps;
    if (is_over(report.state)) return end(action, report.state, report.reason);
    const bool began = action.state == ActionState::Waiting;
    action.state = ActionState::Running;
    if (began) {
        action.started_us = to_us(clock_.wall());
        record(action);
        wake_.cancel();
    }
    changed_(action);
}

void Actions::end(store::Action& action, ActionState state, std::string reason)
{
    action.state = state;
    action.reason = std::move(reason);
    action.ended_us = to_us(clock_.wall());
    record(action);
    const auto ended = std::move(open_.extract(action.id).mapped());
    changed_(ended);
}

void Actions::record(const store::Action& action)
{
    std::erase_if(unwritten_, [&](const auto& older) { return older.id == action.id; });
    unwritten_.push_back(action);
    writes_waiting_.cancel();
}

Task<void> Actions::write_loop()
{
    for (;;) {
        if (unwritten_.empty()) {
            writes_waiting_.expires_at(Timer::time_point::max());
            (void)co_await writes_waiting_.async_wait(nothrow);
            continue;
        }
        being_written_ = std::exchange(unwritten_, {});
        const auto written = co_await metadata_.write([&](store::MetadataTx& tx) -> Status {
            for (const auto& action : being_written_) NW_CHECK(tx.agent_sessions().record_action(action));
            return {};
        });
        being_written_.clear();
        if (!written) log_.error("what became of actions cannot be stored: {}", written.error().what);
    }
}

// Sleeps until the next deadline of anything open.
Task<void> Actions::watch()
{
    for (;;) {
        end_overdue();
        auto next = INT64_MAX;
        for (const auto& [id, action] : open_)
            next = std::min(next, action.state == ActionState::Waiting ? action.expires_us : action.give_up_us);
        if (next == INT64_MAX) wake_.expires_at(Timer::time_point::max());
        else wake_.expires_after(std::chrono::microseconds(std::max<std::int64_t>(next - to_us(clock_.wall()), 0) + 1000));
        (void)co_await wake_.async_wait(nothrow);
    }
}

void Actions::end_overdue()
{
    const auto now = to_us(clock_.wall());
    std::vector<ActionId> overdue;
    for (const auto& [id, action] : open_)
        if ((action.state == ActionState::Waiting ? action.expires_us : action.give_up_us) <= now) overdue.push_back(id);
    for (const auto id : overdue) {
        auto& action = open_.at(id);
        const bool began = action.state == ActionState::Running;
        (void)send_(action.agent, {.id = id, .cancel = true});
        if (began) end(action, ActionState::Failed, "the agent did not finish in time");
        else end(action, ActionState::Expired, "the agent did not begin in time");
    }
}

}  // namespace nw::ingest
