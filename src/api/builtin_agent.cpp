#include "api/builtin_agent.hpp"

#include "api/agent_view.hpp"
#include "api/feed.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"

#include "base/json_writer.hpp"

namespace nw::api {
namespace {

struct Placed {
    store::Agent agent{};
    bool fresh = false;
};

// The agent that the setting names, unless it was deleted.
Result<std::optional<store::Agent>> present_agent(store::MetadataTx& tx)
{
    NW_TRY(const auto setting, tx.setting(kBuiltinAgentSetting));
    const auto id = setting ? parse_id<AgentId>(*setting) : std::nullopt;
    if (!id) return std::nullopt;
    NW_TRY(auto agent, tx.agent_sessions().find(*id));
    if (!agent || agent->deleted_us) return std::nullopt;
    return agent;
}

// Asking again for what is there already changes nothing: a click that is repeated, a page that is loaded again.
Result<Placed> place(Services& services, const Call& call, store::MetadataTx& tx, const store::Agent& wanted)
{
    NW_TRY(auto present, present_agent(tx));
    if (present && present->workspace == call.workspace.id) return Placed{*std::move(present), false};
    if (present) return fail(Errc::Conflict, "the controller's own agent works for another workspace already");
    NW_CHECK(tx.agents(call.workspace.id).add(wanted));
    NW_CHECK(tx.set_setting(kBuiltinAgentSetting, to_text(wanted.id)));
    NW_CHECK(tx.audit().add(
        audit_entry(services, call, "agent.create", "agent", to_text(wanted.id), wanted.name, "{\"builtin\":[null,true]}")));
    NW_TRY(auto agent, tx.agents(call.workspace.id).get(wanted.id));
    return Placed{std::move(agent), true};
}

}  // namespace

Task<Reply> use_builtin_agent(Services& services, Call& call)
{
    Fields fields(call.body);
    const auto now = services.clock.wall();
    store::Agent wanted{.id = make_id<AgentId>(services.random, now),
                        .name = fields.text("name", 1, 100),
                        .site = fields.maybe_text("site", 0, 100).value_or(""),
                        .labels = fields.maybe_labels("labels").value_or(store::Labels{}),
                        .created_us = to_us(now)};
    NW_CO_CHECK(fields.done());
    if (!services.builtin_agent.available())
        co_return fail(Errc::Conflict, "this controller runs no agent of its own: it is turned off (builtin_agent), or the "
                                       "program netwatcher-agent is not beside it");
    auto placed = co_await services.metadata.write([&](store::MetadataTx& tx) { return place(services, call, tx, wanted); });
    NW_CO_TRY(const auto result, std::move(placed));
    if (result.fresh) {
        co_await services.agents.refreshed(result.agent.id);
        services.feed.agent_changed(call.workspace.id, result.agent.id);
        services.builtin_agent.changed();
    }
    JsonWriter json;
    write_agent(json, services, result.agent);
    auto response = json_response(std::move(json).str(), result.fresh ? 201 : 200);
    response.headers.emplace_back("ETag", etag_of(result.agent.revision));
    co_return response;
}

}  // namespace nw::api
