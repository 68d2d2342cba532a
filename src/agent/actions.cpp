#include "agent/actions.hpp"

#include <algorithm>
#include <utility>

namespace nw::agent {

Actions::Actions(ActionRunner& runner, const Clock& clock, Log log, std::function<void(const wire::ActionReport&)> tell)
    : runner_(runner), clock_(clock), log_(std::move(log)), tell_(std::move(tell))
{}

void Actions::on_action(wire::Action action)
{
    forget_old();
    const auto found = entries_.find(action.id);
    if (found == entries_.end() && !action.cancel) return begin(std::move(action));
    if (found == entries_.end()) return tell_({.id = action.id, .state = ActionState::Cancelled});
    auto& entry = found->second;
    if (action.cancel && entry.report.state == ActionState::Running) {
        runner_.stop(probe_of(action.id));
        return finish(entry, ActionState::Cancelled, "");
    }
    tell_(entry.report);
}

void Actions::begin(wire::Action action)
{
    auto& entry = entries_[action.id];
    entry = {.report = {.id = action.id}, .since = clock_.instant()};
    ++running_;
    if (action.kind && action.expires_in_ms == 0)
        return finish(entry, ActionState::Failed, "the agent was restarted while it was doing it");
    if (!action.kind) return finish(entry, ActionState::Failed, std::move(action.problem));
    if (running_ > kActionsAtOnceMax) return finish(entry, ActionState::Failed, "the agent is busy with eight others");
    log_.info("{}: {} once", to_text(action.id), action.kind->name);
    tell_(entry.report);
    runner_.measure({.id = probe_of(action.id), .kind = action.kind, .settings = std::move(action.settings)});
}

void Actions::progressed(ProbeId id, const probe::Progress& progress)
{
    const auto found = entries_.find(ActionId(id));
    if (found == entries_.end() || found->second.report.state != ActionState::Running) return;
    auto& [report, since] = found->second;
    report.steps = progress.steps;
    report.steps_done = std::min(progress.steps_done, progress.steps);
    report.reason = progress.sample.reason;
    auto rows = make_rows(*progress.sample.kind);
    append(rows, 0, progress.sample);
    report.result = wire::encode_rows(rows);
    if (progress.done) finish(found->second, ActionState::Done, report.reason);
    else tell_(report);
}

void Actions::failed(ProbeId id, std::string failure)
{
    const auto found = entries_.find(ActionId(id));
    if (found == entries_.end() || found->second.report.state != ActionState::Running) return;
    finish(found->second, ActionState::Failed, std::move(failure));
}

void Actions::cancel_all(std::string why)
{
    for (auto& [id, entry] : entries_)
        if (entry.report.state == ActionState::Running) finish(entry, ActionState::Cancelled, why);
}

void Actions::finish(Entry& entry, ActionState state, std::string reason)
{
    --running_;
    reason.resize(std::min(reason.size(), wire::kReasonBytesMax));
    entry.report.state = state;
    entry.report.reason = std::move(reason);
    entry.since = clock_.instant();
    log_.info("{}: {}{}{}", to_text(entry.report.id), name_of(state), entry.report.reason.empty() ? "" : ", ",
              entry.report.reason);
    tell_(entry.report);
}

// The controller asks for nothing that ended so long ago; the oldest go first when there are too many.
void Actions::forget_old()
{
    const auto is_over = [](const auto& each) { return each.second.report.state != ActionState::Running; };
    const auto now = clock_.instant();
    std::erase_if(entries_, [&](const auto& each) { return is_over(each) && now - each.second.since > kActionsKept; });
    while (entries_.size() >= kActionsKeptMax) {
        const auto oldest = std::ranges::find_if(entries_, is_over);
        if (oldest == entries_.end()) return;
        entries_.erase(oldest);
    }
}

}  // namespace nw::agent
