// The ping engine's network on Linux: few sockets, batch system calls, kernel time stamps both ways.
//
// Replies are read before transmit stamps and handled after them: a reply that has been read was stamped on its
// way out before, so its stamp is in the error queue by then.
#pragma once

#include "base/random.hpp"
#include "packet/icmp.hpp"
#include "probe/ping/linux_socket.hpp"
#include "probe/ping/port.hpp"

#include <memory>
#include <string>
#include <vector>

struct mmsghdr;

namespace nw::probe::ping {

class LinuxPort final : public Port {
public:
    LinuxPort(TagKey key, Random& random, Devices* devices);
    ~LinuxPort() override;

    std::uint32_t acquire(const Path& path) override;
    void release(std::uint32_t socket) override;
    std::optional<NotReady> check(std::uint32_t socket, Moment now) override;
    void send(std::span<const Outgoing> packets, Moment now, PortEvents& events) override;
    void receive(PortEvents& events) override;

private:
    struct SendBatch;
    struct ReceiveBatch;
    void prepare(IcmpSocket& socket, const Outgoing& packet, std::size_t place, Moment now);
    void flush(IcmpSocket& socket, PortEvents& events);
    void handle_send_error(IcmpSocket& socket, std::size_t place, int error, PortEvents& events);
    void note_drops(std::uint32_t index, IcmpSocket& socket, PortEvents& events);
    int read_replies(IcmpSocket& socket);
    void read_error_queue(IcmpSocket& socket, PortEvents& events);
    void handle_queued(IcmpSocket& socket, mmsghdr& message, PortEvents& events);
    void handle_received(IcmpSocket& socket, mmsghdr& message, PortEvents& events);
    void handle_echo(IcmpSocket& socket, const packet::Echo& echo, bool intact, Reply reply, PortEvents& events);
    void handle_error(IcmpSocket& socket, const packet::IcmpError& error, const packet::Address& router, PortEvents& events);

    TagKey key_;
    Random& random_;
    std::vector<std::unique_ptr<IcmpSocket>> sockets_{};  // null: the handle is free
    DeviceWatch devices_;
    std::vector<std::uint8_t> pattern_{};
    std::unique_ptr<SendBatch> out_;
    std::unique_ptr<ReceiveBatch> in_;
};

}  // namespace nw::probe::ping
