#include "api/feed.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"
#include "api/interface_check.hpp"
#include "api/probe_view.hpp"

#include "base/json_writer.hpp"
#include "model/id_batch.hpp"
#include "model/probe_spec.hpp"
#include "store/metadata/settings_json.hpp"

#include <algorithm>

namespace nw::api {
namespace {

constexpr std::size_t kAgentsPerCreateMax = 1000;

net::Response probe_response(const ProbeView& view, int status = 200)
{
    JsonWriter json;
    write_probe(json, view);
    auto response = json_response(std::move(json).str(), status);
    response.headers.emplace_back("ETag", etag_of(view.probe.revision));
    return response;
}

Task<Reply> reply_probe(Services& services, const Call& call, store::Probe probe)
{
    NW_CO_TRY(const auto view, co_await view_of(services, call.workspace, std::move(probe)));
    co_return probe_response(view);
}

// Secrets that the form left empty keep their stored value; everything is then checked against the declaration.
Result<Settings> checked_settings(const Kind& kind, const net::Json& given, const Settings& present)
{
    NW_TRY(const auto changes, store::settings_from(given));
    auto settings = present;
    for (const auto& [name, value] : changes) {
        const auto* setting = kind.setting(name);
        const auto* text = std::get_if<std::string>(&value);
        if (setting && setting->secret && text && text->empty()) continue;
        settings.insert_or_assign(name, value);
    }
    return validated(kind, settings);
}

// The settings' target, as the row that the probe refers to.
Result<std::optional<TargetId>> target_of(Services& services, store::MetadataTx& tx, WorkspaceId workspace, const Kind& kind,
                                          const Settings& settings)
{
    const auto* declared = [&]() -> const Setting* {
        const auto found = std::ranges::find(kind.settings, SettingType::Target, &Setting::type);
        return found == kind.settings.end() ? nullptr : &*found;
    }();
    if (!declared) return std::nullopt;
    const auto& address = std::get<std::string>(settings.at(std::string(declared->name)));
    if (address.empty()) return std::nullopt;
    NW_TRY(const auto id, tx.probes(workspace).target_of(address, services.random, services.clock.wall()));
    return id;
}

std::vector<AgentId> read_agents(Fields& fields, const net::Json& body)
{
    std::vector<AgentId> agents;
    const bool one = fields.has("agent_id");
    const bool many = fields.has("agent_ids");
    if (one == many) {
        fields.refuse("agent_id", "give exactly one of agent_id and agent_ids");
        return agents;
    }
    const auto add = [&](const net::Json& value, std::string_view field) {
        const auto id = value.text() ? parse_id<AgentId>(*value.text()) : std::nullopt;
        if (!id) fields.refuse(field, "is no agent of this workspace");
        else if (std::ranges::find(agents, *id) == agents.end()) agents.push_back(*id);
    };
    if (one) add(body.at("agent_id"), "agent_id");
    else if (const auto* list = body.at("agent_ids").array(); !list || list->empty() || list->size() > kAgentsPerCreateMax)
        fields.refuse("agent_ids", "must be a list of 1 to 1000 agents");
    else
        for (const auto& item : *list) add(item, "agent_ids");
    return agents;
}

void write_settings_detail(JsonWriter& json, const Kind& kind, const Settings& before, const Settings& after)
{
    for (const auto& [name, value] : after) {
        const auto old = before.find(name);
        if (old != before.end() && old->second == value) continue;
        const auto* setting = kind.setting(name);
        json.key("settings." + name).array();
        for (const auto* side : {old == before.end() ? nullptr : &old->second, &value}) {
            if (!side) json.null();
            else if (setting && setting->secret) json.text("(secret)");
            else if (const auto* number = std::get_if<std::int64_t>(side)) json.number(*number);
            else json.text(std::get<std::string>(*side));
        }
        json.end_array();
    }
}

std::string settings_detail(const Kind& kind, const Settings& settings)
{
    JsonWriter json;
    json.object();
    write_settings_detail(json, kind, {}, settings);
    json.end_object();
    return std::move(json).str();
}

struct NewProbe {
    const Kind* kind = nullptr;
    std::string name{};
    bool enabled = true;
    Settings settings{};
    std::vector<AgentId> agents{};
};

Result<NewProbe> read_new_probe(Services& services, const Call& call)
{
    Fields fields(call.body);
    NewProbe probe{.name = fields.maybe_text("name", 0, 100).value_or(""),
                   .enabled = fields.maybe_boolean("enabled").value_or(true)};
    probe.agents = read_agents(fields, call.body);
    const auto kind = fields.text("kind", 1, 32);
    probe.kind = services.kinds.by_name(kind);
    if (!kind.empty() && !probe.kind) fields.refuse("kind", "is no probe kind of this controller");
    if (!fields.has("settings")) fields.refuse("settings", "is required");
    else if (probe.kind) {
        auto settings = checked_settings(*probe.kind, fields.raw("settings"), {});
        if (settings) probe.settings = *std::move(settings);
        else fields.add_problems(settings.error().fields);
    }
    NW_CHECK(fields.done());
    return probe;
}

// As lists show it: "<agent> → <target>" when it has no name of its own.
std::string name_for_audit(const store::Probe& probe)
{
    if (!probe.name.empty()) return probe.name;
    const auto settings = store::settings_from_text(probe.settings);
    const auto target = settings ? settings->find("target") : Settings::const_iterator{};
    const bool has_target = settings && target != settings->end();
    return probe.agent_name + " → " + (has_target ? std::get<std::string>(target->second) : probe.kind);
}

Result<std::vector<store::Probe>> add_probes(Services& services, const Call& call, store::MetadataTx& tx,
                                             const NewProbe& probe)
{
    const auto now = services.clock.wall();
    NW_TRY(const auto target, target_of(services, tx, call.workspace.id, *probe.kind, probe.settings));
    const auto ids = make_ids<ProbeId>(services.random, now, probe.agents.size());
    std::vector<store::Probe> added;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto bound = check_interface(tx, call.workspace.id, probe.agents[i], *probe.kind, probe.settings);
        if (!bound && bound.error().code != Errc::NotFound) return std::unexpected(bound.error());
        auto one = tx.probes(call.workspace.id)
                       .add({.id = ids[i],
                             .agent = probe.agents[i],
                             .target = target,
                             .kind = std::string(probe.kind->name),
                             .name = probe.name,
                             .enabled = probe.enabled,
                             .settings = store::to_json(*probe.kind, probe.settings, true),
                             .created_us = to_us(now)});
        if (!one && one.error().code == Errc::NotFound)
            return fail_field(call.body.object()->contains("agent_ids") ? "agent_ids" : "agent_id",
                              "is no agent of this workspace");
        if (!one) return std::unexpected(std::move(one).error());
        NW_CHECK(tx.audit().add(audit_entry(services, call, "probe.create", "probe", to_text(one->id), name_for_audit(*one),
                                            settings_detail(*probe.kind, probe.settings))));
        added.push_back(*std::move(one));
    }
    return added;
}

}  // namespace

