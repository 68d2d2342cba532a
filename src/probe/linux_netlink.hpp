// A socket to the kernel's rtnetlink: dumps, and events of the groups it is a member of. The messages are read by
// probe/rtnetlink.hpp.
#pragma once

#include "base/result.hpp"
#include "probe/linux_net.hpp"
#include "probe/rtnetlink.hpp"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <vector>

namespace nw::probe {

using NetlinkTake = std::function<void(const rtnetlink::Message&)>;

class NetlinkEvents {
public:
    // Member of the groups RTNLGRP_*.
    static Result<NetlinkEvents> open(std::initializer_list<unsigned> groups);

    int fd() const { return fd_.get(); }

    // Hands out everything that waits, without waiting. False when the kernel had to drop events: what is known must be
    // asked for anew.
    bool drain(const NetlinkTake& take);

private:
    explicit NetlinkEvents(Descriptor fd) : fd_(std::move(fd)), buffer_(64 << 10) {}

    Descriptor fd_;
    std::vector<std::byte> buffer_;
};

// Everything of one type (RTM_GETLINK ...), of one family or all (AF_UNSPEC). Blocks as long as the kernel needs to write it
// down, and never more than a few seconds. What changes meanwhile makes the kernel say so, and the dump begin again: `begin`
// is called before each attempt.
Status netlink_dump(std::uint16_t type, std::uint8_t family, const std::function<void()>& begin, const NetlinkTake& take);

}  // namespace nw::probe
