// The Internet checksum (RFC 1071): the complement of the ones' complement sum of 16-bit words.
//
// A sum is kept unfolded in 64 bits, in the machine's own byte order: the result, stored back in that order, is
// right on any machine (RFC 1071, 2 (B)). Parts are added one after another; every part but the last has even
// length.
#pragma once

#include <cstdint>
#include <span>

namespace nw::packet {

using Bytes = std::span<const std::uint8_t>;

std::uint64_t checksum_add(std::uint64_t sum, Bytes part);
// The value to store in the checksum field, as std::memcpy of it would store it.
std::uint16_t checksum_finish(std::uint64_t sum);

inline std::uint16_t checksum(Bytes bytes) { return checksum_finish(checksum_add(0, bytes)); }

}  // namespace nw::packet
