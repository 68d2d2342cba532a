#include "api/builtin_agent.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"
#include "api/public_url.hpp"

#include "base/json_writer.hpp"
#include "net/url.hpp"

#include <array>

namespace nw::api {
namespace {

constexpr std::array<std::string_view, 7> kSettingTypes{"target", "integer", "duration", "boolean",
                                                        "choice", "text",    "interface"};
constexpr std::array<std::string_view, 4> kColumnTypes{"integer", "histogram", "text", "table"};
constexpr std::array<std::string_view, 5> kRollups{"sum", "min", "max", "last", "merge"};
constexpr std::array<std::string_view, 6> kFormulas{"value", "ratio", "complement", "mean", "deviation", "quantile"};

void write_default(JsonWriter& json, const Setting& setting)
{
    json.key("default");
    switch (setting.type) {
    case SettingType::Boolean: json.boolean(setting.default_number != 0); return;
    case SettingType::Integer:
    case SettingType::Duration: json.number(setting.default_number); return;
    default: break;
    }
    if (setting.required) json.null();
    else json.text(setting.default_text);
}

void write_setting(JsonWriter& json, const Setting& setting)
{
    json.object()
        .field("name", setting.name)
        .field("label", setting.label)
        .field("help", setting.help)
        .field("type", kSettingTypes[std::size_t(setting.type)])
        .field("unit", setting.unit)
        .field("required", setting.required)
        .field("secret", setting.secret);
    write_default(json, setting);
    json.field("min", setting.min).field("max", setting.max).key("choices").array();
    for (const auto& choice : setting.choices)
        json.object().field("value", choice.value).field("label", choice.label).end_object();
    json.end_array().field("advanced", setting.advanced).end_object();
}

void write_names(JsonWriter& json, std::string_view key, std::span<const std::string_view> names)
{
    json.key(key).array();
    for (const auto name : names) json.text(name);
    json.end_array();
}

void write_column(JsonWriter& json, const Column& column)
{
    json.object()
        .field("name", column.name)
        .field("type", kColumnTypes[std::size_t(column.type)])
        .field("unit", column.unit)
        .field("rollup", kRollups[std::size_t(column.rollup)])
        .field("label", column.label)
        .key("children")
        .array();
    for (const auto& child : column.children) {
        json.object()
            .field("name", child.name)
            .field("type", kColumnTypes[std::size_t(child.type)])
            .field("unit", child.unit)
            .field("label", child.label);
        write_names(json, "names", child.names);
        json.end_object();
    }
    json.end_array().end_object();
}

void write_kind(JsonWriter& json, const Kind& kind)
{
    json.object()
        .field("number", int{kind.number})
        .field("name", kind.name)
        .field("label", kind.label)
        .field("description", kind.description)
        .key("settings")
        .array();
    for (const auto& setting : kind.settings) write_setting(json, setting);
    json.end_array().key("columns").array();
    for (const auto& column : kind.columns) write_column(json, column);
    json.end_array().key("metrics").array();
    for (const auto& metric : kind.metrics)
        json.object()
            .field("name", metric.name)
            .field("label", metric.label)
            .field("unit", metric.unit)
            .field("formula", kFormulas[std::size_t(metric.formula)])
            .end_object();
    json.end_array()
        .key("presentation")
        .object()
        .field("distribution", kind.presentation.distribution)
        .field("loss", kind.presentation.loss);
    write_names(json, "lines", kind.presentation.lines);
    write_names(json, "tiles", kind.presentation.tiles);
    json.end_object().end_object();
}

Task<Reply> instance_reply(Services& services, const Call& call)
{
    std::string name;
    auto read = co_await services.metadata.read([&](store::MetadataTx& tx) -> Result<std::string> {
        NW_TRY(const auto given, tx.setting(kInstanceNameSetting));
        name = given.value_or("NetWatcher");
        return public_url(services, tx, call.request);
    });
    NW_CO_TRY(const auto url, std::move(read));
    JsonWriter json;
    json.object()
        .field("name", name)
        .field("public_url", url)
        .field("version", services.instance.version)
        .field("started_us", services.instance.started_us)
        .field("now_us", to_us(services.clock.wall()))
        .key("features")
        .array();
    if (services.builtin_agent.available()) json.text("builtin_agent");
    for (const auto& feature : services.instance.features) json.text(feature);
    json.end_array().key("problems").array();
    for (const auto& problem : services.problems())
        json.object().field("what", problem.what).field("since_us", problem.since_us).end_object();
    json.end_array().end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace

Result<std::string> public_url(const Services& services, store::MetadataTx& tx, const net::Request& request)
{
    NW_TRY(const auto set, tx.setting(kPublicUrlSetting));
    auto url = set && !set->empty() ? *set : services.instance.public_url;
    if (url.empty()) url = std::string(request.secure ? "https://" : "http://") + std::string(request.header("host"));
    while (url.ends_with('/')) url.pop_back();
    return url;
}

Task<Reply> list_kinds(Services& services, Call&)
{
    JsonWriter json;
    json.object().key("items").array();
    for (const auto* kind : services.kinds.all()) write_kind(json, *kind);
    json.end_array().end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> get_instance(Services& services, Call& call) { co_return co_await instance_reply(services, call); }

Task<Reply> update_instance(Services& services, Call& call)
{
    Fields fields(call.body);
    const auto name = fields.maybe_text("name", 1, 100);
    const auto url = fields.maybe_text("public_url", 0, 300);
    if (url && !url->empty()) {
        const auto parsed = net::parse_url(*url);
        if (!parsed || url->starts_with("ws")) fields.refuse("public_url", "must begin with http:// or https://");
    }
    NW_CO_CHECK(fields.done());
    NW_CO_CHECK(co_await services.metadata.write([&](store::MetadataTx& tx) -> Status {
        if (name) NW_CHECK(tx.set_setting(kInstanceNameSetting, *name));
        if (url) NW_CHECK(tx.set_setting(kPublicUrlSetting, *url));
        return tx.audit().add(audit_entry(services, call, "instance.update", "instance", "", name.value_or("")));
    }));
    co_return co_await instance_reply(services, call);
}

Task<Reply> get_metrics(Services& services, Call&)
{
    auto text = co_await services.metrics();
    co_return net::Response{.content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8",
                            .body = std::move(text)};
}

Task<Reply> get_healthz(Services&, Call&) { co_return net::Response{.content_type = "text/plain", .body = "ok\n"}; }

Task<Reply> get_readyz(Services& services, Call&)
{
    const auto problem = services.not_ready();
    if (problem.empty()) co_return net::Response{.content_type = "text/plain", .body = "ready\n"};
    co_return net::Response{.status = 503, .content_type = "text/plain", .body = problem + "\n"};
}

}  // namespace nw::api
