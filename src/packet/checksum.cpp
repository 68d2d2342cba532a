#include "packet/checksum.hpp"

#include <cstring>

namespace nw::packet {

std::uint64_t checksum_add(std::uint64_t sum, Bytes part)
{
    std::size_t at = 0;
    // 32-bit words into 64 bits: carries gather in the upper half; packets are far too short to overflow it.
    for (; at + 4 <= part.size(); at += 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, part.data() + at, 4);
        sum += word;
    }
    if (at < part.size()) {
        std::uint32_t word = 0;  // a trailing odd byte counts as padded with zero
        std::memcpy(&word, part.data() + at, part.size() - at);
        sum += word;
    }
    return sum;
}

std::uint16_t checksum_finish(std::uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return std::uint16_t(~sum);
}

}  // namespace nw::packet
