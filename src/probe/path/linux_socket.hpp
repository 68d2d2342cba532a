// The sockets of the path engine on Linux. Private to the Linux port.
//
// Packets are sent whole, IP header included, from one raw socket per route; answers of all routes arrive at one raw
// ICMP socket per family, and at a raw TCP or UDP socket when such packets are sent. Filters in the kernel let pass what
// can be ours.
#pragma once

#include "probe/linux_net.hpp"
#include "probe/path/port.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace nw::probe::path {

struct Sender {
    Route route{};
    unsigned users = 0;
    Descriptor fd{};
    unsigned device_index = 0;  // when it was opened
    bool pending = false;       // stamps may wait in its error queue
    // Whose packet the kernel counted as which, for transmit stamps.
    std::vector<Identity> by_key = std::vector<Identity>(8192);
    std::uint32_t next_key = 0;
};

struct Receiver {
    packet::Family family = packet::Family::V4;
    Protocol protocol = Protocol::Icmp;
    Descriptor fd{};
    std::uint32_t drops = 0;
};

std::optional<NotReady> open_sender(Sender& sender);
// Switches transmit stamps on with the count of sends at zero.
void start_stamps(Sender& sender);

// Lets pass what concerns the kFlowsMax ports and identifiers from `flow_base` on.
std::optional<NotReady> open_receiver(Receiver& receiver, std::uint16_t flow_base);

// The address that packets to `to` come from.
std::expected<packet::Address, NotReady> source_for(const Route& route, const Destination& to);

// What the device that has the address takes, at most kPacketBytesMax.
std::uint16_t link_mtu(const Route& route, const packet::Address& source);

}  // namespace nw::probe::path
