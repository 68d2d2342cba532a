// What changed between two reports of a host's network, as people read it. Pure.
#pragma once

#include "model/host_network.hpp"

#include <span>
#include <string>
#include <vector>

namespace nw {

enum class NetworkChangeKind : std::uint8_t {
    Added,
    Removed,
    Link,
    Address,
    Route,
    Dns,
    Gateway,
    Mtu,
    Public,
    Failover,
};
inline constexpr std::array<std::string_view, 10> kNetworkChangeNames{"added", "removed", "link", "address", "route",
                                                                      "dns",   "gateway", "mtu",  "public",  "failover"};
constexpr std::string_view name_of(NetworkChangeKind kind) { return kNetworkChangeNames[std::size_t(kind)]; }

struct NetworkChange {
    NetworkChangeKind kind = NetworkChangeKind::Link;
    std::string interface{};  // empty: of the host
    std::string text{};       // "eth1: carrier lost"
    std::string before{};     // empty: there was nothing
    std::string after{};
    std::optional<std::int64_t> at_us{};    // where it is known better than by the report
    std::optional<std::int64_t> took_us{};  // of a failover
    std::string reason{};
    friend bool operator==(const NetworkChange&, const NetworkChange&) = default;
};

// Routes one by one up to this many, then as one line that counts them.
inline constexpr std::size_t kRouteChangesMax = 8;

// In the order: failovers, interfaces by index, gateways, routes, name servers. Interfaces are the same by name: one that
// was removed and made again under its name has another index.
std::vector<NetworkChange> changes_between(const HostNetwork& before, const HostNetwork& after,
                                           std::span<const Failover> failovers);

}  // namespace nw
