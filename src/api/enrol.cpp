#include "api/agent_view.hpp"
#include "api/feed.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"

#include "base/digest.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"

namespace nw::api {
namespace {

struct Form {
    std::string token{};
    std::string credential_hash{};  // raw SHA-256 of the secret that the agent made and keeps
    std::string instance{};
    store::AgentFacts facts{};
};

Result<Form> read_form(const Call& call)
{
    Fields fields(call.body);
    Form form{.token = fields.secret("token", 16, 128)};
    const auto hex = fields.text("credential_sha256", 64, 64);
    form.instance = fields.text("instance", 16, 64);
    form.facts = {.hostname = fields.text("hostname", 0, 253),
                  .os = fields.text("os", 0, 100),
                  .arch = fields.text("arch", 0, 32),
                  .version = fields.text("version", 0, 32),
                  .address = call.request.remote};
    const auto bytes = from_hex(hex);
    if (!bytes) fields.refuse("credential_sha256", "must be 64 hexadecimal digits");
    NW_CHECK(fields.done());
    form.credential_hash.assign(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    return form;
}

struct Enrolled {
    store::Agent agent{};
    bool repeated = false;
};

// One token, one agent: a repetition by the same agent (its answer was lost) gets the same answer, anybody else none.
Result<Enrolled> enrol(Services& services, const Call& call, store::MetadataTx& tx, const Form& form)
{
    const auto now = services.clock.wall();
    NW_TRY(const auto agent, tx.agent_sessions().by_enrolment(sha256(form.token)));
    const auto refused = fail(Errc::Denied, "the enrolment token is unknown, used or expired; make a new one in the panel");
    if (!agent) return refused;
    if (agent->enrol_used_us) {
        const bool same = agent->instance == form.instance && equal_secrets(agent->credential_hash, form.credential_hash);
        if (!same) return refused;
        return Enrolled{*agent, true};
    }
    if (agent->enrol_expires_us.value_or(0) <= to_us(now)) return refused;
    NW_CHECK(tx.agent_sessions().enrol(agent->id, form.instance, form.credential_hash, form.facts, now));
    auto entry = audit_entry(services, call, "agent.enrol", "agent", to_text(agent->id), agent->name);
    entry.workspace = agent->workspace;
    entry.actor = to_text(agent->id);
    entry.actor_name = agent->name;
    NW_CHECK(tx.audit().add(entry));
    return Enrolled{*agent, false};
}

}  // namespace

Task<Reply> enrol_agent(Services& services, Call& call)
{
    NW_CO_TRY(const auto form, read_form(call));
    auto enrolled = co_await services.metadata.write([&](store::MetadataTx& tx) { return enrol(services, call, tx, form); });
    NW_CO_TRY(const auto result, std::move(enrolled));
    const auto& agent = result.agent;
    co_await services.agents.refreshed(agent.id);
    if (!result.repeated) services.agents.revoke(agent.id);  // a session with the credential from before
    services.feed.agent_changed(agent.workspace, agent.id);
    JsonWriter json;
    json.object().field("agent_id", to_text(agent.id)).field("name", agent.name).end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
