#include "packet/icmp.hpp"

#include <algorithm>
#include <array>

namespace nw::packet {
namespace {

constexpr std::uint8_t kProtocolIcmp = 1;
constexpr std::uint8_t kProtocolIcmp6 = 58;
constexpr std::size_t kIpv6HeaderBytes = 40;

struct Types {
    std::uint8_t request, reply;
};
constexpr Types kV4{8, 0};
constexpr Types kV6{128, 129};
constexpr Types types_of(Family family) { return family == Family::V4 ? kV4 : kV6; }

std::uint16_t get16(Bytes bytes, std::size_t at) { return std::uint16_t(bytes[at] << 8 | bytes[at + 1]); }
void put16(std::span<std::uint8_t> out, std::size_t at, std::uint16_t value)
{
    out[at] = std::uint8_t(value >> 8);
    out[at + 1] = std::uint8_t(value);
}

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
    if (bytes.size() < kIpv6HeaderBytes || bytes[0] >> 4 != 6 || bytes[6] != kProtocolIcmp6) return std::nullopt;
    return Quoted{*address_from(bytes.subspan(24, 16)), bytes.subspan(kIpv6HeaderBytes)};
}

std::uint32_t mtu_of(Family family, Bytes bytes)
{
    if (family == Family::V4 && bytes[0] == 3 && bytes[1] == 4) return get16(bytes, 6);  // RFC 1191, 4
    if (family == Family::V6 && bytes[0] == 2)                                           // RFC 4443, 3.2
        return std::uint32_t(get16(bytes, 4)) << 16 | get16(bytes, 6);
    return 0;
}

IcmpMessage decode_error(Family family, Bytes bytes)
{
    const auto quoted = decode_quoted(family, bytes.subspan(kIcmpHeaderBytes));
    if (!quoted || quoted->icmp.size() < kIcmpHeaderBytes) return {};
    if (quoted->icmp[0] != types_of(family).request || quoted->icmp[1] != 0) return {};
    return IcmpError{.type = bytes[0],
                     .code = bytes[1],
                     .mtu = mtu_of(family, bytes),
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

std::string_view name_of(Family family, const IcmpError& error)
{
    const bool v4 = family == Family::V4;
    if (error.type == (v4 ? 3 : 1)) {
        if (v4 && error.code < kUnreachableV4.size()) return kUnreachableV4[error.code];
        if (!v4 && error.code < kUnreachableV6.size()) return kUnreachableV6[error.code];
    }
    if (!v4 && error.type == 2) return "packet too big";
    if (error.type == (v4 ? 11 : 3)) return error.code == 0 ? "time to live exceeded" : "reassembly time exceeded";
    if (error.type == (v4 ? 12 : 4)) return "parameter problem";
    return {};
}

}  // namespace

std::optional<Ipv4Header> decode_ipv4(Bytes bytes)
{
    if (bytes.size() < 20 || bytes[0] >> 4 != 4) return std::nullopt;
    Ipv4Header header;
    header.header_bytes = std::size_t(bytes[0] & 15) * 4;
    header.total_bytes = get16(bytes, 2);
    if (header.header_bytes < 20 || header.header_bytes > bytes.size()) return std::nullopt;
    header.tos = bytes[1];
    header.fragment = (get16(bytes, 6) & 0x1fff) != 0;
    header.ttl = bytes[8];
    header.protocol = bytes[9];
    header.source = *address_from(bytes.subspan(12, 4));
    header.destination = *address_from(bytes.subspan(16, 4));
    return header;
}

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

std::string describe(Family family, const IcmpError& error)
{
    auto text = std::string(name_of(family, error));
    if (text.empty()) text = "type " + std::to_string(error.type) + " code " + std::to_string(error.code);
    if (error.mtu != 0) text += ", MTU " + std::to_string(error.mtu);
    return text;
}

}  // namespace nw::packet
