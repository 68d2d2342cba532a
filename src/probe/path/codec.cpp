#include "probe/path/codec.hpp"

#include "packet/bytes.hpp"
#include "packet/icmp.hpp"
#include "packet/transport.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace nw::probe::path {

using packet::Family;

namespace {

constexpr std::size_t kCompensationBytes = 2;
// Announced in SYNs, and what segment clamping on the way would lower.
constexpr std::uint16_t kMss = 1460;
// Source ports and identifiers lie below the range that Linux gives to others (32768 and up).
constexpr std::uint16_t kBlockFirst = 16;
constexpr std::uint16_t kBlocks = 16;

std::uint8_t protocol_number(Protocol protocol, Family family)
{
    if (protocol == Protocol::Udp) return packet::kProtocolUdp;
    if (protocol == Protocol::Tcp) return packet::kProtocolTcp;
    return family == Family::V4 ? packet::kProtocolIcmp : packet::kProtocolIcmp6;
}

std::optional<Protocol> protocol_of(std::uint8_t number, Family family)
{
    for (const auto protocol : {Protocol::Icmp, Protocol::Udp, Protocol::Tcp})
        if (protocol_number(protocol, family) == number) return protocol;
    return std::nullopt;
}

std::size_t transport_bytes_min(Protocol protocol)
{
    if (protocol == Protocol::Tcp) return packet::kTcpHeaderBytes + packet::kTcpMssBytes;
    return (protocol == Protocol::Udp ? packet::kUdpHeaderBytes : packet::kIcmpHeaderBytes) + kCompensationBytes;
}

// Sets the two bytes at `at` so that the whole sums up to a right checksum: `sum` is that of everything else, the
// checksum field included.
void compensate(std::span<std::uint8_t> bytes, std::size_t at, std::uint64_t sum)
{
    const auto missing = packet::checksum_finish(sum);
    std::memcpy(bytes.data() + at, &missing, sizeof missing);
}

Answer answer_of(Family family, const packet::Quotation& quotation, bool from_destination)
{
    const bool v4 = family == Family::V4;
    if (quotation.type == (v4 ? 11 : 3)) return Answer::Exceeded;
    if (v4 ? quotation.type == 3 && quotation.code == 4 : quotation.type == 2) return Answer::TooBig;
    // The destination has no such port or protocol: the packet has arrived.
    const bool refused = v4 ? quotation.type == 3 && (quotation.code == 2 || quotation.code == 3)
                            : (quotation.type == 1 && quotation.code == 4) || quotation.type == 4;
    return refused && from_destination ? Answer::Arrived : Answer::Unreachable;
}

}  // namespace

Codec::Codec(Random& random)
    : base_(std::uint16_t((kBlockFirst + random.below(kBlocks)) * kFlowsMax)), key_(std::uint32_t(random.u64()))
{}

std::uint16_t Codec::remember(const Outgoing& packet, Moment now)
{
    const auto size = std::uint32_t(sent_.size());
    if ((next_ & (size - 1)) == 0) {
        if (now - lap_started_ < Seconds(10) && lap_started_ != Moment{} && size < 65536) {
            std::vector<Sent> larger(size * 2);
            for (const auto& entry : sent_) larger[entry.token & (size * 2 - 1)] = entry;
            sent_ = std::move(larger);
        }
        lap_started_ = now;
    }
    const auto token = std::uint16_t(next_);
    next_ = next_ == 0xffff ? 1 : next_ + 1;  // 0 would be "no checksum" of UDP
    sent_[token & (sent_.size() - 1)] = {.id = packet.id,
                                         .source = packet.source,
                                         .destination = packet.to.address,
                                         .token = token,
                                         .flow_id = std::uint16_t(base_ + packet.flow % kFlowsMax),
                                         .port = packet.port,
                                         .protocol = packet.protocol,
                                         .dscp = packet.dscp};
    return token;
}

std::uint16_t Codec::checksum_of_flow(std::uint16_t flow_id) const
{
    // Any constant of the flow that is neither zero nor all ones.
    const auto mixed = (flow_id ^ key_) * 0x9e3779b1U;
    return std::uint16_t(0x0101 | (mixed >> 16 & 0x7efe));
}

std::size_t Codec::write_icmp(const Sent& sent, Family family, std::span<std::uint8_t> transport) const
{
    packet::encode_echo_request(family, sent.flow_id, sent.token, transport.first<8>());
    packet::put16(transport, packet::kIcmpChecksumOffset, checksum_of_flow(sent.flow_id));
    return packet::kIcmpHeaderBytes;
}

