#include "packet/ip.hpp"

#include "packet/bytes.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace nw::packet {
namespace {

constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kFragmentOffset = 0x1fff;
constexpr std::uint8_t kFragmentHeader = 44;

void encode_ipv4(const IpHeader& header, std::span<std::uint8_t, kIpv4HeaderBytes> out)
{
    std::ranges::fill(out, std::uint8_t{0});
    out[0] = 0x45;
    out[1] = header.tos;
    put16(out, 2, std::uint16_t(header.total_bytes));
    put16(out, 4, header.id);
    put16(out, 6, header.dont_fragment ? kDontFragment : 0);
    out[8] = header.ttl;
    out[9] = header.protocol;
    std::copy_n(header.source.bytes.begin(), 4, out.begin() + 12);
    std::copy_n(header.destination.bytes.begin(), 4, out.begin() + 16);
    const auto sum = checksum(out);
    std::memcpy(out.data() + 10, &sum, sizeof sum);
}

void encode_ipv6(const IpHeader& header, std::span<std::uint8_t, kIpv6HeaderBytes> out)
{
    put32(out, 0, 6U << 28 | std::uint32_t(header.tos) << 20 | (header.flow_label & 0xfffff));
    put16(out, 4, std::uint16_t(header.total_bytes - kIpv6HeaderBytes));
    out[6] = header.protocol;
    out[7] = header.ttl;
    std::ranges::copy(header.source.bytes, out.begin() + 8);
    std::ranges::copy(header.destination.bytes, out.begin() + 24);
}

}  // namespace

std::optional<IpHeader> decode_ipv4(Bytes bytes)
{
    if (bytes.size() < kIpv4HeaderBytes || bytes[0] >> 4 != 4) return std::nullopt;
    IpHeader header;
    header.header_bytes = std::size_t(bytes[0] & 15) * 4;
    header.total_bytes = get16(bytes, 2);
    if (header.header_bytes < kIpv4HeaderBytes || header.header_bytes > bytes.size()) return std::nullopt;
    header.tos = bytes[1];
    header.id = get16(bytes, 4);
    header.dont_fragment = (get16(bytes, 6) & kDontFragment) != 0;
    header.fragment = (get16(bytes, 6) & kFragmentOffset) != 0;
    header.ttl = bytes[8];
    header.protocol = bytes[9];
    header.source = *address_from(bytes.subspan(12, 4));
    header.destination = *address_from(bytes.subspan(16, 4));
    return header;
}

std::optional<IpHeader> decode_ipv6(Bytes bytes)
{
    if (bytes.size() < kIpv6HeaderBytes || bytes[0] >> 4 != 6) return std::nullopt;
    return IpHeader{.source = *address_from(bytes.subspan(8, 16)),
                    .destination = *address_from(bytes.subspan(24, 16)),
                    .header_bytes = kIpv6HeaderBytes,
                    .total_bytes = kIpv6HeaderBytes + get16(bytes, 4),
                    .tos = std::uint8_t(get16(bytes, 0) >> 4),
                    .ttl = bytes[7],
                    .protocol = bytes[6],
                    .dont_fragment = true,
                    .fragment = bytes[6] == kFragmentHeader,
                    .flow_label = get32(bytes, 0) & 0xfffff};
}

std::optional<IpHeader> decode_ip(Family family, Bytes bytes)
{
    return family == Family::V4 ? decode_ipv4(bytes) : decode_ipv6(bytes);
}

void encode_ip(const IpHeader& header, std::span<std::uint8_t> out)
{
    if (header.destination.family == Family::V4) encode_ipv4(header, out.first<kIpv4HeaderBytes>());
    else encode_ipv6(header, out.first<kIpv6HeaderBytes>());
}

std::uint64_t pseudo_header_sum(const IpHeader& header, std::size_t length)
{
    const auto size = header.destination.size();
    auto sum = checksum_add(0, {header.source.bytes.data(), size});
    sum = checksum_add(sum, {header.destination.bytes.data(), size});
    std::array<std::uint8_t, 8> tail{};
    put32(tail, 0, std::uint32_t(length));
    tail[7] = header.protocol;
    return checksum_add(sum, tail);
}

}  // namespace nw::packet
