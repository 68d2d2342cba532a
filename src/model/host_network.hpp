// The network of an agent's host as its kernel has it: interfaces with their addresses, routes of all tables, rules, name
// servers. What the agent reports, what is stored, and what the interface of a probe is checked against.
//
// IP addresses are bytes in network order (4 or 16), nothing is empty text. Names of interfaces and tables of an operating
// system are hostile text like everything else that comes from a host.
#pragma once

#include "model/ip_text.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw {

// The numbers of these enumerations are part of the wire and storage formats: append, never renumber.
enum class LinkKind : std::uint8_t {
    Other,
    Ethernet,
    Wifi,
    Loopback,
    Tunnel,
    Bridge,
    Bond,
    Vlan,
    Macvlan,
    Veth,
    Ppp,
    Wireguard,
    Dummy,
};
inline constexpr std::array<std::string_view, 13> kLinkKindNames{"other",  "ethernet",  "wifi", "loopback", "tunnel",
                                                                 "bridge", "bond",      "vlan", "macvlan",  "veth",
                                                                 "ppp",    "wireguard", "dummy"};

enum class LinkState : std::uint8_t { Unknown, Up, Down, NoCarrier, Dormant };
inline constexpr std::array<std::string_view, 5> kLinkStateNames{"unknown", "up", "down", "no_carrier", "dormant"};

enum class Duplex : std::uint8_t { Unknown, Half, Full };
enum class AddressScope : std::uint8_t { Global, Site, Link, Host };
inline constexpr std::array<std::string_view, 4> kAddressScopeNames{"global", "site", "link", "host"};

constexpr std::string_view name_of(LinkKind kind) { return kLinkKindNames[std::size_t(kind)]; }
constexpr std::string_view name_of(LinkState state) { return kLinkStateNames[std::size_t(state)]; }
constexpr std::string_view name_of(AddressScope scope) { return kAddressScopeNames[std::size_t(scope)]; }

struct InterfaceAddress {
    std::string address{};
    std::uint8_t prefix = 0;
    AddressScope scope = AddressScope::Global;
    bool temporary = false;   // RFC 8981
    bool deprecated = false;  // not for new conversations
    bool tentative = false;   // not usable yet, or found to be in use by another host
    friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

// The address that the controller saw a request come from that left through an interface.
struct PublicAddress {
    std::string address{};     // empty: nothing came through
    std::int64_t seen_us = 0;  // when it was last asked for with an answer; 0: never
    std::string problem{};     // why there was no answer
    friend bool operator==(const PublicAddress&, const PublicAddress&) = default;
};

struct Interface {
    std::string name{};
    std::uint32_t index = 0;
    LinkKind kind = LinkKind::Other;
    std::string mac{};  // bytes; six of them where it is Ethernet
    std::uint32_t mtu = 0;
    std::optional<std::uint32_t> speed_mbps{};
    Duplex duplex = Duplex::Unknown;
    bool up = false;  // switched on
    bool carrier = false;
    LinkState state = LinkState::Unknown;
    std::string parent{};  // what it lies on, by name: the device of a VLAN
    std::string master{};  // what it is a port of: its bridge or bond
    std::vector<InterfaceAddress> addresses{};
    std::vector<std::string> dns{};  // name servers of this link alone
    PublicAddress public_v4{};
    PublicAddress public_v6{};
    friend bool operator==(const Interface&, const Interface&) = default;
};

inline constexpr std::uint32_t kMainTable = 254;
inline constexpr std::uint8_t kUnicastRoute = 1;

// One next hop of a route: a route with several is several of these.
struct RouteEntry {
    bool v6 = false;
    std::uint32_t table = kMainTable;
    std::string destination{};  // empty: the default route
    std::uint8_t prefix = 0;
    std::string gateway{};    // may be of the other family (RFC 8950)
    std::string interface{};  // by name; empty for blackhole and the like
    std::uint32_t metric = 0;
    std::uint8_t protocol = 0;  // who made it: RTPROT_* of Linux
    std::uint8_t scope = 0;     // RT_SCOPE_*
    std::uint8_t type = 0;      // RTN_*
    std::string source{};       // preferred source address
    friend bool operator==(const RouteEntry&, const RouteEntry&) = default;
    friend auto operator<=>(const RouteEntry&, const RouteEntry&) = default;

    bool is_default() const { return prefix == 0 && type == kUnicastRoute; }
};

struct RoutingRule {
    bool v6 = false;
    std::uint32_t priority = 0;
    std::string from{};
    std::uint8_t from_prefix = 0;
    std::string to{};
    std::uint8_t to_prefix = 0;
    std::string iif{};
    std::string oif{};
    std::optional<std::uint32_t> fwmark{};
    std::uint32_t fwmask = 0;
    std::uint32_t table = 0;
    std::uint8_t action = 0;  // FR_ACT_*
    friend bool operator==(const RoutingRule&, const RoutingRule&) = default;
    friend auto operator<=>(const RoutingRule&, const RoutingRule&) = default;
};

// More than this of a kind is left out, and the totals say so. Default routes are never left out for others.
inline constexpr std::size_t kInterfacesMax = 1024;
inline constexpr std::size_t kAddressesPerInterfaceMax = 64;
inline constexpr std::size_t kRoutesMax = 4096;
inline constexpr std::size_t kRulesMax = 512;
inline constexpr std::size_t kNameServersMax = 16;

struct HostNetwork {
    std::string hostname{};
    std::vector<Interface> interfaces{};  // ascending by index
    std::vector<RouteEntry> routes{};     // ascending
    std::vector<RoutingRule> rules{};     // ascending
    std::vector<std::string> dns{};       // of the host
    // How many there are, of which those above are shown.
    std::uint64_t interfaces_total = 0;
    std::uint64_t routes_total = 0;
    std::uint64_t rules_total = 0;
    friend bool operator==(const HostNetwork&, const HostNetwork&) = default;

    const Interface* find(std::string_view name) const;
    bool truncated() const
    {
        return interfaces_total > interfaces.size() || routes_total > routes.size() || rules_total > rules.size();
    }
};

// The default route moved from one uplink to another.
struct Failover {
    std::int64_t at_us = 0;
    bool v6 = false;
    std::string from{};
    std::string to{};
    // From the moment the old uplink was lost; nothing when it was not lost (somebody went back to a better one).
    std::optional<std::int64_t> took_us{};
    friend bool operator==(const Failover&, const Failover&) = default;
};

// "main", "local", "default", else the number.
std::string table_name(std::uint32_t table);
// "kernel", "static", "dhcp" ..., else the number.
std::string route_protocol_name(std::uint8_t protocol);
std::string route_scope_name(std::uint8_t scope);
std::string route_type_name(std::uint8_t type);
std::string rule_action_name(std::uint8_t action);

// "10.0.0.0/8"; of no bytes the default: "0.0.0.0/0" or "::/0".
std::string prefix_text(std::string_view bytes, unsigned prefix, bool v6);
// "00:11:22:33:44:55"
std::string mac_text(std::string_view bytes);

// The interfaces that a probe can be bound to: those that are there, without loopback.
std::vector<std::string> bindable_names(const HostNetwork& network);
// The uplink of the default route with the least metric in the main table; null when there is none.
const RouteEntry* best_default(const HostNetwork& network, bool v6);

}  // namespace nw
