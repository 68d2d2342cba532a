// The settings of a trace in the engine's own terms.
#pragma once

#include "base/result.hpp"
#include "model/probe_spec.hpp"
#include "probe/path/reply.hpp"
#include "probe/resolver.hpp"

#include <cstdint>
#include <string>

namespace nw::probe::path {

// Classic traceroute's first port, and the web's: what filters let pass most often.
inline constexpr std::uint16_t kUdpPort = 33434;
inline constexpr std::uint16_t kTcpPort = 80;
inline constexpr std::uint16_t kFlowsTraced = 64;  // at most, when their number is given

struct PathSettings {
    std::string target{};
    Nanos interval = Seconds(60);  // between the starts of runs
    Nanos spacing = Seconds(6);    // between cycles
    Nanos timeout = Seconds(2);
    std::uint32_t cycles = 10;  // per run
    Protocol protocol = Protocol::Icmp;
    std::uint16_t port = 0;  // 0: the protocol's usual one
    std::uint8_t hops_max = 30;
    std::uint16_t flows = 1;
    bool explore = false;  // find the load-balanced branches, and trace all of them
    std::uint16_t size = 64;
    std::uint8_t dscp = 0;
    bool dont_fragment = false;
    bool mtu = false;  // look for the path MTU now and then
    FamilyWish family = FamilyWish::Auto;
    std::string device{};

    friend bool operator==(const PathSettings&, const PathSettings&) = default;
};

// Beyond the declared ranges: cycles must fit into their interval, on the sending grid.
Result<PathSettings> settings_of(const ProbeSpec& spec);

}  // namespace nw::probe::path
