#include "packet/icmp.hpp"

#include "packet/bytes.hpp"

#include <algorithm>
#include <array>

namespace nw::packet {
namespace {

struct Types {
    std::uint8_t request, reply;
};
constexpr Types kV4{8, 0};
constexpr Types kV6{128, 129};
constexpr Types types_of(Family family) { return family == Family::V4 ? kV4 : kV6; }

struct Quoted {
    Address destination{};
    Bytes icmp{};
};

std::optional<Quoted> decode_quoted(Family family, Bytes bytes)
{
    if (family == Family::V4) {
        const auto header = decode_ipv4(bytes);
        if (!header || header->protocol != kProtocolIcmp || header->fragment) return std::nullopt;
        return Quoted{header->destination, bytes.subspan(header->header_bytes)};
    }
    // We never send extension headers, so the quotation of our request has none.
    const auto header = decode_ipv6(bytes);
    if (!header || header->protocol != kProtocolIcmp6) return std::nullopt;
    return Quoted{header->destination, bytes.subspan(kIpv6HeaderBytes)};
}

IcmpMessage decode_error(Family family, Bytes bytes)
{
    const auto quoted = decode_quoted(family, bytes.subspan(kIcmpHeaderBytes));
    if (!quoted || quoted->icmp.size() < kIcmpHeaderBytes) return {};
    if (quoted->icmp[0] != types_of(family).request || quoted->icmp[1] != 0) return {};
    return IcmpError{.type = bytes[0],
                     .code = bytes[1],
                     .mtu = next_hop_mtu(family, bytes),
                     .destination = quoted->destination,
                     .id = get16(quoted->icmp, 4),
                     .seq = get16(quoted->icmp, 6),
                     .payload = quoted->icmp.subspan(kIcmpHeaderBytes)};
}

constexpr std::array<std::string_view, 16> kUnreachableV4{"network unreachable",
                                                          "host unreachable",
                                                          "protocol unreachable",
                                                          "port unreachable",
                                                          "fragmentation needed",
                                                          "source route failed",
                                                          "network unknown",
                                                          "host unknown",
                                                          "source host isolated",
                                                          "network prohibited",
                                                          "host prohibited",
                                                          "network unreachable for this service",
                                                          "host unreachable for this service",
                                                          "communication prohibited",
                                                          "host precedence violation",
                                                          "precedence cutoff"};
constexpr std::array<std::string_view, 8> kUnreachableV6{"no route to destination",
                                                         "communication prohibited",
                                                         "beyond scope of source address",
                                                         "address unreachable",
                                                         "port unreachable",
                                                         "source address failed policy",
                                                         "route rejected",
                                                         "error in source routing header"};

std::string_view name_of(Family family, std::uint8_t type, std::uint8_t code)
{
    const bool v4 = family == Family::V4;
    if (type == (v4 ? 3 : 1)) {
        if (v4 && code < kUnreachableV4.size()) return kUnreachableV4[code];
        if (!v4 && code < kUnreachableV6.size()) return kUnreachableV6[code];
    }
    if (!v4 && type == 2) return "packet too big";
    if (type == (v4 ? 11 : 3)) return code == 0 ? "time to live exceeded" : "reassembly time exceeded";
    if (type == (v4 ? 12 : 4)) return "parameter problem";
    return {};
}

}  // namespace

IcmpMessage decode_icmp(Family family, Bytes bytes)
{
    if (bytes.size() < kIcmpHeaderBytes) return {};
    const auto type = bytes[0];
    if (type == types_of(family).reply || type == types_of(family).request) {
        if (bytes[1] != 0) return {};
        return Echo{.request = type == types_of(family).request,
                    .id = get16(bytes, 4),
                    .seq = get16(bytes, 6),
                    .payload = bytes.subspan(kIcmpHeaderBytes)};
    }
    return is_final_error(family, type) ? decode_error(family, bytes) : IcmpMessage{};
}

void encode_echo_request(Family family, std::uint16_t id, std::uint16_t seq, std::span<std::uint8_t, 8> out)
{
    std::ranges::fill(out, std::uint8_t{0});
    out[0] = types_of(family).request;
    put16(out, 4, id);
    put16(out, 6, seq);
}

bool is_final_error(Family family, std::uint8_t type)
{
    if (family == Family::V4) return type == 3 || type == 11 || type == 12;
    return type >= 1 && type <= 4;
}

std::uint32_t next_hop_mtu(Family family, Bytes bytes)
{
    if (family == Family::V4 && bytes[0] == 3 && bytes[1] == 4) return get16(bytes, 6);  // RFC 1191, 4
    if (family == Family::V6 && bytes[0] == 2) return get32(bytes, 4);                   // RFC 4443, 3.2
    return 0;
}

std::string describe(Family family, std::uint8_t type, std::uint8_t code, std::uint32_t mtu)
{
    auto text = std::string(name_of(family, type, code));
    if (text.empty()) text = "type " + std::to_string(type) + " code " + std::to_string(code);
    if (mtu != 0) text += ", MTU " + std::to_string(mtu);
    return text;
}

}  // namespace nw::packet
