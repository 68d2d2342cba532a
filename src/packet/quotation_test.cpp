#include "base/random.hpp"
#include "packet/bytes.hpp"
#include "packet/icmp.hpp"
#include "packet/quotation.hpp"
#include "packet/transport.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

namespace nw::packet {
namespace {

using Buffer = std::vector<std::uint8_t>;

void append(Buffer& to, const Buffer& more) { to.insert(to.end(), more.begin(), more.end()); }

IpHeader header_of(Family family, std::uint8_t protocol, std::size_t payload)
{
    const bool v4 = family == Family::V4;
    return {.source = *parse_address(v4 ? "192.0.2.1" : "2001:db8::1"),
            .destination = *parse_address(v4 ? "198.51.100.9" : "2001:db8:9::9"),
            .header_bytes = header_bytes_of(family),
            .total_bytes = header_bytes_of(family) + payload,
            .tos = 0xb8,
            .ttl = 7,
            .protocol = protocol,
            .id = std::uint16_t(v4 ? 0xbeef : 0),
            .dont_fragment = true,
            .flow_label = v4 ? 0 : 0x54321U};
}

Buffer udp_packet(Family family, std::size_t payload)
{
    const auto header = header_of(family, kProtocolUdp, kUdpHeaderBytes + payload);
    Buffer bytes(header.total_bytes);
    encode_ip(header, bytes);
    encode_udp({33000, 33434, std::uint16_t(kUdpHeaderBytes + payload), 0xabcd},
               std::span(bytes).subspan(header.header_bytes).first<kUdpHeaderBytes>());
    return bytes;
}

Buffer extension_structure(const Buffer& objects)
{
    Buffer bytes{0x20, 0, 0, 0};
    append(bytes, objects);
    const auto sum = checksum(bytes);
    std::memcpy(bytes.data() + 2, &sum, 2);
    return bytes;
}

// A time exceeded message; `stated`: with the length of RFC 4884.
Buffer time_exceeded(Family family, Buffer quoted, const Buffer& structure, bool stated)
{
    Buffer bytes{std::uint8_t(family == Family::V4 ? 11 : 3), 0, 0, 0, 0, 0, 0, 0};
    if (!structure.empty()) {
        quoted.resize(128);
        if (stated) bytes[family == Family::V4 ? 5 : 4] = std::uint8_t(family == Family::V4 ? 32 : 16);
    }
    append(bytes, quoted);
    append(bytes, structure);
    return bytes;
}

const Buffer kTwoLabels{0, 12, 1, 1, 0x00, 0x01, 0x06, 0x40, 0x12, 0x34, 0x51, 0x01};

}  // namespace

TEST_CASE("IP headers survive the wire")
{
    for (const auto family : {Family::V4, Family::V6}) {
        const auto header = header_of(family, kProtocolTcp, 24);
        Buffer bytes(header_bytes_of(family));
        encode_ip(header, bytes);
        CHECK(decode_ip(family, bytes) == header);
        if (family == Family::V4) CHECK(checksum(bytes) == 0);
        for (std::size_t length = 0; length < bytes.size(); ++length) CHECK(!decode_ip(family, Bytes(bytes).first(length)));
    }
}

TEST_CASE("the UDP checksum covers the pseudo-header")
{
    // 10.0.0.1:5353 -> 10.0.0.2:53, payload "hi": summed by hand.
    IpHeader header{
        .source = *parse_address("10.0.0.1"), .destination = *parse_address("10.0.0.2"), .protocol = kProtocolUdp};
    Buffer bytes(10);
    encode_udp({5353, 53, 10, 0}, std::span(bytes).first<8>());
    bytes[8] = 'h';
    bytes[9] = 'i';
    const auto sum = checksum_finish(checksum_add(pseudo_header_sum(header, bytes.size()), bytes));
    std::memcpy(bytes.data() + kUdpChecksumOffset, &sum, 2);
    CHECK(checksum_finish(checksum_add(pseudo_header_sum(header, bytes.size()), bytes)) == 0);
    // 0a00 + 0001 + 0a00 + 0002 + 0011 + 000a + 14e9 + 0035 + 000a + 6869 = 91af
    CHECK(decode_udp(bytes)->checksum == 0x6e50);
}

TEST_CASE("a SYN is read back whole, and as far as a quotation goes")
{
    std::array<std::uint8_t, 24> bytes{};
    encode_tcp_syn({.source_port = 40000, .destination_port = 443, .seq = 0xdeadbeef, .mss = std::uint16_t{1460}}, bytes);
    const auto whole = decode_tcp(bytes);
    REQUIRE(whole);
    CHECK((whole->source_port == 40000 && whole->destination_port == 443 && whole->seq == 0xdeadbeef));
    CHECK(whole->flags == TcpFlags{.syn = true});
    CHECK(whole->mss == 1460);
    const auto cut = decode_tcp(Bytes(bytes).first(8));
    REQUIRE(cut);
    CHECK(cut->seq == 0xdeadbeef);
    CHECK((!cut->flags && !cut->mss && !cut->ack));
    CHECK(!decode_tcp(Bytes(bytes).first(7)));
    CHECK(!decode_tcp(Bytes(bytes).first(22))->mss);  // the option is cut in two
}

TEST_CASE("the segment size is found behind other options, and damaged options end the search")
{
    const auto mss = [](const Buffer& options) {
        Buffer bytes(20);
        bytes[12] = std::uint8_t((20 + options.size()) / 4 << 4);
        append(bytes, options);
        return decode_tcp(bytes)->mss;
    };
    CHECK(mss({1, 1, 4, 2, 2, 4, 5, 100}) == 1380);
    CHECK(!mss({2, 0, 0, 0}));
    CHECK(!mss({0, 0, 0, 0, 2, 4, 5, 100}));
    CHECK(!mss({3, 60, 0, 0}));
}

TEST_CASE("an error quotes the packet with what became of it on the way")
{
    for (const auto family : {Family::V4, Family::V6}) {
        const auto message = time_exceeded(family, udp_packet(family, 30), {}, false);
        const auto quotation = decode_quotation(family, message);
        REQUIRE(quotation);
        CHECK(quotation->type == (family == Family::V4 ? 11 : 3));
        CHECK(quotation->ip == header_of(family, kProtocolUdp, 38));
        CHECK(quotation->transport.size() == 38);
        CHECK(decode_udp(quotation->transport)->source_port == 33000);
        CHECK(quotation->mpls.empty());
    }
}

TEST_CASE("MPLS labels, with the length of RFC 4884 and without it")
{
    for (const auto family : {Family::V4, Family::V6}) {
        for (const bool stated : {true, false}) {
            const auto quotation = decode_quotation(
                family, time_exceeded(family, udp_packet(family, 4), extension_structure(kTwoLabels), stated));
            REQUIRE(quotation);
            REQUIRE(quotation->mpls.size() == 2);
            CHECK(quotation->mpls[0] == MplsLabel{.label = 16, .traffic_class = 3, .bottom = false, .ttl = 64});
            CHECK(quotation->mpls[1] == MplsLabel{.label = 0x12345, .traffic_class = 0, .bottom = true, .ttl = 1});
            CHECK(quotation->transport.size() == 12);  // without the padding
        }
    }
}

TEST_CASE("interface information: index, address, name and MTU")
{
    Buffer object{0,  0,   2,   0x0f, 0,   0,   0,   7,   0,   1, 0, 0, 203, 0, 113,  5,
                  12, 'g', 'e', '-',  '0', '/', '0', '/', '1', 0, 0, 0, 0,   0, 0x05, 0xdc};
    object[1] = std::uint8_t(object.size());
    auto objects = kTwoLabels;
    append(objects, object);
    const auto quotation = decode_quotation(
        Family::V4, time_exceeded(Family::V4, udp_packet(Family::V4, 4), extension_structure(objects), true));
    REQUIRE(quotation);
    REQUIRE(quotation->interfaces.size() == 1);
    CHECK(quotation->interfaces[0]
          == InterfaceInfo{.role = InterfaceRole::Incoming,
                           .index = 7,
                           .address = *parse_address("203.0.113.5"),
                           .name = "ge-0/0/1",
                           .mtu = 1500});
    CHECK(quotation->mpls.size() == 2);
    object[3] |= 0x80;  // the role: outgoing
    const auto outgoing = decode_quotation(
        Family::V6, time_exceeded(Family::V6, udp_packet(Family::V6, 4), extension_structure(object), true));
    CHECK(outgoing->interfaces.at(0).role == InterfaceRole::Outgoing);
}

TEST_CASE("a damaged extension structure is left out, the quotation stays")
{
    auto structure = extension_structure(kTwoLabels);
    structure[6] ^= 1;
    for (const bool stated : {true, false}) {
        // A quotation is a view of the message.
        const auto message = time_exceeded(Family::V4, udp_packet(Family::V4, 4), structure, stated);
        const auto quotation = decode_quotation(Family::V4, message);
        REQUIRE(quotation);
        CHECK(quotation->mpls.empty());
        CHECK(decode_udp(quotation->transport)->destination_port == 33434);
    }
    // An object longer than the structure, and an interface object that ends too soon.
    for (const Buffer& objects :
         {Buffer{0, 200, 1, 1}, Buffer{0, 3, 1, 1}, Buffer{0, 6, 2, 8, 0, 0}, Buffer{0, 8, 2, 2, 9, 0, 0, 0}}) {
        const auto quotation = decode_quotation(
            Family::V4, time_exceeded(Family::V4, udp_packet(Family::V4, 4), extension_structure(objects), true));
        REQUIRE(quotation);
        CHECK((quotation->mpls.empty() && quotation->interfaces.empty()));
    }
}

TEST_CASE("the number of labels a router can add is bounded")
{
    Buffer object{0, 0, 1, 1};
    for (int i = 0; i < 40; ++i) append(object, {0, 1, 0, 64});
    object[1] = std::uint8_t(object.size());
    const auto quotation = decode_quotation(
        Family::V4, time_exceeded(Family::V4, udp_packet(Family::V4, 4), extension_structure(object), true));
    CHECK(quotation->mpls.size() == kMplsLabelsMax);
}

TEST_CASE("the MTU of the next link is told, for both families")
{
    auto v4 = time_exceeded(Family::V4, udp_packet(Family::V4, 4), {}, false);
    v4[0] = 3;
    v4[1] = 4;
    put16(v4, 6, 1400);
    CHECK(decode_quotation(Family::V4, v4)->mtu == 1400);
    auto v6 = time_exceeded(Family::V6, udp_packet(Family::V6, 4), {}, false);
    v6[0] = 2;
    put32(v6, 4, 1280);
    CHECK(decode_quotation(Family::V6, v6)->mtu == 1280);
}

TEST_CASE("what quotes nothing usable is no quotation, wherever it is cut")
{
    const auto message = time_exceeded(Family::V4, udp_packet(Family::V4, 4), extension_structure(kTwoLabels), true);
    for (std::size_t length = 0; length < message.size(); ++length) {
        const auto quotation = decode_quotation(Family::V4, Bytes(message).first(length));
        CHECK(quotation.has_value() == (length >= kIcmpHeaderBytes + kIpv4HeaderBytes));
    }
    auto redirect = message;
    redirect[0] = 5;
    CHECK(!decode_quotation(Family::V4, redirect));
    auto fragment = message;
    fragment[kIcmpHeaderBytes + 7] = 9;
    CHECK(!decode_quotation(Family::V4, fragment));
    CHECK(!decode_quotation(Family::V6, message));
}

}  // namespace nw::packet
