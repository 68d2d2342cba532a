// The settings of a ping probe in the engine's own terms.
#pragma once

#include "base/result.hpp"
#include "model/probe_spec.hpp"
#include "probe/ping/core.hpp"
#include "probe/ping/port.hpp"
#include "probe/resolver.hpp"

#include <cstdint>
#include <string>

namespace nw::probe::ping {

struct PingSettings {
    std::string target{};
    Nanos interval = Seconds(60);
    Nanos timeout = Seconds(2);
    Nanos spacing = Seconds(3);
    std::uint32_t packets = 20;
    std::uint16_t size = 56;
    std::uint8_t dscp = 0;
    std::uint8_t ttl = 64;
    bool dont_fragment = false;
    bool stamp_sends = true;  // not a setting of probes: off for benchmarks of the rate alone
    FamilyWish family = FamilyWish::Auto;
    std::string device{};
    std::string source{};

    friend bool operator==(const PingSettings&, const PingSettings&) = default;
};

// Beyond the declared ranges: packets must fit into their interval, on the sending grid.
Result<PingSettings> settings_of(const ProbeSpec& spec);

}  // namespace nw::probe::ping
