// The network as the ping engine needs it. linux_port.cpp is the real one; tests script one.
#pragma once

#include "base/result.hpp"
#include "model/outcome.hpp"
#include "packet/address.hpp"
#include "probe/moment.hpp"
#include "probe/network.hpp"
#include "probe/ping/identity.hpp"
#include "probe/ping/run.hpp"

#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace nw::probe::ping {

// What must be the same for targets to share a socket.
struct Path {
    packet::Family family = packet::Family::V4;
    std::string device{};  // empty: as routed
    std::string source{};  // empty: as routed
    bool dont_fragment = false;
    bool stamp_sends = true;  // the kernel's transmit stamps: exact, and a tenth of the cost of a packet

    friend auto operator<=>(const Path&, const Path&) = default;
};

struct Outgoing {
    Identity id{};
    std::uint32_t socket = 0;
    std::uint16_t size = 56;  // payload bytes, at least kIdentityBytes
    std::uint8_t dscp = 0;
    std::uint8_t ttl = 64;
    Destination to{};
};

struct Reply {
    Identity id{};
    std::optional<KernelTime> received{};
    std::optional<std::uint8_t> ttl{};
};

class PortEvents {
public:
    virtual ~PortEvents() = default;
    virtual void on_transmitted(const Identity& id, KernelTime when) = 0;
    virtual void on_reply(const Reply& reply) = 0;
    // `about`: the destination of the request that the error quotes, where it does.
    virtual void on_error(const Identity& id, const std::optional<packet::Address>& about, std::string what) = 0;
    virtual void on_corrupted(const Identity& id) = 0;
    virtual void on_send_failed(const Identity& id, Outcome outcome, std::string why) = 0;
    virtual void on_dropped(std::uint32_t socket, std::uint64_t replies) = 0;
};

class Port {
public:
    virtual ~Port() = default;

    // A handle to the socket for `path`, shared by all who ask for the same. It is opened here when it can be:
    // the kernel takes a few milliseconds to begin stamping replies.
    virtual std::uint32_t acquire(const Path& path) = 0;
    virtual void release(std::uint32_t socket) = 0;
    // Whether packets can go out there and nowhere else; opens or re-opens the socket when that helps.
    virtual std::optional<NotReady> check(std::uint32_t socket, Moment now) = 0;

    virtual void send(std::span<const Outgoing> packets, Moment now, PortEvents& events) = 0;
    // Reads everything that waits on any socket: transmit stamps of a reply before the reply.
    virtual void receive(PortEvents& events) = 0;
};

}  // namespace nw::probe::ping
