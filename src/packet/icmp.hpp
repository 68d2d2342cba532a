// ICMP echo and ICMP errors about echoes, for IPv4 (RFC 792) and IPv6 (RFC 4443). Pure: bytes in, values out.
//
// Everything that is decoded came from the network: each length is checked, nothing is read beyond the span,
// and views in the results point into the caller's bytes.
#pragma once

#include "packet/address.hpp"
#include "packet/checksum.hpp"
#include "packet/ip.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace nw::packet {

inline constexpr std::size_t kIcmpHeaderBytes = 8;

struct Echo {
    bool request = false;
    std::uint16_t id = 0;
    std::uint16_t seq = 0;
    Bytes payload{};
};

// A router or host says that an echo request of ours got no further.
struct IcmpError {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t mtu = 0;  // with "fragmentation needed" or "packet too big", where the router says it
    Address destination{};  // of the quoted request
    std::uint16_t id = 0;
    std::uint16_t seq = 0;
    Bytes payload{};  // what the router quoted of it, often nothing
};

using IcmpMessage = std::variant<std::monostate, Echo, IcmpError>;

// `bytes` begin with the ICMP header. std::monostate: well-formed or not, it is none of our business.
IcmpMessage decode_icmp(Family family, Bytes bytes);

// Writes the 8 bytes in front of an echo request's payload, checksum zero.
void encode_echo_request(Family family, std::uint16_t id, std::uint16_t seq, std::span<std::uint8_t, 8> out);
inline constexpr std::size_t kIcmpChecksumOffset = 2;

// Errors that concern a request for good; others (source quench, redirect) do not end it.
bool is_final_error(Family family, std::uint8_t type);
// What a router says the next link takes; 0: it says nothing. `bytes` begin with the ICMP header, all 8 bytes of it.
std::uint32_t next_hop_mtu(Family family, Bytes bytes);
// "host unreachable", "fragmentation needed, MTU 1400", or "type 3 code 42".
std::string describe(Family family, std::uint8_t type, std::uint8_t code, std::uint32_t mtu);
inline std::string describe(Family family, const IcmpError& error)
{
    return describe(family, error.type, error.code, error.mtu);
}

}  // namespace nw::packet
