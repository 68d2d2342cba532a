// LEB128 variable-length integers and the zigzag form of signed ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nw {

inline void put_varint(std::string& out, std::uint64_t value)
{
    while (value >= 0x80) {
        out += char(value | 0x80);
        value >>= 7;
    }
    out += char(value);
}

// Takes a number off the front of `in`; nothing when it is cut short or longer than 64 bits.
inline std::optional<std::uint64_t> take_varint(std::string_view& in)
{
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
        const auto byte = std::uint8_t(in.front());
        in.remove_prefix(1);
        if (shift == 63 && byte > 1) return std::nullopt;
        value |= std::uint64_t(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
    return std::nullopt;
}

constexpr std::uint64_t zigzag(std::int64_t value) { return std::uint64_t(value) << 1 ^ std::uint64_t(value >> 63); }
constexpr std::int64_t unzigzag(std::uint64_t value) { return std::int64_t(value >> 1) ^ -std::int64_t(value & 1); }

}  // namespace nw