Task<Reply> list_probes(Services& services, Call& call)
{
    NW_CO_TRY(const auto page, page_of(call));
    auto& query = call.request.query;
    store::ProbeFilter filter{.text = query["q"], .kind = query["kind"]};
    if (query.contains("agent")) filter.agent = parse_id<AgentId>(query["agent"]).value_or(AgentId{});
    if (query.contains("target")) filter.target = parse_id<TargetId>(query["target"]).value_or(TargetId{});
    if (query.contains("enabled")) {
        if (query["enabled"] != "true" && query["enabled"] != "false")
            co_return fail_field("enabled", "must be true or false");
        filter.enabled = query["enabled"] == "true";
    }
    NW_CO_TRY(auto found, co_await services.metadata.read(
                              [&](store::MetadataTx& tx) { return tx.probes(call.workspace.id).list(filter, page); }));
    NW_CO_TRY(const auto views, co_await views_of(services, call.workspace, std::move(found.items)));
    JsonWriter json;
    json.object().key("items").array();
    for (const auto& view : views) write_probe(json, view);
    json.end_array().key("next_cursor");
    if (found.next.empty()) json.null();
    else json.text(found.next);
    json.key("counts");
    if (page.cursor.empty()) {
        NW_CO_TRY(const auto counts, co_await count_grades(services, call.workspace));
        write_grade_counts(json, counts);
    } else {
        json.null();
    }
    json.end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> create_probes(Services& services, Call& call)
{
    NW_CO_TRY(const auto probe, read_new_probe(services, call));
    auto made =
        co_await services.metadata.write([&](store::MetadataTx& tx) { return add_probes(services, call, tx, probe); });
    NW_CO_TRY(auto added, std::move(made));
    for (const auto& one : added) {
        services.agents.refresh(one.agent);
        services.feed.probe_changed(call.workspace.id, one.id);
    }
    NW_CO_TRY(const auto views, co_await views_of(services, call.workspace, std::move(added)));
    JsonWriter json;
    json.object().key("items").array();
    for (const auto& view : views) write_probe(json, view);
    json.end_array().end_object();
    co_return json_response(std::move(json).str(), 201);
}

Task<Reply> get_probe(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<ProbeId>(call, "probe"));
    NW_CO_TRY(auto probe,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.probes(call.workspace.id).get(id); }));
    co_return co_await reply_probe(services, call, std::move(probe));
}

