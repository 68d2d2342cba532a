// What agents were asked to do once and have not finished: sent to them after each greeting and when it is new, told to
// whoever listens as reports come in, and ended here when an agent does not begin or does not finish in time.
//
// The store has every action; this has the open ones, with what is known of them at the moment. Belongs to one loop.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/task_group.hpp"
#include "ingest/directory.hpp"
#include "store/metadata/metadata.hpp"

#include <functional>
#include <map>
#include <optional>

namespace nw::ingest {

class Sessions;

class Actions final : public ActionBoard {
public:
    Actions(Executor loop, store::Metadata& metadata, const Kinds& kinds, const Clock& clock, Log log);

    // Reads what is open; before serving.
    Task<Status> load();
    // Runs until the tasks are closed.
    void start(TaskGroup& tasks);
    // How an action reaches its agent; false when it is not connected.
    void on_send(std::function<bool(AgentId, const wire::Action&)> send) { send_ = std::move(send); }
    void on_changed(std::function<void(const store::Action&)> listener) { changed_ = std::move(listener); }

    // It is in the store.
    void opened(store::Action action);
    // NotFound when it is over.
    Status cancel(ActionId id);
    // While it is open, or what became of it is not yet in the store.
    std::optional<store::Action> find(ActionId id) const;
    // All of which that holds; of one that is there twice the newest state comes first.
    std::vector<store::Action> known(WorkspaceId workspace) const;
    std::size_t open_of(AgentId agent) const;

    std::vector<wire::Action> open_for(AgentId agent, bool takes_actions) override;
    void on_report(AgentId agent, const wire::ActionReport& report) override;

private:
    Task<void> watch();
    Task<void> write_loop();
    void end_overdue();
    void end(store::Action& action, ActionState state, std::string reason);
    std::optional<wire::Action> as_sent(const store::Action& action) const;
    void record(const store::Action& action);

    Executor loop_;
    store::Metadata& metadata_;
    const Kinds& kinds_;
    const Clock& clock_;
    Log log_;
    std::function<bool(AgentId, const wire::Action&)> send_{};
    std::function<void(const store::Action&)> changed_{};
    std::map<ActionId, store::Action> open_{};
    std::vector<store::Action> unwritten_{};
    std::vector<store::Action> being_written_{};
    Timer wake_;
    Timer writes_waiting_;
};

}  // namespace nw::ingest
