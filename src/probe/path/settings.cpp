#include "probe/path/settings.hpp"

#include "probe/schedule.hpp"

#include <algorithm>
#include <charconv>

namespace nw::probe::path {

Result<PathSettings> settings_of(const ProbeSpec& spec)
{
    const auto& protocol = spec.text("protocol");
    PathSettings settings{.target = spec.text("target"),
                          .interval = spec.interval(),
                          .timeout = Millis(spec.number("timeout")),
                          .cycles = std::uint32_t(spec.number("cycles")),
                          .protocol = protocol == "udp"   ? Protocol::Udp
                                      : protocol == "tcp" ? Protocol::Tcp
                                                          : Protocol::Icmp,
                          .port = std::uint16_t(spec.number("port")),
                          .hops_max = std::uint8_t(spec.number("hops_max")),
                          .explore = spec.text("flows") == "mda",
                          .size = std::uint16_t(spec.number("size")),
                          .dscp = std::uint8_t(spec.number("dscp")),
                          .mtu = spec.number("mtu_discovery") != 0,
                          .family = family_wish(spec.text("family")),
                          .device = spec.text("interface")};
    settings.spacing = settings.interval / settings.cycles;
    if (settings.spacing < kTick)
        return fail_field("settings.cycles", "must leave at least 10 ms between cycles within the interval");
    if (const auto& flows = spec.text("flows"); !settings.explore) {
        const auto [end, error] = std::from_chars(flows.data(), flows.data() + flows.size(), settings.flows);
        if (error != std::errc{} || end != flows.data() + flows.size() || settings.flows < 1
            || settings.flows > kFlowsTraced)
            return fail_field("settings.flows", "must be mda, or a number of flows up to 64");
    }
    return settings;
}

}  // namespace nw::probe::path
