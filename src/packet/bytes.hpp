// Fields in network order. The caller has checked the bounds.
#pragma once

#include "packet/checksum.hpp"

#include <cstdint>
#include <span>

namespace nw::packet {

inline std::uint16_t get16(Bytes bytes, std::size_t at) { return std::uint16_t(bytes[at] << 8 | bytes[at + 1]); }
inline std::uint32_t get32(Bytes bytes, std::size_t at)
{
    return std::uint32_t(get16(bytes, at)) << 16 | get16(bytes, at + 2);
}

inline void put16(std::span<std::uint8_t> out, std::size_t at, std::uint16_t value)
{
    out[at] = std::uint8_t(value >> 8);
    out[at + 1] = std::uint8_t(value);
}
inline void put32(std::span<std::uint8_t> out, std::size_t at, std::uint32_t value)
{
    put16(out, at, std::uint16_t(value >> 16));
    put16(out, at + 2, std::uint16_t(value));
}

}  // namespace nw::packet
