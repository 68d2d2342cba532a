#include "api/agent_view.hpp"
#include "api/builtin_agent.hpp"
#include "api/feed.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"
#include "api/public_url.hpp"

#include "base/digest.hpp"
#include "base/json_writer.hpp"
#include "identity/secret.hpp"

#include <algorithm>

namespace nw::api {
namespace {

constexpr std::chrono::minutes kEnrolmentLife{30};

net::Response agent_response(const Services& services, const store::Agent& agent, int status = 200)
{
    JsonWriter json;
    write_agent(json, services, agent);
    auto response = json_response(std::move(json).str(), status);
    response.headers.emplace_back("ETag", etag_of(agent.revision));
    return response;
}

struct Enrolment {
    std::string token{};
    std::int64_t expires_us = 0;
    std::string command{};        // installs, enrols and starts
    std::string enrol_command{};  // where the program is installed already
};

Result<Enrolment> issue(Services& services, const Call& call, store::MetadataTx& tx, AgentId agent)
{
    Enrolment enrolment{.token = identity::make_token(services.random)};
    const auto expires = services.clock.wall() + kEnrolmentLife;
    enrolment.expires_us = to_us(expires);
    NW_CHECK(tx.agents(call.workspace.id).set_enrolment(agent, sha256(enrolment.token), expires));
    NW_TRY(const auto url, public_url(services, tx, call.request));
    enrolment.command = "curl -fsSL " + url + "/install.sh | sudo sh -s -- --token " + enrolment.token;
    enrolment.enrol_command = "sudo netwatcher-agent enroll --controller " + url + " --token " + enrolment.token
                              + " && sudo systemctl restart netwatcher-agent";
    return enrolment;
}

void write_enrolment(JsonWriter& json, const Enrolment& enrolment)
{
    json.object()
        .field("token", enrolment.token)
        .field("expires_us", enrolment.expires_us)
        .field("command", enrolment.command)
        .field("enrol_command", enrolment.enrol_command)
        .end_object();
}

std::string change_detail(const store::Agent& before, const store::Agent& after)
{
    JsonWriter json;
    json.object();
    const auto text = [&](std::string_view name, const std::string& a, const std::string& b) {
        if (a != b) json.key(name).array().text(a).text(b).end_array();
    };
    text("name", before.name, after.name);
    text("site", before.site, after.site);
    if (before.enabled != after.enabled)
        json.key("enabled").array().boolean(before.enabled).boolean(after.enabled).end_array();
    if (before.labels != after.labels) {
        json.key("labels").array();
        for (const auto* labels : {&before.labels, &after.labels}) {
            json.array();
            for (const auto& label : *labels) json.text(label);
            json.end_array();
        }
        json.end_array();
    }
    json.end_object();
    return std::move(json).str();
}

}  // namespace

Task<Reply> list_agents(Services& services, Call& call)
{
    NW_CO_TRY(auto page, page_of(call));
    const store::AgentFilter filter{.text = call.request.query["q"], .label = call.request.query["label"]};
    const auto wanted = call.request.query["status"];
    const bool first_page = page.cursor.empty();
    // The status lives in memory, not in the store: pages are read until one is full.
    std::vector<store::Agent> found;
    for (;;) {
        NW_CO_TRY(auto part, co_await services.metadata.read(
                                 [&](store::MetadataTx& tx) { return tx.agents(call.workspace.id).list(filter, page); }));
        for (auto& agent : part.items)
            if (wanted.empty() || name_of(status_of(agent, services.agents.state(agent.id))) == wanted)
                found.push_back(std::move(agent));
        page.cursor = part.next;
        if (part.next.empty() || found.size() >= page.limit) break;
    }
    JsonWriter json;
    json.object().key("items").array();
    for (const auto& agent : found) write_agent(json, services, agent);
    json.end_array().key("next_cursor");
    if (page.cursor.empty()) json.null();
    else json.text(page.cursor);
    json.key("counts");
    if (first_page) NW_CO_CHECK(co_await write_agent_counts(json, services, call.workspace.id));
    else json.null();
    json.end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> create_agent(Services& services, Call& call)
{
    Fields fields(call.body);
    const auto now = services.clock.wall();
    store::Agent agent{.id = make_id<AgentId>(services.random, now),
                       .name = fields.text("name", 1, 100),
                       .site = fields.maybe_text("site", 0, 100).value_or(""),
                       .labels = fields.maybe_labels("labels").value_or(store::Labels{}),
                       .created_us = to_us(now)};
    NW_CO_CHECK(fields.done());
    Enrolment enrolment;
    auto made = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Agent> {
        NW_CHECK(tx.agents(call.workspace.id).add(agent));
        NW_TRY(enrolment, issue(services, call, tx, agent.id));
        NW_CHECK(tx.audit().add(audit_entry(services, call, "agent.create", "agent", to_text(agent.id), agent.name)));
        return tx.agents(call.workspace.id).get(agent.id);
    });
    NW_CO_TRY(const auto fresh, std::move(made));
    services.agents.refresh(fresh.id);
    services.feed.agent_changed(call.workspace.id, fresh.id);
    JsonWriter json;
    json.object().key("agent");
    write_agent(json, services, fresh);
    json.key("enrolment");
    write_enrolment(json, enrolment);
    json.end_object();
    auto response = json_response(std::move(json).str(), 201);
    response.headers.emplace_back("ETag", etag_of(fresh.revision));
    co_return response;
}

Task<Reply> get_agent(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AgentId>(call, "agent"));
    NW_CO_TRY(const auto agent,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.agents(call.workspace.id).get(id); }));
    co_return agent_response(services, agent);
}

