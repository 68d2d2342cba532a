#include "probe/ping/settings.hpp"

namespace nw::probe::ping {

Result<PingSettings> settings_of(const ProbeSpec& spec)
{
    PingSettings settings{.target = spec.text("target"),
                          .interval = spec.interval(),
                          .timeout = Millis(spec.number("timeout")),
                          .packets = std::uint32_t(spec.number("packets")),
                          .size = std::uint16_t(spec.number("size")),
                          .dscp = std::uint8_t(spec.number("dscp")),
                          .ttl = std::uint8_t(spec.number("ttl")),
                          .dont_fragment = spec.number("dont_fragment") != 0,
                          .family = family_wish(spec.text("family")),
                          .device = spec.text("interface"),
                          .source = spec.text("source")};
    const bool burst = spec.text("pattern") == "burst";
    settings.spacing = burst ? Nanos(Millis(spec.number("burst_gap"))) : settings.interval / settings.packets;
    if (settings.spacing < kTick)
        return fail_field("settings.packets", "must leave at least 10 ms between packets within the interval");
    if (settings.spacing * settings.packets > settings.interval)
        return fail_field("settings.burst_gap", "the burst must end within the interval");
    if (!settings.source.empty() && !packet::parse_address(settings.source))
        return fail_field("settings.source", "must be an IPv4 or IPv6 address");
    return settings;
}

}  // namespace nw::probe::ping
