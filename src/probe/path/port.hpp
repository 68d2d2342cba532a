// The network as the path engine needs it. linux_port.cpp is the real one; tests simulate one.
#pragma once

#include "base/result.hpp"
#include "probe/path/reply.hpp"

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

namespace nw::probe::path {

// What must be the same for traces to share a socket.
struct Route {
    packet::Family family = packet::Family::V4;
    std::string device{};  // empty: as routed

    friend auto operator<=>(const Route&, const Route&) = default;
};

class PortEvents {
public:
    virtual ~PortEvents() = default;
    virtual void on_transmitted(const Identity& id, KernelTime when) = 0;
    virtual void on_reply(const Reply& reply) = 0;
    virtual void on_send_failed(const Identity& id, Outcome outcome, std::string why) = 0;
    // Replies were dropped in the agent's own socket buffer.
    virtual void on_dropped(std::uint64_t replies) = 0;
};

struct Prepared {
    packet::Address source{};       // that packets come from
    std::uint16_t link_mtu = 1500;  // of the device they leave through
};

class Port {
public:
    virtual ~Port() = default;

    // A handle to the socket for `route`, shared by all who ask for the same. It is opened here when it can be: the
    // kernel takes a few milliseconds to begin stamping.
    virtual std::uint32_t acquire(const Route& route) = 0;
    virtual void release(std::uint32_t socket) = 0;
    // Whether packets of `protocol` can go to `to` there and nowhere else; opens or re-opens what that needs.
    virtual std::expected<Prepared, NotReady> prepare(std::uint32_t socket, const Destination& to, Protocol protocol,
                                                      Moment now) = 0;
    // What of that may have changed since, if anything; cheap.
    virtual std::optional<NotReady> check(std::uint32_t socket, Moment now) = 0;

    virtual void send(std::span<const Outgoing> packets, Moment now, PortEvents& events) = 0;
    // Reads everything that waits: transmit stamps of a reply before the reply.
    virtual void receive(PortEvents& events) = 0;
};

}  // namespace nw::probe::path
