#include "packet/transport.hpp"

#include "packet/bytes.hpp"

#include <algorithm>

namespace nw::packet {
namespace {

constexpr std::uint8_t kRst = 0x04, kSyn = 0x02, kAck = 0x10;
constexpr std::uint8_t kOptionEnd = 0, kOptionNothing = 1, kOptionMss = 2;
constexpr std::uint16_t kWindow = 64240;

std::optional<std::uint16_t> mss_option(Bytes options)
{
    for (std::size_t at = 0; at < options.size();) {
        if (options[at] == kOptionEnd) break;
        if (options[at] == kOptionNothing) {
            ++at;
            continue;
        }
        if (at + 2 > options.size()) break;
        const std::size_t length = options[at + 1];
        if (length < 2 || at + length > options.size()) break;
        if (options[at] == kOptionMss && length == kTcpMssBytes) return get16(options, at + 2);
        at += length;
    }
    return std::nullopt;
}

}  // namespace

std::optional<UdpHeader> decode_udp(Bytes bytes)
{
    if (bytes.size() < kUdpHeaderBytes) return std::nullopt;
    return UdpHeader{get16(bytes, 0), get16(bytes, 2), get16(bytes, 4), get16(bytes, 6)};
}

void encode_udp(const UdpHeader& header, std::span<std::uint8_t, kUdpHeaderBytes> out)
{
    put16(out, 0, header.source_port);
    put16(out, 2, header.destination_port);
    put16(out, 4, header.length);
    put16(out, 6, header.checksum);
}

std::optional<TcpHeader> decode_tcp(Bytes bytes)
{
    if (bytes.size() < 8) return std::nullopt;
    TcpHeader header{.source_port = get16(bytes, 0), .destination_port = get16(bytes, 2), .seq = get32(bytes, 4)};
    if (bytes.size() >= 12) header.ack = get32(bytes, 8);
    if (bytes.size() < 14) return header;
    header.flags = TcpFlags{.syn = (bytes[13] & kSyn) != 0, .ack = (bytes[13] & kAck) != 0, .rst = (bytes[13] & kRst) != 0};
    const auto header_bytes = std::min(std::size_t(bytes[12] >> 4) * 4, bytes.size());
    if (header_bytes > kTcpHeaderBytes) header.mss = mss_option(bytes.first(header_bytes).subspan(kTcpHeaderBytes));
    return header;
}

void encode_tcp_syn(const TcpHeader& header, std::span<std::uint8_t, kTcpHeaderBytes + kTcpMssBytes> out)
{
    std::ranges::fill(out, std::uint8_t{0});
    put16(out, 0, header.source_port);
    put16(out, 2, header.destination_port);
    put32(out, 4, header.seq);
    out[12] = std::uint8_t((kTcpHeaderBytes + kTcpMssBytes) / 4 << 4);
    out[13] = kSyn;
    put16(out, 14, kWindow);
    out[20] = kOptionMss;
    out[21] = kTcpMssBytes;
    put16(out, 22, header.mss.value_or(0));
}

}  // namespace nw::packet
