#include "api/agent_view.hpp"
#include "api/builtin_agent.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"
#include "api/probe_view.hpp"
#include "api/workspace_retention.hpp"
#include "api/workspace_settings.hpp"

#include "base/json_writer.hpp"

namespace nw::api {
namespace {

std::string workspace_json(const Services& services, const store::Workspace& workspace)
{
    auto settings = settings_of(workspace);
    settings.retention = effective(settings, in_days(services.instance.retention));
    JsonWriter json;
    json.object()
        .field("id", to_text(workspace.id))
        .field("slug", workspace.slug)
        .field("name", workspace.name)
        .key("settings");
    write_settings(json, settings);
    json.field("created_us", workspace.created_us).end_object();
    return std::move(json).str();
}

net::Response workspace_response(const Services& services, const store::Workspace& workspace, int status = 200)
{
    auto response = json_response(workspace_json(services, workspace), status);
    response.headers.emplace_back("ETag", etag_of(workspace.revision));
    return response;
}

}  // namespace

Task<Reply> list_workspaces(Services& services, Call& call)
{
    JsonWriter json;
    json.object().key("items").array();
    for (const auto& membership : call.who->memberships) {
        const auto& workspace = membership.workspace;
        NW_CO_TRY(const auto grades, co_await count_grades(services, workspace));
        json.object()
            .field("id", to_text(workspace.id))
            .field("slug", workspace.slug)
            .field("name", workspace.name)
            .field("role", store::name_of(membership.role))
            .key("agents");
        NW_CO_CHECK(co_await write_agent_counts(json, services, workspace.id));
        json.key("grades");
        write_grade_counts(json, grades);
        json.end_object();
    }
    json.end_array().end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> create_workspace(Services& services, Call& call)
{
    Fields fields(call.body);
    const auto name = fields.text("name", 1, 100);
    NW_CO_CHECK(fields.done());
    const auto now = services.clock.wall();
    auto made = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Workspace> {
        NW_TRY(auto slug, free_slug(tx, name));
        NW_TRY(auto workspace, tx.workspaces().add({.id = make_id<WorkspaceId>(services.random, now),
                                                    .slug = std::move(slug),
                                                    .name = name,
                                                    .created_us = to_us(now)}));
        NW_CHECK(tx.members(workspace.id).put(call.who->user.id, store::Role::Owner, now));
        auto entry = audit_entry(services, call, "workspace.create", "workspace", to_text(workspace.id), workspace.name);
        entry.workspace = workspace.id;
        NW_CHECK(tx.audit().add(entry));
        return workspace;
    });
    NW_CO_TRY(const auto workspace, std::move(made));
    services.identity.forget(call.who->user.id);
    co_return workspace_response(services, workspace, 201);
}

Task<Reply> get_workspace(Services& services, Call& call)
{
    NW_CO_TRY(const auto workspace, co_await services.metadata.read(
                                        [&](store::MetadataTx& tx) { return tx.workspaces().get(call.workspace.id); }));
    co_return workspace_response(services, workspace);
}

Task<Reply> update_workspace(Services& services, Call& call)
{
    Fields fields(call.body);
    const auto name = fields.maybe_text("name", 1, 100);
    NW_CO_TRY(auto workspace, co_await services.metadata.read(
                                  [&](store::MetadataTx& tx) { return tx.workspaces().get(call.workspace.id); }));
    const auto before = workspace_json(services, workspace);
    auto settings = settings_of(workspace);
    if (fields.has("settings")) {
        auto merged = merged_settings(settings, fields.raw("settings"), in_days(services.instance.retention));
        if (merged) settings = *std::move(merged);
        else fields.add_problems(merged.error().fields);
    }
    NW_CO_CHECK(fields.done());
    NW_CO_TRY(const auto revision, revision_to_change(call, workspace.revision));
    if (name) workspace.name = *name;
    JsonWriter stored;
    write_settings(stored, settings);
    workspace.settings = std::move(stored).str();
    auto changed = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Workspace> {
        NW_TRY(auto done, tx.workspaces().update(workspace, revision));
        JsonWriter detail;
        detail.object().key("workspace").array().raw(before).raw(workspace_json(services, done)).end_array().end_object();
        NW_CHECK(tx.audit().add(audit_entry(services, call, "workspace.update", "workspace", to_text(done.id), done.name,
                                            std::move(detail).str())));
        return done;
    });
    NW_CO_TRY(const auto fresh, std::move(changed));
    services.identity.forget_all();
    // The change is made; should the store not take it now, it will with the next round.
    if (auto applied = co_await apply_retention(services); !applied)
        services.log.error("retention of {} is not applied yet: {}", fresh.name, applied.error().what);
    co_return workspace_response(services, fresh);
}

Task<Reply> delete_workspace(Services& services, Call& call)
{
    NW_CO_TRY(const auto agents,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.agents(call.workspace.id).all(); }));
    NW_CO_CHECK(co_await services.metadata.write([&](store::MetadataTx& tx) -> Status {
        for (const auto& agent : agents) NW_CHECK(tx.agents(call.workspace.id).remove(agent.id, services.clock.wall()));
        NW_CHECK(tx.audit().add(
            audit_entry(services, call, "workspace.delete", "workspace", to_text(call.workspace.id), call.workspace.name)));
        return tx.workspaces().remove(call.workspace.id, services.clock.wall());
    }));
    for (const auto& agent : agents) {
        services.agents.refresh(agent.id);
        services.agents.revoke(agent.id);
    }
    services.builtin_agent.changed();
    services.identity.forget_all();
    co_return no_content();
}

}  // namespace nw::api
