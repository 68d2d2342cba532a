// What the Linux kernel says of the host's network (rtnetlink(7)), read from the bytes of one datagram. Pure and bounded:
// whatever the bytes are, nothing outside of them is read, and what cannot be understood is left out.
//
// Only the layout is Linux's; who opens sockets and asks is a port (probe/linux_devices.cpp, agent/network_port.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace nw::probe::rtnetlink {

struct LinkMessage {
    bool removed = false;
    std::uint32_t index = 0;
    std::uint16_t hardware = 0;  // ARPHRD_*
    std::uint32_t flags = 0;     // IFF_*
    std::string name{};
    std::string kind{};  // "vlan", "bridge" ...; empty for hardware
    std::string mac{};
    std::uint32_t mtu = 0;
    std::uint8_t operational = 0;  // IF_OPER_* (RFC 2863)
    std::uint32_t parent = 0;      // index of what it lies on, in this network namespace
    std::uint32_t master = 0;

    bool up() const;       // switched on
    bool running() const;  // and packets can leave
};

struct AddressMessage {
    bool removed = false;
    std::uint32_t index = 0;
    std::string address{};  // 4 or 16 bytes
    std::uint8_t prefix = 0;
    std::uint8_t scope = 0;   // RT_SCOPE_*
    std::uint32_t flags = 0;  // IFA_F_*

    bool usable() const;  // not tentative, no duplicate
};

struct NextHop {
    std::uint32_t index = 0;
    std::string gateway{};
};

struct RouteMessage {
    bool removed = false;
    bool v6 = false;
    bool cached = false;  // a copy that the kernel made for one destination: no route of anybody
    std::uint32_t table = 0;
    std::uint8_t prefix = 0;
    std::uint8_t protocol = 0;
    std::uint8_t scope = 0;
    std::uint8_t type = 0;
    std::uint32_t metric = 0;
    std::string destination{};
    std::string source{};
    std::vector<NextHop> hops{};  // at least one; index 0 where the route has no device
};

struct RuleMessage {
    bool removed = false;
    bool v6 = false;
    std::uint32_t priority = 0;
    std::uint8_t from_prefix = 0;
    std::uint8_t to_prefix = 0;
    std::uint8_t action = 0;  // FR_ACT_*
    std::uint32_t table = 0;
    std::string from{};
    std::string to{};
    std::string iif{};
    std::string oif{};
    std::optional<std::uint32_t> fwmark{};
    std::uint32_t fwmask = 0;
};

// The end of a dump; `error` is an errno when it was refused, `interrupted` when what is dumped changed meanwhile.
struct DumpEnd {
    int error = 0;
    bool interrupted = false;
};

using Message = std::variant<LinkMessage, AddressMessage, RouteMessage, RuleMessage, DumpEnd>;

// At most this many next hops of a route are read.
inline constexpr std::size_t kNextHopsMax = 64;

// Hands every message of a datagram that is understood to `take`, in order. False when the bytes end in the middle of one.
bool read_messages(std::span<const std::byte> datagram, const std::function<void(const Message&)>& take);

// The request for a dump of all of `type` (RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE).
std::vector<std::byte> dump_request(std::uint16_t type, std::uint8_t family, std::uint32_t sequence);

}  // namespace nw::probe::rtnetlink
