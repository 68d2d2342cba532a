// LEB128 variable-length integers and the zigzag form of signed ones.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace nw {

inline constexpr std::size_t kVarintBytesMax = 10;

constexpr std::size_t varint_bytes(std::uint64_t value) { return (std::size_t(std::bit_width(value | 1)) + 6) / 7; }

// Writes where there is room for kVarintBytesMax, and returns where it ended.
inline char* put_varint(char* at, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7) *at++ = char(value | 0x80);
    *at++ = char(value);
    return at;
}

inline void put_varint(std::string& out, std::uint64_t value)
{
    while (value >= 0x80) {
        out += char(value | 0x80);
        value >>= 7;
    }
    out += char(value);
}

// Takes a number off bytes that are walked through in order; false, and `at` anywhere, when it is cut short or longer
// than 64 bits.
inline bool take_varint(const char*& at, const char* end, std::uint64_t& value)
{
    if (at == end) return false;
    auto byte = std::uint8_t(*at++);
    value = byte & 0x7f;
    for (unsigned shift = 7; byte >= 0x80; shift += 7) {
        if (at == end || shift > 63) return false;
        byte = std::uint8_t(*at++);
        if (shift == 63 && byte > 1) return false;
        value |= std::uint64_t(byte & 0x7f) << shift;
    }
    return true;
}

// Which of the eight bytes from `at` on are followed by more of their number: a bit for each.
inline std::uint64_t varint_continues(const char* at)
{
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, 8);
    return eight & 0x8080'8080'8080'8080;
}

// Passes over `count` of them without looking at what they are; false when there are fewer.
inline bool skip_varints(const char*& at, const char* end, std::uint64_t count)
{
    for (; count >= 8 && end - at >= 8; at += 8) count -= std::uint64_t(8 - std::popcount(varint_continues(at)));
    for (; count > 0 && at != end; ++at)
        if (std::uint8_t(*at) < 0x80) --count;
    return count == 0;
}

// The same off the front of `in`, which stays as it is when there is nothing.
inline std::optional<std::uint64_t> take_varint(std::string_view& in)
{
    const auto* at = in.data();
    std::uint64_t value = 0;
    if (!take_varint(at, at + in.size(), value)) return std::nullopt;
    in.remove_prefix(std::size_t(at - in.data()));
    return value;
}

constexpr std::uint64_t zigzag(std::int64_t value) { return std::uint64_t(value) << 1 ^ std::uint64_t(value >> 63); }
constexpr std::int64_t unzigzag(std::uint64_t value) { return std::int64_t(value >> 1) ^ -std::int64_t(value & 1); }

}  // namespace nw
