// An ICMP error as path measurements read it: the packet it quotes, whatever protocol that was, and what the router
// added in extensions (RFC 792, RFC 4443, RFC 4884; MPLS labels RFC 4950; interface information RFC 5837). Pure.
//
// Routers write the extensions: their number is bounded, each length is checked, a damaged structure is left out whole.
#pragma once

#include "packet/ip.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nw::packet {

struct MplsLabel {
    std::uint32_t label = 0;
    std::uint8_t traffic_class = 0;
    bool bottom = false;
    std::uint8_t ttl = 0;
    friend bool operator==(const MplsLabel&, const MplsLabel&) = default;
};

// RFC 5837, 4.1.
enum class InterfaceRole : std::uint8_t { Incoming = 0, SubIp = 1, Outgoing = 2, NextHop = 3 };

struct InterfaceInfo {
    InterfaceRole role = InterfaceRole::Incoming;
    std::optional<std::uint32_t> index{};
    std::optional<Address> address{};
    std::string name{};  // clean UTF-8, or empty
    std::optional<std::uint32_t> mtu{};
    friend bool operator==(const InterfaceInfo&, const InterfaceInfo&) = default;
};

inline constexpr std::size_t kMplsLabelsMax = 16;
inline constexpr std::size_t kInterfaceInfosMax = 4;

struct Quotation {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t mtu = 0;  // with "fragmentation needed" or "packet too big", where the router says it
    IpHeader ip{};          // of the quoted packet, as the router saw it
    Bytes transport{};      // behind that header, as far as it was quoted
    std::vector<MplsLabel> mpls{};
    std::vector<InterfaceInfo> interfaces{};
};

// `bytes` begin with the ICMP header. Nothing: not a final error (is_final_error), or nothing usable is quoted.
std::optional<Quotation> decode_quotation(Family family, Bytes bytes);

}  // namespace nw::packet
