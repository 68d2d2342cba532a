// IP headers, both families behind one value (RFC 791, RFC 8200). Pure: bytes in, values out, and back.
//
// What is decoded may be cut short behind the header, as quotations in ICMP errors are: lengths are what the header
// says, not what is there.
#pragma once

#include "packet/address.hpp"
#include "packet/checksum.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace nw::packet {

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmp6 = 58;
inline constexpr std::size_t kIpv4HeaderBytes = 20;
inline constexpr std::size_t kIpv6HeaderBytes = 40;

struct IpHeader {
    Address source{};
    Address destination{};
    std::size_t header_bytes = 0;
    std::size_t total_bytes = 0;
    std::uint8_t tos = 0;  // DSCP and ECN; the traffic class of IPv6
    std::uint8_t ttl = 0;  // the hop limit of IPv6
    std::uint8_t protocol = 0;
    std::uint16_t id = 0;  // IPv4 only
    bool dont_fragment = false;
    bool fragment = false;         // not the first one: there is no transport header in it
    std::uint32_t flow_label = 0;  // IPv6 only

    friend bool operator==(const IpHeader&, const IpHeader&) = default;
};

constexpr std::size_t header_bytes_of(Family family) { return family == Family::V4 ? kIpv4HeaderBytes : kIpv6HeaderBytes; }

std::optional<IpHeader> decode_ipv4(Bytes bytes);
// Extension headers are not followed: `protocol` is what comes next, whatever that is.
std::optional<IpHeader> decode_ipv6(Bytes bytes);
std::optional<IpHeader> decode_ip(Family family, Bytes bytes);

// Writes a header without options; `header.total_bytes` counts, `header_bytes` does not. The IPv4 checksum is filled in.
// Needs room for header_bytes_of(family).
void encode_ip(const IpHeader& header, std::span<std::uint8_t> out);

// The sum of the pseudo-header in front of `length` bytes of transport (RFC 9293, 3.1; RFC 8200, 8.1).
std::uint64_t pseudo_header_sum(const IpHeader& header, std::size_t length);

}  // namespace nw::packet
