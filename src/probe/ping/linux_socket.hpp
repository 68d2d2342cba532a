// One ICMP socket: raw with a filter, or the unprivileged datagram kind (ping_group_range) when raw is denied.
// Private to the Linux port.
#pragma once

#include "base/result.hpp"
#include "probe/linux_net.hpp"
#include "probe/ping/port.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nw::probe::ping {

// Remembers the last packets of a socket: by their place in the ICMP sequence field, for errors that quote no
// more than the ICMP header, and by the kernel's count of stamped sends, for transmit stamps.
class SentRing {
public:
    std::uint16_t add(const Identity& id, Moment now);
    const Identity& at(std::uint16_t icmp_seq) const;
    void stamped(std::uint16_t icmp_seq) { by_key_[next_key_++ % by_key_.size()] = icmp_seq; }
    const Identity& by_key(std::uint32_t key) const { return at(by_key_[key % by_key_.size()]); }
    void restart_keys() { next_key_ = 0; }

private:
    std::vector<Identity> ids_ = std::vector<Identity>(1024);  // a power of two, at most 65536
    std::vector<std::uint16_t> by_key_ = std::vector<std::uint16_t>(4096);
    std::uint32_t next_ = 0;
    std::uint32_t next_key_ = 0;
    Moment lap_started_{};
};

struct IcmpSocket {
    Path path{};
    unsigned users = 0;
    Descriptor fd{};
    bool raw = false;
    std::uint16_t icmp_id = 0;
    unsigned device_index = 0;  // when it was opened
    bool pending = false;       // something may wait in its queues
    std::uint32_t drops = 0;
    SentRing ring{};
};

// Opens the socket of `path` anew. `icmp_id` is the identifier to use where the kernel leaves the choice.
std::optional<NotReady> open_socket(IcmpSocket& socket, std::uint16_t icmp_id);
// Switches kernel time stamps on with the count of sends at zero.
void start_stamps(IcmpSocket& socket);
}  // namespace nw::probe::ping
