#include "api/traces.hpp"

#include "api/agent_view.hpp"
#include "api/feed.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"
#include "api/path_view.hpp"
#include "api/workspace_settings.hpp"

#include "model/kinds/path.hpp"
#include "model/probe_spec.hpp"
#include "store/metadata/action_result.hpp"
#include "store/metadata/settings_json.hpp"
#include "topology/path_set.hpp"

#include <algorithm>
#include <array>

namespace nw::api {
namespace {

constexpr std::size_t kOpenPerAgentMax = 8;
constexpr Seconds kToBegin{30};
// On top of what the trace takes by its settings: names, finding the branches, the last timeout, a slow line.
constexpr Seconds kToFinish{60};
constexpr std::int64_t kPeriodMsMin = 100;
constexpr std::int64_t kPeriodMsMax = 10'000;
constexpr std::int64_t kPeriodMs = 500;
constexpr std::int64_t kCycles = 10;

// The request's names and the settings they stand for.
struct Name {
    std::string_view field{};
    std::string_view setting{};
};
constexpr std::array<Name, 9> kNames{{{"target", "target"},
                                      {"protocol", "protocol"},
                                      {"port", "port"},
                                      {"flows", "flows"},
                                      {"max_hops", "hops_max"},
                                      {"size", "size"},
                                      {"dscp", "dscp"},
                                      {"interface", "interface"},
                                      {"family", "family"}}};

std::string_view field_of(std::string_view setting)
{
    const auto found = std::ranges::find(kNames, setting, &Name::setting);
    return found == kNames.end() ? setting : found->field;
}

// A number of flows is a choice in the declaration, and may come as a number.
void take_setting(Fields& fields, const Name& name, Settings& settings)
{
    if (!fields.has(name.field)) return;
    const auto& value = fields.raw(name.field);
    if (const auto* number = value.integer(); number && name.setting == "flows")
        settings.emplace(name.setting, std::to_string(*number));
    else if (number) settings.emplace(name.setting, *number);
    else if (const auto* text = value.text()) settings.emplace(name.setting, *text);
    else fields.refuse(name.field, "must be a whole number or text");
}

struct Wish {
    AgentId agent{};
    Settings settings{};
};

Result<Wish> read_wish(const net::Json& body)
{
    Fields fields(body);
    Wish wish;
    if (const auto id = parse_id<AgentId>(fields.text("agent", 1, 64))) wish.agent = *id;
    else fields.refuse("agent", "is no agent of this workspace");
    Settings given;
    for (const auto& name : kNames) take_setting(fields, name, given);
    const auto cycles = fields.has("cycles") ? fields.integer("cycles", 1, 100) : kCycles;
    const auto period = fields.has("period_ms") ? fields.integer("period_ms", kPeriodMsMin, kPeriodMsMax) : kPeriodMs;
    given.emplace("cycles", cycles);
    given.emplace("interval", std::max<std::int64_t>(cycles * period, 1'000));
    given.emplace("mtu_discovery", std::int64_t{0});
    auto settings = validated(kinds::path, given, "");
    if (settings) wish.settings = *std::move(settings);
    else
        for (const auto& problem : settings.error().fields) fields.refuse(field_of(problem.field), problem.what);
    NW_CHECK(fields.done());
    return wish;
}

store::Action action_of(const Services& services, const Call& call, const Wish& wish)
{
    const auto now = services.clock.wall();
    const auto takes = Millis(std::get<std::int64_t>(wish.settings.at("interval")));
    return {.id = make_id<ActionId>(services.random, now),
            .agent = wish.agent,
            .kind = std::string(kinds::path.name),
            .settings = store::to_json(kinds::path, wish.settings, true),
            .author = call.who->user.name,
            .created_us = to_us(now),
            .expires_us = to_us(now + kToBegin),
            .give_up_us = to_us(now + kToBegin + takes + kToFinish)};
}

std::string target_of(const store::Action& action)
{
    const auto settings = store::settings_from_text(action.settings);
    return settings ? text_setting(*settings, "target") : std::string();
}

std::string audit_name(const store::Action& action) { return action.agent_name + " → " + target_of(action); }

void write_settings(JsonWriter& json, const store::Action& action)
{
    json.key("settings").object();
    if (const auto settings = store::settings_from_text(action.settings)) {
        for (const auto& name : kNames) {
            const auto found = settings->find(name.setting);
            if (found == settings->end() || name.field == "target") continue;
            if (const auto* text = std::get_if<std::string>(&found->second)) json.field(name.field, *text);
            else json.field(name.field, std::get<std::int64_t>(found->second));
        }
        const auto number = [&](std::string_view setting) { return number_setting(*settings, setting).value_or(1); };
        json.field("cycles", number("cycles"))
            .field("period_ms", number("interval") / std::max<std::int64_t>(number("cycles"), 1));
    }
    json.end_object();
}

// What is known so far; nothing before the first answer.
std::optional<topology::Run> run_of(const Services& services, const store::Action& action)
{
    const auto rows = store::result_of(action, services.kinds);
    if (!rows || !topology::has_paths(*rows->kind)) return std::nullopt;
    auto run = topology::run_of(*rows, 0);
    return run && !run->hops.empty() ? std::optional(*std::move(run)) : std::nullopt;
}

void write_path_of(JsonWriter& json, const Services& services, const store::Action& action, const topology::Run& run,
                   const quality::GradeThresholds& thresholds)
{
    const auto settings = store::settings_from_text(action.settings);
    const auto protocol = settings ? settings->find("protocol") : Settings::const_iterator{};
    const auto connected = services.agents.state(action.agent).connected;
    const PathSubject subject{.agent = action.agent,
                              .agent_name = action.agent_name,
                              .agent_status = connected ? AgentStatus::Online : AgentStatus::Offline,
                              .target = target_of(action),
                              .protocol =
                                  settings && protocol != settings->end() ? std::get<std::string>(protocol->second) : ""};
    const auto until = action.ended_us.value_or(to_us(services.clock.wall()));
    const PathSpan span{.at_us = until, .from_us = action.created_us, .until_us = until};
    write_path(json, subject, span, topology::merge({&run, 1}), thresholds);
}

// While an action is open, memory knows more than the store. It is asked first: what it has already given up by then is
// in the store when that is read, while what it gives up during the reading would be found in neither.
Task<Result<store::Action>> action_of_path(Services& services, const Call& call)
{
    NW_CO_TRY(const auto id, path_id<ActionId>(call, "trace"));
    auto known = services.actions.find(id);
    NW_CO_TRY(auto stored,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.actions(call.workspace.id).get(id); }));
    if (!known) co_return stored;
    known->agent_name = stored.agent_name;
    co_return *std::move(known);
}

net::Response trace_response(Services& services, const Call& call, const store::Action& action, int status = 200)
{
    JsonWriter json;
    const auto thresholds = settings_of(call.workspace).thresholds;
    write_trace(json, services, action, &thresholds);
    return json_response(std::move(json).str(), status);
}

}  // namespace

void write_trace(JsonWriter& json, const Services& services, const store::Action& action,
                 const quality::GradeThresholds* thresholds)
{
    const auto state = services.agents.state(action.agent);
    json.object()
        .field("id", to_text(action.id))
        .key("agent")
        .object()
        .field("id", to_text(action.agent))
        .field("name", action.agent_name)
        .field("connected", state.connected)
        .end_object()
        .field("target", target_of(action));
    write_settings(json, action);
    json.field("state", name_of(action.state))
        .field("reason", action.reason)
        .field("created_by", action.author)
        .field("created_us", action.created_us)
        .field("expires_us", action.expires_us)
        .field("started_us", action.started_us)
        .field("ended_us", action.ended_us)
        .field("cycles_done", std::int64_t{action.steps_done})
        .field("cycles", std::int64_t{action.steps})
        .key("path");
    const auto run = thresholds ? run_of(services, action) : std::nullopt;
    if (run) write_path_of(json, services, action, *run, *thresholds);
    else json.null();
    json.end_object();
}

Task<Reply> start_trace(Services& services, Call& call)
{
    NW_CO_TRY(const auto wish, read_wish(call.body));
    if (services.actions.open_of(wish.agent) >= kOpenPerAgentMax)
        co_return fail(Errc::Conflict, "the agent has eight traces to do: wait for one, or cancel one");
    const auto asked = action_of(services, call, wish);
    auto added = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Action> {
        auto action = tx.actions(call.workspace.id).add(asked);
        if (!action && action.error().code == Errc::NotFound) return fail_field("agent", "is no agent of this workspace");
        if (action)
            NW_CHECK(tx.audit().add(audit_entry(services, call, "trace.start", "trace", to_text(action->id),
                                                audit_name(*action), action->settings)));
        return action;
    });
    NW_CO_TRY(auto action, std::move(added));
    services.actions.opened(action);
    co_return trace_response(services, call, action, 201);
}

