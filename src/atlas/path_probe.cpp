#include "atlas/path_probe.hpp"

#include "store/metadata/settings_json.hpp"
#include "topology/run.hpp"

#include <string>
#include <string_view>

namespace nw::atlas {
namespace {

std::string text_of(const Settings& settings, std::string_view name)
{
    const auto found = settings.find(name);
    const auto* text = found == settings.end() ? nullptr : std::get_if<std::string>(&found->second);
    return text ? *text : std::string();
}

std::int64_t number_of(const Settings& settings, std::string_view name)
{
    const auto found = settings.find(name);
    const auto* number = found == settings.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
    return number ? *number : 0;
}

}  // namespace

std::optional<PathProbe> path_probe(const Kinds& kinds, const store::Probe& probe)
{
    const auto* kind = kinds.by_name(probe.kind);
    if (!kind || !topology::has_paths(*kind)) return std::nullopt;
    const auto settings = store::settings_from_text(probe.settings);
    if (!settings) return std::nullopt;
    return PathProbe{.id = probe.id,
                     .kind = kind,
                     .ends = {.agent = probe.agent,
                              .target_name = text_of(*settings, "target"),
                              .protocol = text_of(*settings, "protocol")},
                     .interval_us = number_of(*settings, "interval") * 1'000};
}

}  // namespace nw::atlas
