#include "api/interface_check.hpp"

#include <algorithm>

namespace nw::api {
namespace {

constexpr std::size_t kNamesShownMax = 20;

const Setting* interface_setting(const Kind& kind)
{
    const auto found = std::ranges::find(kind.settings, SettingType::Interface, &Setting::type);
    return found == kind.settings.end() ? nullptr : &*found;
}

std::string listed(const std::vector<std::string>& names)
{
    if (names.empty()) return "it has none";
    std::string text = "it has ";
    for (std::size_t i = 0; i < std::min(names.size(), kNamesShownMax); ++i) text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > kNamesShownMax) text += " and " + std::to_string(names.size() - kNamesShownMax) + " more";
    return text;
}

}  // namespace

std::string bound_interface(const Kind& kind, const Settings& settings)
{
    const auto* declared = interface_setting(kind);
    return declared ? text_setting(settings, declared->name) : std::string();
}

Status check_interface(store::MetadataTx& tx, WorkspaceId workspace, AgentId agent, const Kind& kind,
                       const Settings& settings)
{
    const auto wanted = bound_interface(kind, settings);
    if (wanted.empty()) return {};
    NW_TRY(const auto report, tx.agents(workspace).network(agent));
    if (!report || report->network.find(wanted)) return {};
    // A host with more interfaces than a report may hold: the agent itself will tell.
    if (report->network.interfaces_total > report->network.interfaces.size()) return {};
    NW_TRY(const auto known, tx.agents(workspace).get(agent));
    return fail_field("settings." + std::string(interface_setting(kind)->name),
                      "is no interface of " + known.name + "; " + listed(bindable_names(report->network)));
}

}  // namespace nw::api
