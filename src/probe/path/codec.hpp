// The bytes of a trace: builds each packet and finds out whose packet a reply is about. Pure.
//
// 1. Every packet carries a 16-bit token: as IPv4 identification, and as ICMP sequence, UDP checksum or the upper half
//    of the TCP sequence. These are fields that no router balances by. Two bytes of payload make up for the token, so
//    that the ICMP checksum is the same for all packets of a flow, and the UDP checksum is right.
// 2. The flow is the ICMP identifier and checksum, the source port, and the IPv6 flow label.
// 3. A quotation is ours when at least two of identification, token and flow fit what was sent with that token; so it
//    is still found when an address translator has rewritten one of them.
// 4. Tokens are remembered until as many others have been used; the memory grows to 65,535 when they turn over in
//    under ten seconds.
#pragma once

#include "base/random.hpp"
#include "probe/path/reply.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nw::probe::path {

using packet::Bytes;

inline constexpr std::size_t kPacketBytesMin = 64;  // of the largest header stack
inline constexpr std::size_t kPacketBytesMax = 9216;

class Codec {
public:
    explicit Codec(Random& random);

    // The first of the kFlowsMax ports and identifiers that this codec uses; a multiple of kFlowsMax.
    std::uint16_t flow_base() const { return base_; }

    // Writes the packet and remembers it; returns its size. `out` has room for packet.size, and for kPacketBytesMin.
    std::size_t encode(const Outgoing& packet, Moment now, std::span<std::uint8_t> out);

    // `bytes` begin with the ICMP header.
    std::optional<Reply> decode_icmp(const packet::Address& from, Bytes bytes) const;
    // `bytes` begin with the TCP header.
    std::optional<Reply> decode_tcp(const packet::Address& from, Bytes bytes) const;
    // `bytes` begin with the UDP header: data that the destination answers with. It names no packet: it is taken for an
    // answer to the flow, and `id` is its latest packet.
    std::optional<Reply> decode_udp(const packet::Address& from, Bytes bytes) const;

private:
    struct Sent {
        Identity id{};
        packet::Address source{};
        packet::Address destination{};
        std::uint16_t token = 0;  // 0: nothing was sent in this place yet
        std::uint16_t flow_id = 0;
        std::uint16_t port = 0;
        Protocol protocol = Protocol::Icmp;
        std::uint8_t dscp = 0;
    };
    struct Quoted {
        std::uint16_t token = 0;
        std::uint16_t flow_id = 0;
        std::uint16_t port = 0;
        Protocol protocol = Protocol::Icmp;
        std::optional<std::uint16_t> mss{};
    };

    std::uint16_t remember(const Outgoing& packet, Moment now);
    const Sent& at(std::uint16_t token) const { return sent_[token & (sent_.size() - 1)]; }
    // Where the two bytes that make up for the token have their place.
    std::size_t write_icmp(const Sent& sent, packet::Family family, std::span<std::uint8_t> transport) const;
    static std::size_t write_udp(const Sent& sent, std::span<std::uint8_t> transport);
    void write_tcp(const Sent& sent, const packet::IpHeader& ip, std::span<std::uint8_t> transport) const;
    std::uint16_t checksum_of_flow(std::uint16_t flow_id) const;
    static std::optional<Quoted> read_quoted(const packet::Quotation& quotation);
    const Sent* find(const packet::Quotation& quotation, const Quoted& quoted) const;
    std::optional<Reply> decode_echo(const packet::Address& from, Bytes bytes) const;
    static Alterations compare(const Sent& sent, const packet::Quotation& quotation, const Quoted& quoted);

    std::uint16_t base_;
    std::uint32_t key_;
    std::vector<Sent> sent_ = std::vector<Sent>(1024);  // a power of two, at most 65536
    std::uint32_t next_ = 1;
    Moment lap_started_{};
};

}  // namespace nw::probe::path
