#include "packet/bytes.hpp"
#include "packet/transport.hpp"
#include "probe/path/codec.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>

namespace nw::probe::path {
namespace {

using packet::Family;
using Buffer = std::vector<std::uint8_t>;

constexpr std::array kProtocols{Protocol::Icmp, Protocol::Udp, Protocol::Tcp};

Destination target(Family family) { return {*packet::parse_address(family == Family::V4 ? "198.51.100.9" : "2001:db8::9")}; }
packet::Address own(Family family) { return *packet::parse_address(family == Family::V4 ? "192.0.2.1" : "2001:db8::1"); }
packet::Address router(Family family)
{
    return *packet::parse_address(family == Family::V4 ? "203.0.113.4" : "2001:db8::4");
}

struct Bench {
    SeededRandom random{7};
    Codec codec{random};
    Moment now{Seconds(1'000'000)};
    std::uint64_t next = 0;

    Buffer send(Family family, Protocol protocol, std::uint16_t flow, std::uint8_t ttl, std::uint16_t size = 90)
    {
        Buffer bytes(kPacketBytesMax);
        const Outgoing packet{.id = {3, 5, next++},
                              .source = own(family),
                              .to = target(family),
                              .protocol = protocol,
                              .port = std::uint16_t(protocol == Protocol::Icmp ? 0 : 33434),
                              .flow = flow,
                              .size = size,
                              .ttl = ttl,
                              .dscp = 10};
        bytes.resize(codec.encode(packet, now, bytes));
        return bytes;
    }
    Identity last() const { return {3, 5, next - 1}; }
};

Buffer exceeded(Family family, Buffer quoted, std::size_t keep = ~std::size_t{0})
{
    Buffer bytes{std::uint8_t(family == Family::V4 ? 11 : 3), 0, 0, 0, 0, 0, 0, 0};
    quoted.resize(std::min(quoted.size(), keep));
    bytes.insert(bytes.end(), quoted.begin(), quoted.end());
    return bytes;
}

Buffer transport_of(Family family, const Buffer& bytes)
{
    return {bytes.begin() + std::ptrdiff_t(packet::header_bytes_of(family)), bytes.end()};
}

}  // namespace

TEST_CASE("packets have right checksums, whatever the protocol, family and size")
{
    Bench bench;
    for (const auto family : {Family::V4, Family::V6}) {
        for (const auto protocol : kProtocols) {
            for (const auto size : std::array<std::uint16_t, 5>{0, 61, 64, 100, 1500}) {
                for (std::uint16_t flow = 0; flow < 20; ++flow) {
                    const auto bytes = bench.send(family, protocol, flow, 4, size);
                    const auto ip = packet::decode_ip(family, bytes);
                    REQUIRE(ip);
                    CHECK(ip->total_bytes == bytes.size());
                    CHECK((ip->ttl == 4 && ip->tos == 40));
                    if (protocol != Protocol::Tcp && size > 70) CHECK(bytes.size() == size);
                    const auto transport = transport_of(family, bytes);
                    const bool bare = protocol == Protocol::Icmp && family == Family::V4;
                    const auto pseudo = bare ? 0 : packet::pseudo_header_sum(*ip, transport.size());
                    CHECK(packet::checksum_finish(packet::checksum_add(pseudo, transport)) == 0);
                }
            }
        }
    }
}

TEST_CASE("what routers balance by is equal within a flow, and differs between flows")
{
    Bench bench;
    for (const auto family : {Family::V4, Family::V6}) {
        for (const auto protocol : kProtocols) {
            // ICMP: type, code, checksum, identifier; others: the ports. And the flow label.
            const auto key = [&](const Buffer& bytes) {
                const auto transport = transport_of(family, bytes);
                Buffer key(transport.begin(), transport.begin() + (protocol == Protocol::Icmp ? 6 : 4));
                if (family == Family::V6) key.insert(key.end(), bytes.begin(), bytes.begin() + 4);
                return key;
            };
            const auto first = key(bench.send(family, protocol, 1, 1));
            for (std::uint8_t ttl = 2; ttl < 40; ++ttl) CHECK(key(bench.send(family, protocol, 1, ttl)) == first);
            for (std::uint16_t flow = 2; flow < 40; ++flow) CHECK(key(bench.send(family, protocol, flow, 1)) != first);
        }
    }
}

TEST_CASE("a quotation of eight bytes of transport names its packet")
{
    Bench bench;
    for (const auto family : {Family::V4, Family::V6}) {
        for (const auto protocol : kProtocols) {
            const auto bytes = bench.send(family, protocol, 2, 3);
            const auto wanted = bench.last();
            bench.send(family, protocol, 2, 4);
            const auto reply =
                bench.codec.decode_icmp(router(family), exceeded(family, bytes, packet::header_bytes_of(family) + 8));
            REQUIRE(reply);
            CHECK(reply->id == wanted);
            CHECK(reply->answer == Answer::Exceeded);
            CHECK(reply->responder == router(family));
            CHECK(reply->altered == Alterations{.ttl = 3});
            CHECK(!reply->altered.translated());
        }
    }
}

TEST_CASE("changes on the way are told: translation, marking, segment size")
{
    Bench bench;
    auto bytes = bench.send(Family::V4, Protocol::Tcp, 2, 3);
    bytes[1] = 46 << 2 | 3;
    bytes[8] = 1;
    bytes[12] = 100;  // the source
    packet::put16(bytes, 20, 1024);
    packet::put16(bytes, 42, 1360);
    const auto reply = bench.codec.decode_icmp(router(Family::V4), exceeded(Family::V4, bytes));
    REQUIRE(reply);
    CHECK(reply->id == bench.last());
    CHECK(reply->altered.dscp == 46);
    CHECK(reply->altered.ecn == 3);
    CHECK(reply->altered.mss == 1360);
    CHECK(reply->altered.source == packet::parse_address("100.0.2.1"));
    CHECK(reply->altered.ports);
    CHECK(reply->altered.translated());
}

TEST_CASE("the destination answers in each protocol's way")
{
    Bench bench;
    for (const auto family : {Family::V4, Family::V6}) {
        const bool v4 = family == Family::V4;
        auto echo = transport_of(family, bench.send(family, Protocol::Icmp, 0, 9));
        echo[0] = v4 ? 0 : 129;
        auto reply = bench.codec.decode_icmp(target(family).address, echo);
        REQUIRE(reply);
        CHECK((reply->answer == Answer::Arrived && reply->id == bench.last() && !reply->quoted));
        CHECK(!bench.codec.decode_icmp(router(family), echo));  // somebody else

        auto refused = exceeded(family, bench.send(family, Protocol::Udp, 0, 9));
        refused[0] = v4 ? 3 : 1;
        refused[1] = v4 ? 3 : 4;
        CHECK(bench.codec.decode_icmp(target(family).address, refused)->answer == Answer::Arrived);
        CHECK(bench.codec.decode_icmp(router(family), refused)->answer == Answer::Unreachable);

        const auto syn = transport_of(family, bench.send(family, Protocol::Tcp, 6, 9));
        Buffer answer(20);
        packet::put16(answer, 0, packet::get16(syn, 2));
        packet::put16(answer, 2, packet::get16(syn, 0));
        packet::put32(answer, 8, packet::get32(syn, 4) + 1);
        answer[12] = 0x50;
        for (const auto flags : std::array<std::uint8_t, 2>{0x12, 0x14}) {  // SYN and ACK, RST and ACK
            answer[13] = flags;
            reply = bench.codec.decode_tcp(target(family).address, answer);
            REQUIRE(reply);
            CHECK((reply->answer == Answer::Arrived && reply->id == bench.last()));
        }
        answer[13] = 0x10;
        CHECK(!bench.codec.decode_tcp(target(family).address, answer));  // data of some connection
        answer[13] = 0x12;
        answer[11] ^= 1;
        CHECK(!bench.codec.decode_tcp(target(family).address, answer));  // not what we sent
    }
}

TEST_CASE("data from the destination's port is an answer to the flow")
{
    Bench bench;
    for (const auto family : {Family::V4, Family::V6}) {
        const auto udp = transport_of(family, bench.send(family, Protocol::Udp, 5, 9));
        const auto latest = transport_of(family, bench.send(family, Protocol::Udp, 5, 10));
        Buffer data(20);
        packet::put16(data, 0, packet::get16(udp, 2));
        packet::put16(data, 2, packet::get16(udp, 0));
        packet::put16(data, 4, 20);
        const auto reply = bench.codec.decode_udp(target(family).address, data);
        REQUIRE(reply);
        CHECK((reply->answer == Answer::Arrived && reply->of_flow && reply->id == bench.last()));
        CHECK(!bench.codec.decode_udp(router(family), data));
        data[3] ^= 1;  // another port of ours: no such flow
        CHECK(!bench.codec.decode_udp(target(family).address, data));
    }
}

TEST_CASE("a link that is too narrow, with what it takes")
{
    Bench bench;
    auto v4 = exceeded(Family::V4, bench.send(Family::V4, Protocol::Udp, 0, 9));
    v4[0] = 3;
    v4[1] = 4;
    packet::put16(v4, 6, 1400);
    const auto reply = bench.codec.decode_icmp(router(Family::V4), v4);
    CHECK((reply->answer == Answer::TooBig && reply->mtu == 1400));
}

TEST_CASE("others' packets are not ours")
{
    Bench bench;
    Bench other;
    for (int i = 0; i < 5; ++i) (void)other.random.u64();
    Codec stranger(other.random);
    for (const auto family : {Family::V4, Family::V6}) {
        for (const auto protocol : kProtocols) {
            Buffer bytes(kPacketBytesMax);
            // A stranger's packets to somebody else with the same tokens and ports.
            auto to = target(family);
            to.address.bytes[3] ^= 7;
            bytes.resize(stranger.encode(
                {.id = {1, 1, 1}, .source = own(family), .to = to, .protocol = protocol, .port = 33434, .ttl = 2}, bench.now,
                bytes));
            bench.send(family, protocol, 0, 1);
            CHECK(!bench.codec.decode_icmp(router(family), exceeded(family, bytes)));
        }
    }
    const auto mine = bench.send(Family::V4, Protocol::Udp, 0, 1);
    auto wrong_port = mine;
    wrong_port[23] ^= 1;
    CHECK(!bench.codec.decode_icmp(router(Family::V4), exceeded(Family::V4, wrong_port)));
    CHECK(bench.codec.decode_icmp(router(Family::V4), exceeded(Family::V4, mine)));
    CHECK(!bench.codec.decode_icmp(router(Family::V4), exceeded(Family::V4, mine, 27)));
}

TEST_CASE("tokens that turn over quickly are remembered longer")
{
    Bench bench;
    std::vector<Buffer> all;
    for (int i = 0; i < 20'000; ++i) {
        all.push_back(bench.send(Family::V4, Protocol::Icmp, std::uint16_t(i % 9), std::uint8_t(1 + i % 30), 32));
        bench.now += Micros(100);
    }
    for (std::size_t i = 12'000; i < all.size(); ++i) {
        const auto reply = bench.codec.decode_icmp(router(Family::V4), exceeded(Family::V4, all[i]));
        REQUIRE(reply);
        REQUIRE(reply->id.seq == i);
    }
}

}  // namespace nw::probe::path
