#include "base/random.hpp"
#include "packet/icmp.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

namespace nw::packet {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer echo_reply(std::uint16_t id, std::uint16_t seq, std::size_t payload)
{
    Buffer bytes{0, 0, 0, 0, std::uint8_t(id >> 8), std::uint8_t(id), std::uint8_t(seq >> 8), std::uint8_t(seq)};
    for (std::size_t i = 0; i < payload; ++i) bytes.push_back(std::uint8_t(i));
    const auto sum = checksum(bytes);
    std::memcpy(bytes.data() + kIcmpChecksumOffset, &sum, 2);
    return bytes;
}

Buffer ipv4(std::uint8_t protocol, const Buffer& content, std::size_t options = 0)
{
    Buffer bytes(20 + options);
    bytes[0] = std::uint8_t(0x40 | (5 + options / 4));
    bytes[3] = std::uint8_t(20 + options + content.size());
    bytes[8] = 61;
    bytes[9] = protocol;
    bytes[12] = 10;
    bytes[16] = 192;
    bytes[17] = 0;
    bytes[18] = 2;
    bytes[19] = 7;
    bytes.insert(bytes.end(), content.begin(), content.end());
    return bytes;
}

Buffer error_about(std::uint8_t type, std::uint8_t code, const Buffer& quoted)
{
    Buffer bytes{type, code, 0, 0, 0, 0, 0x05, 0x78};
    bytes.insert(bytes.end(), quoted.begin(), quoted.end());
    return bytes;
}

}  // namespace

TEST_CASE("the checksum of RFC 1071's example, whole and in parts")
{
    const Buffer bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    const auto sum = checksum(bytes);
    Buffer stored(2);
    std::memcpy(stored.data(), &sum, 2);
    CHECK(stored == Buffer{0x22, 0x0d});  // the complement of ddf2
    CHECK(checksum_finish(checksum_add(checksum_add(0, Bytes(bytes).first(6)), Bytes(bytes).subspan(6))) == sum);
}

TEST_CASE("a packet with its checksum in place sums to zero, for every length")
{
    SeededRandom random(3);
    for (std::size_t length = 0; length < 200; ++length) {
        auto bytes = echo_reply(std::uint16_t(random.u64()), 7, length);
        CHECK(checksum(bytes) == 0);
        bytes[4 + length % 4] ^= 0x10;
        CHECK(checksum(bytes) != 0);
    }
}

TEST_CASE("echo replies are read back")
{
    const auto bytes = echo_reply(0x1234, 0xfffe, 5);
    const auto message = decode_icmp(Family::V4, bytes);
    const auto* echo = std::get_if<Echo>(&message);
    REQUIRE(echo);
    CHECK(!echo->request);
    CHECK(echo->id == 0x1234);
    CHECK(echo->seq == 0xfffe);
    CHECK(echo->payload.size() == 5);
}

TEST_CASE("a request that is written is read back as one")
{
    for (const auto family : {Family::V4, Family::V6}) {
        std::array<std::uint8_t, 8> header{};
        encode_echo_request(family, 77, 88, header);
        const auto message = decode_icmp(family, header);
        const auto* echo = std::get_if<Echo>(&message);
        REQUIRE(echo);
        CHECK((echo->request && echo->id == 77 && echo->seq == 88));
    }
}

TEST_CASE("an ICMP error names the request it is about")
{
    Buffer request{8, 0, 0, 0, 0x0a, 0x0b, 0x00, 0x09, 'x', 'y'};
    for (const std::size_t options : {std::size_t{0}, std::size_t{8}}) {
        const auto bytes = error_about(3, 1, ipv4(1, request, options));
        const auto message = decode_icmp(Family::V4, bytes);
        const auto* error = std::get_if<IcmpError>(&message);
        REQUIRE(error);
        CHECK(error->id == 0x0a0b);
        CHECK(error->seq == 9);
        CHECK(to_text(error->destination) == "192.0.2.7");
        CHECK(error->payload.size() == 2);
        CHECK(describe(Family::V4, *error) == "host unreachable");
    }
    const auto bytes = error_about(3, 4, ipv4(1, request));
    const auto message = decode_icmp(Family::V4, bytes);
    CHECK(describe(Family::V4, std::get<IcmpError>(message)) == "fragmentation needed, MTU 1400");
}

TEST_CASE("an ICMPv6 error names the request it is about")
{
    Buffer quoted(40);
    quoted[0] = 0x60;
    quoted[6] = 58;
    quoted[24] = 0xfd;
    quoted[39] = 9;
    const Buffer request{128, 0, 0, 0, 1, 2, 3, 4};
    quoted.insert(quoted.end(), request.begin(), request.end());
    const auto bytes = error_about(1, 3, quoted);
    const auto message = decode_icmp(Family::V6, bytes);
    const auto* error = std::get_if<IcmpError>(&message);
    REQUIRE(error);
    CHECK(to_text(error->destination) == "fd00::9");
    CHECK(error->id == 0x0102);
    CHECK(describe(Family::V6, *error) == "address unreachable");
}

TEST_CASE("errors about other traffic, fragments and cut packets are none of our business")
{
    const auto ignored = [](const Buffer& bytes) {
        return std::holds_alternative<std::monostate>(decode_icmp(Family::V4, bytes));
    };
    const Buffer request{8, 0, 0, 0, 0, 1, 0, 2};
    CHECK(ignored(error_about(3, 3, ipv4(17, request))));
    CHECK(ignored(error_about(5, 1, ipv4(1, request))));  // redirect
    auto fragment = ipv4(1, request);
    fragment[7] = 1;
    CHECK(ignored(error_about(3, 1, fragment)));
    CHECK(ignored(error_about(11, 0, ipv4(1, {0, 0, 0, 0, 0, 1, 0, 2}))));  // about a reply
    const auto whole = error_about(3, 1, ipv4(1, request));
    for (std::size_t length = 0; length < whole.size(); ++length)
        CHECK(ignored(Buffer(whole.begin(), whole.begin() + std::ptrdiff_t(length))));
}

TEST_CASE("prefixes contain what they say, mapped addresses included")
{
    const auto inside = [](std::string_view prefix, std::string_view address) {
        return parse_prefix(prefix)->contains(*parse_address(address));
    };
    CHECK(inside("10.0.0.0/8", "10.255.0.1"));
    CHECK(!inside("10.0.0.0/8", "11.0.0.1"));
    CHECK(inside("10.128.0.0/9", "10.128.0.1"));
    CHECK(!inside("10.128.0.0/9", "10.127.0.1"));
    CHECK(inside("0.0.0.0/0", "1.2.3.4"));
    CHECK(!inside("0.0.0.0/0", "2001:db8::1"));
    CHECK(inside("10.0.0.0/8", "::ffff:10.1.1.1"));
    CHECK(inside("2001:db8::/33", "2001:db8:7fff::1"));
    CHECK(!inside("2001:db8::/33", "2001:db8:8000::1"));
    CHECK(inside("192.0.2.1", "192.0.2.1"));
    for (const auto* wrong : {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::/129", "x", ""})
        CHECK(!parse_prefix(wrong));
    CHECK(to_text(*parse_prefix("2001:db8::/32")) == "2001:db8::/32");
}

}  // namespace nw::packet
