// Answers to traces from strangers: the input is laid over a genuine message, which is cut to the input's wish. Whatever
// comes out is about a packet that was sent, and never read from beyond the message.
#include "base/random.hpp"
#include "fuzz.hpp"
#include "probe/path/codec.hpp"

#include <algorithm>
#include <vector>

namespace {

using namespace nw::probe::path;
using nw::packet::Family;

nw::packet::Address address(Family family, std::uint8_t last)
{
    nw::packet::Address address{.family = family};
    address.bytes.fill(0x20);
    address.bytes[address.size() - 1] = last;
    return address;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) return 0;
    nw::SeededRandom random(7);
    Codec codec(random);
    const auto family = (data[0] & 1) != 0 ? Family::V6 : Family::V4;
    const auto protocol = Protocol((data[0] >> 1) % 3);
    std::vector<std::uint8_t> packet(kPacketBytesMax);
    packet.resize(codec.encode({.id = {1, 2, 3},
                                .source = address(family, 1),
                                .to = {address(family, 9)},
                                .protocol = protocol,
                                .port = std::uint16_t(protocol == Protocol::Icmp ? 0 : 33434)},
                               nw::probe::Moment{}, packet));
    std::vector<std::uint8_t> message{std::uint8_t(family == Family::V4 ? 11 : 3), 0, 0, 0, 0, 0, 0, 0};
    if ((data[0] & 0x40) != 0) message.clear();  // the packet itself, as if it came back
    message.insert(message.end(), packet.begin() + (message.empty() ? int(nw::packet::header_bytes_of(family)) : 0),
                   packet.end());
    message.resize(std::max<std::size_t>(message.size(), size));
    for (std::size_t i = 2; i < size; ++i) message[i - 2] ^= data[i];
    message.resize(std::min<std::size_t>(message.size(), data[1] * 2U));
    for (const auto& from : {address(family, 9), address(family, 5)}) {
        for (const auto& reply : {codec.decode_icmp(from, message), codec.decode_tcp(from, message)}) {
            if (!reply) continue;
            NW_ASSERT((reply->id == Identity{1, 2, 3}));
            NW_ASSERT(reply->responder == from);
            NW_ASSERT(reply->answer != Answer::Arrived || from == address(family, 9) || reply->altered.destination);
        }
    }
    return 0;
}