Task<Reply> update_agent(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AgentId>(call, "agent"));
    Fields fields(call.body);
    const auto name = fields.maybe_text("name", 1, 100);
    const auto site = fields.maybe_text("site", 0, 100);
    const auto labels = fields.maybe_labels("labels");
    const auto enabled = fields.maybe_boolean("enabled");
    auto changed = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Agent> {
        NW_TRY(const auto before, tx.agents(call.workspace.id).get(id));
        NW_CHECK(fields.done());
        NW_TRY(const auto revision, revision_to_change(call, before.revision));
        auto agent = before;
        if (name) agent.name = *name;
        if (site) agent.site = *site;
        if (labels) agent.labels = *labels;
        if (enabled) agent.enabled = *enabled;
        NW_TRY(auto after, tx.agents(call.workspace.id).update(agent, revision));
        NW_CHECK(tx.audit().add(
            audit_entry(services, call, "agent.update", "agent", to_text(id), after.name, change_detail(before, after))));
        return after;
    });
    NW_CO_TRY(const auto agent, std::move(changed));
    services.agents.refresh(id);
    services.feed.agent_changed(call.workspace.id, id);
    co_return agent_response(services, agent);
}

Task<Reply> delete_agent(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AgentId>(call, "agent"));
    NW_CO_CHECK(co_await services.metadata.write([&](store::MetadataTx& tx) -> Status {
        NW_TRY(const auto agent, tx.agents(call.workspace.id).get(id));
        NW_CHECK(revision_to_change(call, agent.revision));
        NW_CHECK(tx.agents(call.workspace.id).remove(id, services.clock.wall()));
        return tx.audit().add(audit_entry(services, call, "agent.delete", "agent", to_text(id), agent.name));
    }));
    co_await services.agents.refreshed(id);
    services.agents.revoke(id);
    services.builtin_agent.changed();
    services.feed.agent_gone(call.workspace.id, id);
    co_return no_content();
}

Task<Reply> restore_agent(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AgentId>(call, "agent"));
    auto restored = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Agent> {
        NW_TRY(const auto known, tx.agent_sessions().find(id));
        const bool ours = known && known->workspace == call.workspace.id && known->deleted_us;
        if (!ours || *known->deleted_us < to_us(services.clock.wall() - kRestoreWithin))
            return fail(Errc::NotFound, "no such deleted agent");
        NW_TRY(auto agent, tx.agents(call.workspace.id).restore(id));
        NW_CHECK(tx.audit().add(audit_entry(services, call, "agent.restore", "agent", to_text(id), agent.name)));
        return agent;
    });
    NW_CO_TRY(const auto agent, std::move(restored));
    co_await services.agents.refreshed(id);
    services.builtin_agent.changed();
    services.feed.agent_changed(call.workspace.id, id);
    co_return agent_response(services, agent);
}

Task<Reply> issue_enrolment(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AgentId>(call, "agent"));
    auto issued = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<Enrolment> {
        NW_TRY(const auto agent, tx.agents(call.workspace.id).get(id));
        NW_TRY(auto enrolment, issue(services, call, tx, id));
        NW_CHECK(tx.audit().add(audit_entry(services, call, "agent.issue_enrolment", "agent", to_text(id), agent.name)));
        return enrolment;
    });
    NW_CO_TRY(const auto enrolment, std::move(issued));
    JsonWriter json;
    write_enrolment(json, enrolment);
    co_return json_response(std::move(json).str(), 201);
}

Task<Reply> revoke_agent(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AgentId>(call, "agent"));
    if (services.builtin_agent.id() == id)
        co_return fail(Errc::Conflict, "the built-in agent gets a new credential at every start: disable or delete it");
    auto revoked = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Agent> {
        NW_TRY(auto agent, tx.agents(call.workspace.id).revoke(id, services.clock.wall()));
        NW_CHECK(tx.audit().add(audit_entry(services, call, "agent.revoke", "agent", to_text(id), agent.name)));
        return agent;
    });
    NW_CO_TRY(const auto agent, std::move(revoked));
    co_await services.agents.refreshed(id);
    services.agents.revoke(id);
    services.feed.agent_changed(call.workspace.id, id);
    co_return agent_response(services, agent);
}

Task<Reply> list_connections(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AgentId>(call, "agent"));
    NW_CO_TRY(const auto page, page_of(call));
    NW_CO_TRY(const auto found, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return tx.agents(call.workspace.id).connections(id, page);
    }));
    JsonWriter json;
    json.object().key("items").array();
    for (const auto& connection : found.items)
        json.object()
            .field("from_us", connection.from_us)
            .field("until_us", connection.until_us)
            .field("address", connection.address)
            .field("version", connection.version)
            .field("close_reason", connection.close_reason)
            .end_object();
    json.end_array().key("next_cursor");
    if (found.next.empty()) json.null();
    else json.text(found.next);
    json.end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
