#include "atlas/path_probe.hpp"

#include "store/metadata/settings_json.hpp"
#include "topology/run.hpp"

namespace nw::atlas {

std::optional<PathProbe> path_probe(const Kinds& kinds, const store::Probe& probe)
{
    const auto* kind = kinds.by_name(probe.kind);
    if (!kind || !topology::has_paths(*kind)) return std::nullopt;
    const auto settings = store::settings_from_text(probe.settings);
    if (!settings) return std::nullopt;
    return PathProbe{.id = probe.id,
                     .agent_name = probe.agent_name,
                     .kind = kind,
                     .ends = {.agent = probe.agent,
                              .target_name = text_setting(*settings, "target"),
                              .protocol = text_setting(*settings, "protocol")},
                     .interval_us = number_setting(*settings, "interval").value_or(0) * 1'000};
}

}  // namespace nw::atlas
