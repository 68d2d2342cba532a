// The path engine's network on Linux: a fixed number of sockets for all traces, whole packets sent in batches, kernel
// time stamps both ways.
//
// Replies are read before transmit stamps and handled after them: a reply that has been read was stamped on its way out
// before, so its stamp is in the error queue by then.
#pragma once

#include "base/random.hpp"
#include "probe/path/codec.hpp"
#include "probe/path/linux_socket.hpp"
#include "probe/path/port.hpp"

#include <array>
#include <memory>
#include <vector>

struct mmsghdr;

namespace nw::probe::path {

class LinuxPort final : public Port {
public:
    LinuxPort(Random& random, Devices* devices);
    ~LinuxPort() override;

    std::uint32_t acquire(const Route& route) override;
    void release(std::uint32_t socket) override;
    std::expected<Prepared, NotReady> prepare(std::uint32_t socket, const Destination& to, Protocol protocol,
                                              Moment now) override;
    std::optional<NotReady> check(std::uint32_t socket, Moment now) override;
    void send(std::span<const Outgoing> packets, Moment now, PortEvents& events) override;
    void receive(PortEvents& events) override;

private:
    struct SendBatch;
    struct ReceiveBatch;

    std::optional<NotReady> open_receivers(packet::Family family, Protocol protocol);
    void flush(Sender& sender, PortEvents& events);
    void handle_send_error(Sender& sender, std::size_t place, int error, PortEvents& events);
    void read_stamps(Sender& sender, PortEvents& events);
    void read_receiver(Receiver& receiver, PortEvents& events);
    void handle_received(const Receiver& receiver, mmsghdr& message, PortEvents& events);

    Codec codec_;
    std::vector<std::unique_ptr<Sender>> senders_{};  // null: the handle is free
    std::array<Receiver, 6> receivers_;               // ICMP, TCP and UDP, IPv4 and IPv6
    DeviceWatch devices_;
    std::unique_ptr<SendBatch> out_;
    std::unique_ptr<ReceiveBatch> in_;
};

}  // namespace nw::probe::path
