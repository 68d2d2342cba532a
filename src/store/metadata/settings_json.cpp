#include "store/metadata/settings_json.hpp"

#include "base/json_writer.hpp"
#include "net/json.hpp"

namespace nw::store {

Result<Settings> settings_from(const net::Json& object, std::string_view prefix)
{
    const auto* members = object.object();
    if (!members) return fail_field(std::string(prefix.substr(0, prefix.find('.'))), "must be an object");
    Settings settings;
    for (const auto& [name, value] : *members) {
        if (const auto* number = value.integer()) settings.emplace(name, *number);
        else if (const auto* flag = value.boolean()) settings.emplace(name, std::int64_t{*flag});
        else if (const auto* text = value.text()) settings.emplace(name, *text);
        else return fail_field(std::string(prefix) + name, "must be a whole number, true, false or text");
    }
    return settings;
}

Result<Settings> settings_from_text(std::string_view text)
{
    NW_TRY(const auto json, net::parse_json(text));
    return settings_from(json);
}

std::string to_json(const Kind& kind, const Settings& settings, bool with_secrets)
{
    JsonWriter json;
    json.object();
    for (const auto& [name, value] : settings) {
        const auto* setting = kind.setting(name);
        if (!setting || (setting->secret && !with_secrets)) continue;
        if (const auto* text = std::get_if<std::string>(&value)) json.field(name, *text);
        else if (setting->type == SettingType::Boolean) json.field(name, std::get<std::int64_t>(value) != 0);
        else json.field(name, std::get<std::int64_t>(value));
    }
    json.end_object();
    return std::move(json).str();
}

}  // namespace nw::store