Task<Reply> list_traces(Services& services, Call& call)
{
    NW_CO_TRY(const auto page, page_of(call));
    std::optional<AgentId> agent;
    if (call.request.query.contains("agent")) agent = parse_id<AgentId>(call.request.query["agent"]).value_or(AgentId{});
    auto known = services.actions.known(call.workspace.id);  // before the store, see action_of_path
    NW_CO_TRY(auto found, co_await services.metadata.read(
                              [&](store::MetadataTx& tx) { return tx.actions(call.workspace.id).list(agent, page); }));
    JsonWriter json;
    json.object().key("items").array();
    for (auto& stored : found.items) {
        const auto newer = std::ranges::find(known, stored.id, &store::Action::id);
        if (newer != known.end()) {
            newer->agent_name = std::move(stored.agent_name);
            stored = *std::move(newer);
        }
        write_trace(json, services, stored, nullptr);
    }
    json.end_array().key("next_cursor");
    if (found.next.empty()) json.null();
    else json.text(found.next);
    json.end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> get_trace(Services& services, Call& call)
{
    NW_CO_TRY(const auto action, co_await action_of_path(services, call));
    co_return trace_response(services, call, action);
}

Task<Reply> cancel_trace(Services& services, Call& call)
{
    NW_CO_TRY(const auto action, co_await action_of_path(services, call));
    if (is_over(action.state)) co_return fail(Errc::Conflict, "the trace is over");
    NW_CO_CHECK(co_await services.metadata.write([&](store::MetadataTx& tx) {
        return tx.audit().add(audit_entry(services, call, "trace.cancel", "trace", to_text(action.id), audit_name(action)));
    }));
    // It may have ended while this was written down: then there is nothing left to do.
    (void)services.actions.cancel(action.id);
    co_return no_content();
}

}  // namespace nw::api