std::size_t Codec::write_udp(const Sent& sent, std::span<std::uint8_t> transport)
{
    packet::encode_udp({sent.flow_id, sent.port, std::uint16_t(transport.size()), sent.token},
                       transport.first<packet::kUdpHeaderBytes>());
    return packet::kUdpHeaderBytes;
}

void Codec::write_tcp(const Sent& sent, const packet::IpHeader& ip, std::span<std::uint8_t> transport) const
{
    packet::encode_tcp_syn({.source_port = sent.flow_id,
                            .destination_port = sent.port,
                            .seq = std::uint32_t(sent.token) << 16 | (key_ & 0xffff),
                            .mss = kMss},
                           transport.first<packet::kTcpHeaderBytes + packet::kTcpMssBytes>());
    const auto sum = packet::checksum_add(packet::pseudo_header_sum(ip, transport.size()), transport);
    const auto checksum = packet::checksum_finish(sum);
    std::memcpy(transport.data() + packet::kTcpChecksumOffset, &checksum, sizeof checksum);
}

std::size_t Codec::encode(const Outgoing& packet, Moment now, std::span<std::uint8_t> out)
{
    const auto family = packet.to.address.family;
    const auto& sent = at(remember(packet, now));
    const auto ip_bytes = packet::header_bytes_of(family);
    auto size = std::clamp<std::size_t>(packet.size, ip_bytes + transport_bytes_min(packet.protocol), kPacketBytesMax);
    if (packet.protocol == Protocol::Tcp) size = ip_bytes + transport_bytes_min(packet.protocol);  // a SYN has no payload
    const packet::IpHeader ip{
        .source = packet.source,
        .destination = packet.to.address,
        .total_bytes = size,
        .tos = std::uint8_t(packet.dscp << 2),
        .ttl = packet.ttl,
        .protocol = protocol_number(packet.protocol, family),
        .id = sent.token,
        .dont_fragment = packet.dont_fragment,
        .flow_label = ((sent.flow_id ^ key_) * 0x9e3779b1U >> 12 & 0xfffff) | 1,
    };
    packet::encode_ip(ip, out);
    const auto transport = out.subspan(ip_bytes, size - ip_bytes);
    if (packet.protocol == Protocol::Tcp) {
        write_tcp(sent, ip, transport);
        return size;
    }
    std::ranges::fill(transport, std::uint8_t{0});
    const bool icmp = packet.protocol == Protocol::Icmp;
    const auto at = icmp ? write_icmp(sent, family, transport) : write_udp(sent, transport);
    // The pseudo-header counts for all but ICMP over IPv4.
    const auto sum = icmp && family == Family::V4 ? 0 : packet::pseudo_header_sum(ip, transport.size());
    compensate(transport, at, packet::checksum_add(sum, transport));
    return size;
}

std::optional<Codec::Quoted> Codec::read_quoted(const packet::Quotation& quotation)
{
    const auto protocol = protocol_of(quotation.ip.protocol, quotation.ip.destination.family);
    const auto bytes = quotation.transport;
    if (!protocol || bytes.size() < 8) return std::nullopt;
    if (*protocol == Protocol::Icmp) {
        if (bytes[0] != (quotation.ip.destination.family == Family::V4 ? 8 : 128)) return std::nullopt;
        return Quoted{.token = packet::get16(bytes, 6), .flow_id = packet::get16(bytes, 4), .protocol = *protocol};
    }
    if (*protocol == Protocol::Udp) {
        const auto udp = packet::decode_udp(bytes);
        return Quoted{
            .token = udp->checksum, .flow_id = udp->source_port, .port = udp->destination_port, .protocol = *protocol};
    }
    const auto tcp = packet::decode_tcp(bytes);
    return Quoted{.token = std::uint16_t(tcp->seq >> 16),
                  .flow_id = tcp->source_port,
                  .port = tcp->destination_port,
                  .protocol = *protocol,
                  .mss = tcp->mss};
}

const Codec::Sent* Codec::find(const packet::Quotation& quotation, const Quoted& quoted) const
{
    const bool v4 = quotation.ip.destination.family == Family::V4;
    for (const auto token : {quoted.token, v4 ? quotation.ip.id : std::uint16_t{0}}) {
        const auto& sent = at(token);
        if (token == 0 || sent.token != token || sent.protocol != quoted.protocol) continue;
        if (sent.destination.family != quotation.ip.destination.family) continue;
        const int fitting = (quoted.token == token) + (v4 && quotation.ip.id == token) + (quoted.flow_id == sent.flow_id);
        const bool where = quotation.ip.destination == sent.destination || fitting == 3;
        if (fitting >= 2 && where && quoted.port == sent.port) return &sent;
    }
    return nullptr;
}

