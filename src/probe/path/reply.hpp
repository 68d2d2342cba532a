// What a path measurement sends and what comes back, as values.
#pragma once

#include "packet/quotation.hpp"
#include "probe/moment.hpp"
#include "probe/network.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace nw::probe::path {

enum class Protocol : std::uint8_t { Icmp, Udp, Tcp };

// Which packet of the engine: a slot, its tenant, and a number that grows with each packet.
struct Identity {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    std::uint64_t seq = 0;

    friend bool operator==(const Identity&, const Identity&) = default;
};

// Flows differ in what routers balance by (ports, ICMP identifier and checksum, IPv6 flow label); everything inside
// one flow is equal there, in every packet (Paris traceroute, IMC 2006).
inline constexpr std::uint16_t kFlowsMax = 1024;

struct Outgoing {
    Identity id{};
    std::uint32_t socket = 0;
    packet::Address source{};
    Destination to{};
    Protocol protocol = Protocol::Icmp;
    std::uint16_t port = 0;  // of the destination; none with ICMP
    std::uint16_t flow = 0;
    std::uint16_t size = 64;  // of the whole IP packet; raised to what the protocol takes at least
    std::uint8_t ttl = 1;
    std::uint8_t dscp = 0;
    bool dont_fragment = false;
};

enum class Answer : std::uint8_t {
    Exceeded,     // a router on the way
    Arrived,      // the destination itself
    Unreachable,  // somebody says that it goes no further
    TooBig,       // the next link does not take a packet of this size
};

constexpr bool ends_path(Answer answer) { return answer != Answer::Exceeded; }

// How the packet differed from the one that was sent when the responder saw it, as far as it was quoted.
struct Alterations {
    std::uint8_t ttl = 1;  // 1 or 0 from a router that counts like others
    std::optional<packet::Address> source{};
    std::optional<packet::Address> destination{};
    bool ports = false;  // or the ICMP identifier
    std::optional<std::uint8_t> dscp{};
    std::optional<std::uint8_t> ecn{};
    std::optional<std::uint16_t> mss{};

    bool translated() const { return source || destination || ports; }
    friend bool operator==(const Alterations&, const Alterations&) = default;
};

struct Reply {
    Identity id{};
    bool of_flow = false;  // it belongs to the flow of `id`, and does not say to which packet
    Answer answer = Answer::Exceeded;
    packet::Address responder{};
    std::optional<KernelTime> received{};
    std::optional<std::uint8_t> ttl{};  // of the reply
    std::uint8_t type = 0;              // of the ICMP message
    std::uint8_t code = 0;
    std::uint32_t mtu = 0;  // with TooBig, where it is told
    bool quoted = false;    // `altered` says something
    Alterations altered{};
    std::vector<packet::MplsLabel> mpls{};
    std::vector<packet::InterfaceInfo> interfaces{};
};

}  // namespace nw::probe::path