namespace {

struct ProbeEdit {
    std::optional<std::string> name{};
    std::optional<bool> enabled{};
    const net::Json* settings = nullptr;
};

std::string edit_detail(const Kind& kind, const store::Probe& old, const store::Probe& fresh, const Settings& before,
                        const Settings& after)
{
    JsonWriter json;
    json.object();
    if (old.name != fresh.name) json.key("name").array().text(old.name).text(fresh.name).end_array();
    if (old.enabled != fresh.enabled) json.key("enabled").array().boolean(old.enabled).boolean(fresh.enabled).end_array();
    write_settings_detail(json, kind, before, after);
    json.end_object();
    return std::move(json).str();
}

Result<store::Probe> apply_edit(Services& services, const Call& call, store::MetadataTx& tx, ProbeId id, Fields& fields,
                                const ProbeEdit& edit)
{
    NW_TRY(auto probe, tx.probes(call.workspace.id).get(id));
    const auto* kind = services.kinds.by_name(probe.kind);
    if (!kind) return fail(Errc::Conflict, "this controller does not know the probe's kind " + probe.kind);
    NW_TRY(const auto before, store::settings_from_text(probe.settings));
    auto after = before;
    if (edit.settings) {
        auto settings = checked_settings(*kind, *edit.settings, before);
        if (settings) after = *std::move(settings);
        else fields.add_problems(settings.error().fields);
    }
    // One that is gone meanwhile stands in nobody's way who changes something else.
    if (bound_interface(*kind, after) != bound_interface(*kind, before)) {
        if (const auto bound = check_interface(tx, call.workspace.id, probe.agent, *kind, after); !bound) {
            if (bound.error().fields.empty()) return std::unexpected(bound.error());
            fields.add_problems(bound.error().fields);
        }
    }
    NW_CHECK(fields.done());
    NW_TRY(const auto revision, revision_to_change(call, probe.revision));
    const auto old = probe;
    if (edit.name) probe.name = *edit.name;
    if (edit.enabled) probe.enabled = *edit.enabled;
    probe.settings = store::to_json(*kind, after, true);
    NW_TRY(probe.target, target_of(services, tx, call.workspace.id, *kind, after));
    probe.updated_us = to_us(services.clock.wall());
    NW_TRY(auto changed, tx.probes(call.workspace.id).update(probe, revision));
    NW_CHECK(tx.audit().add(audit_entry(services, call, "probe.update", "probe", to_text(id), name_for_audit(changed),
                                        edit_detail(*kind, old, changed, before, after))));
    return changed;
}

}  // namespace

Task<Reply> update_probe(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<ProbeId>(call, "probe"));
    Fields fields(call.body);
    ProbeEdit edit{.name = fields.maybe_text("name", 0, 100), .enabled = fields.maybe_boolean("enabled")};
    if (fields.has("settings")) edit.settings = &fields.raw("settings");
    auto changed = co_await services.metadata.write(
        [&](store::MetadataTx& tx) { return apply_edit(services, call, tx, id, fields, edit); });
    NW_CO_TRY(auto probe, std::move(changed));
    services.agents.refresh(probe.agent);
    services.feed.probe_changed(call.workspace.id, id);
    co_return co_await reply_probe(services, call, std::move(probe));
}

Task<Reply> delete_probe(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<ProbeId>(call, "probe"));
    auto removed = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Probe> {
        NW_TRY(auto probe, tx.probes(call.workspace.id).get(id));
        NW_CHECK(revision_to_change(call, probe.revision));
        NW_CHECK(tx.probes(call.workspace.id).remove(id, services.clock.wall()));
        NW_CHECK(tx.audit().add(audit_entry(services, call, "probe.delete", "probe", to_text(id), name_for_audit(probe))));
        return probe;
    });
    NW_CO_TRY(const auto probe, std::move(removed));
    services.agents.refresh(probe.agent);
    services.feed.probe_gone(call.workspace.id, id);
    co_return no_content();
}

Task<Reply> restore_probe(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<ProbeId>(call, "probe"));
    auto restored = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Probe> {
        NW_TRY(auto probe, tx.probes(call.workspace.id).restore(id, services.clock.wall() - kRestoreWithin));
        NW_CHECK(tx.audit().add(audit_entry(services, call, "probe.restore", "probe", to_text(id), name_for_audit(probe))));
        return probe;
    });
    NW_CO_TRY(auto probe, std::move(restored));
    services.agents.refresh(probe.agent);
    services.feed.probe_changed(call.workspace.id, id);
    co_return co_await reply_probe(services, call, std::move(probe));
}

}  // namespace nw::api
