// UDP and TCP headers as path measurements send and read them (RFC 768, RFC 9293). Pure: bytes in, values out, and back.
//
// An ICMP error may quote no more than the first 8 bytes of a transport header: what lies behind them is optional.
#pragma once

#include "packet/checksum.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace nw::packet {

inline constexpr std::size_t kUdpHeaderBytes = 8;
inline constexpr std::size_t kUdpChecksumOffset = 6;
inline constexpr std::size_t kTcpHeaderBytes = 20;
inline constexpr std::size_t kTcpMssBytes = 4;  // the option that announces it
inline constexpr std::size_t kTcpChecksumOffset = 16;

struct UdpHeader {
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint16_t length = 0;    // header and payload
    std::uint16_t checksum = 0;  // in the order of the wire, as a number
    friend bool operator==(const UdpHeader&, const UdpHeader&) = default;
};

std::optional<UdpHeader> decode_udp(Bytes bytes);
void encode_udp(const UdpHeader& header, std::span<std::uint8_t, kUdpHeaderBytes> out);

struct TcpFlags {
    bool syn = false;
    bool ack = false;
    bool rst = false;
    friend bool operator==(const TcpFlags&, const TcpFlags&) = default;
};

struct TcpHeader {
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint32_t seq = 0;
    // Of a quotation that was cut off these are absent, or as far as they go.
    std::optional<std::uint32_t> ack{};
    std::optional<TcpFlags> flags{};
    std::optional<std::uint16_t> mss{};
    friend bool operator==(const TcpHeader&, const TcpHeader&) = default;
};

std::optional<TcpHeader> decode_tcp(Bytes bytes);
// A SYN that announces `mss`, checksum zero: 24 bytes.
void encode_tcp_syn(const TcpHeader& header, std::span<std::uint8_t, kTcpHeaderBytes + kTcpMssBytes> out);

}  // namespace nw::packet