Alterations Codec::compare(const Sent& sent, const packet::Quotation& quotation, const Quoted& quoted)
{
    Alterations altered{.ttl = quotation.ip.ttl};
    if (quotation.ip.source != sent.source) altered.source = quotation.ip.source;
    if (quotation.ip.destination != sent.destination) altered.destination = quotation.ip.destination;
    altered.ports = quoted.flow_id != sent.flow_id;
    if (quotation.ip.tos >> 2 != sent.dscp) altered.dscp = std::uint8_t(quotation.ip.tos >> 2);
    if ((quotation.ip.tos & 3) != 0) altered.ecn = std::uint8_t(quotation.ip.tos & 3);
    if (quoted.mss && *quoted.mss != kMss) altered.mss = quoted.mss;
    return altered;
}

std::optional<Reply> Codec::decode_echo(const packet::Address& from, Bytes bytes) const
{
    const auto message = packet::decode_icmp(from.family, bytes);
    const auto* echo = std::get_if<packet::Echo>(&message);
    if (!echo || echo->request || echo->seq == 0) return std::nullopt;
    const auto& sent = at(echo->seq);
    if (sent.token != echo->seq || sent.protocol != Protocol::Icmp || sent.flow_id != echo->id || sent.destination != from)
        return std::nullopt;
    return Reply{.id = sent.id, .answer = Answer::Arrived, .responder = from, .type = bytes[0]};
}

std::optional<Reply> Codec::decode_icmp(const packet::Address& from, Bytes bytes) const
{
    if (bytes.size() < packet::kIcmpHeaderBytes) return std::nullopt;
    if (!packet::is_final_error(from.family, bytes[0])) return decode_echo(from, bytes);
    auto quotation = packet::decode_quotation(from.family, bytes);
    if (!quotation) return std::nullopt;
    const bool reassembly = quotation->type == (from.family == Family::V4 ? 11 : 3) && quotation->code != 0;
    const auto quoted = read_quoted(*quotation);
    const auto* sent = quoted && !reassembly ? find(*quotation, *quoted) : nullptr;
    if (!sent) return std::nullopt;
    const bool arrived = from == sent->destination || from == quotation->ip.destination;
    return Reply{.id = sent->id,
                 .answer = answer_of(from.family, *quotation, arrived),
                 .responder = from,
                 .type = quotation->type,
                 .code = quotation->code,
                 .mtu = quotation->mtu,
                 .quoted = true,
                 .altered = compare(*sent, *quotation, *quoted),
                 .mpls = std::move(quotation->mpls),
                 .interfaces = std::move(quotation->interfaces)};
}

std::optional<Reply> Codec::decode_tcp(const packet::Address& from, Bytes bytes) const
{
    const auto tcp = packet::decode_tcp(bytes);
    if (!tcp || !tcp->flags || !tcp->flags->ack || !(tcp->flags->syn || tcp->flags->rst)) return std::nullopt;
    const auto seq = *tcp->ack - 1;
    const auto token = std::uint16_t(seq >> 16);
    const auto& sent = at(token);
    if (token == 0 || sent.token != token || (seq & 0xffff) != (key_ & 0xffff)) return std::nullopt;
    if (sent.protocol != Protocol::Tcp || sent.destination != from || sent.flow_id != tcp->destination_port
        || sent.port != tcp->source_port)
        return std::nullopt;
    return Reply{.id = sent.id, .answer = Answer::Arrived, .responder = from};
}

std::optional<Reply> Codec::decode_udp(const packet::Address& from, Bytes bytes) const
{
    const auto udp = packet::decode_udp(bytes);
    if (!udp) return std::nullopt;
    // Rare enough to go through what is remembered, the latest first.
    for (std::size_t back = 1; back <= sent_.size(); ++back) {
        const auto& sent = sent_[(next_ - back) & (sent_.size() - 1)];
        const bool fits = sent.token != 0 && sent.protocol == Protocol::Udp && sent.destination == from
                          && sent.flow_id == udp->destination_port && sent.port == udp->source_port;
        if (fits) return Reply{.id = sent.id, .of_flow = true, .answer = Answer::Arrived, .responder = from};
    }
    return std::nullopt;
}

}  // namespace nw::probe::path
