// Joins the API to the agents' sessions: neither module knows the other.
#pragma once

#include "api/feed.hpp"
#include "api/services.hpp"
#include "atlas/atlas.hpp"
#include "base/task_group.hpp"
#include "ingest/actions.hpp"
#include "ingest/registry.hpp"
#include "ingest/sessions.hpp"

namespace nw::controller {

class SessionsLink final : public api::AgentLink {
public:
    SessionsLink(ingest::Registry& registry, TaskGroup& tasks, Log log)
        : registry_(registry), tasks_(tasks), log_(std::move(log))
    {}
    // The sessions need the registry before the link exists.
    void attach(ingest::Sessions& sessions) { sessions_ = &sessions; }

    api::AgentState state(AgentId agent) const override;
    std::optional<WorkspaceId> workspace_of(AgentId agent) const override { return registry_.workspace_of(agent); }
    void refresh(AgentId agent) override;
    Task<void> refreshed(AgentId agent) override;
    void revoke(AgentId agent) override;

private:
    ingest::Registry& registry_;
    TaskGroup& tasks_;
    Log log_;
    ingest::Sessions* sessions_ = nullptr;
};

// What agents are asked to do once.
class ActionsLink final : public api::ActionDesk {
public:
    explicit ActionsLink(ingest::Actions& actions) : actions_(actions) {}

    void opened(const store::Action& action) override { actions_.opened(action); }
    Status cancel(ActionId id) override { return actions_.cancel(id); }
    std::optional<store::Action> find(ActionId id) const override { return actions_.find(id); }
    std::vector<store::Action> known(WorkspaceId workspace) const override { return actions_.known(workspace); }
    std::size_t open_of(AgentId agent) const override { return actions_.open_of(agent); }

private:
    ingest::Actions& actions_;
};

// New samples go to the live feed.
class FeedSubscriber final : public ingest::Subscriber {
public:
    explicit FeedSubscriber(api::Feed& feed) : feed_(feed) {}
    void on_rows(AgentId agent, std::span<const Rows> rows, WallTime) override { feed_.rows(agent, rows); }

private:
    api::Feed& feed_;
};

// And into the map and its route changes.
class AtlasSubscriber final : public ingest::Subscriber {
public:
    explicit AtlasSubscriber(atlas::Atlas& atlas) : atlas_(atlas) {}
    void on_rows(AgentId, std::span<const Rows> rows, WallTime) override { atlas_.take(rows); }

private:
    atlas::Atlas& atlas_;
};

}  // namespace nw::controller
