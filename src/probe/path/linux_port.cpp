#include "probe/path/linux_port.hpp"

#include "base/assert.hpp"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace nw::probe::path {

using packet::Family;

namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kControlBytes = 256;
// What routers quote (RFC 1812, 4.3.2.3: up to 576 bytes; RFC 4443, 2.4: up to 1280) with extensions behind it.
constexpr std::size_t kReceiveBytes = 1600;

// Whether the kernel had counted the packet for its transmit stamps before it refused it.
bool was_counted(int error)
{
    return error != ENETUNREACH && error != EHOSTUNREACH && error != EMSGSIZE && error != EINVAL && error != ENODEV
           && error != ENXIO && error != EADDRNOTAVAIL && error != ENETDOWN && error != EAGAIN;
}

}  // namespace

struct LinuxPort::SendBatch {
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts{};
    std::array<SocketAddress, kBatch> to{};
    std::array<Identity, kBatch> ids{};
    std::size_t each = 128;
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(kBatch * 128);
    std::size_t count = 0;

    void make_room(std::size_t size)
    {
        if (size <= each) return;
        each = (size + 127) / 128 * 128;
        bytes.resize(kBatch * each);
    }
};

struct LinuxPort::ReceiveBatch {
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts{};
    std::array<sockaddr_storage, kBatch> from{};
    alignas(cmsghdr) std::array<std::array<std::uint8_t, kControlBytes>, kBatch> control{};
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(kBatch * kReceiveBytes);

    void arm()
    {
        for (std::size_t i = 0; i < kBatch; ++i) {
            parts[i] = {bytes.data() + i * kReceiveBytes, kReceiveBytes};
            messages[i].msg_hdr = msghdr{&from[i], sizeof from[i], &parts[i], 1, control[i].data(), kControlBytes, 0};
        }
    }
};

LinuxPort::LinuxPort(Random& random, Devices* devices)
    : codec_(random), receivers_{{{Family::V4, Protocol::Icmp},
                                  {Family::V6, Protocol::Icmp},
                                  {Family::V4, Protocol::Tcp},
                                  {Family::V6, Protocol::Tcp},
                                  {Family::V4, Protocol::Udp},
                                  {Family::V6, Protocol::Udp}}},
      devices_(devices), out_(std::make_unique<SendBatch>()), in_(std::make_unique<ReceiveBatch>())
{}

LinuxPort::~LinuxPort() = default;

std::uint32_t LinuxPort::acquire(const Route& route)
{
    auto free = senders_.size();
    for (std::size_t i = 0; i < senders_.size(); ++i) {
        if (!senders_[i]) {
            free = i;
        } else if (senders_[i]->route == route) {
            ++senders_[i]->users;
            return std::uint32_t(i);
        }
    }
    if (free == senders_.size()) senders_.emplace_back();
    senders_[free] = std::make_unique<Sender>();
    senders_[free]->route = route;
    senders_[free]->users = 1;
    // Why it failed, if it did, is found out and told by prepare() when a packet is due.
    (void)open_sender(*senders_[free]);
    (void)open_receivers(route.family, Protocol::Icmp);
    return std::uint32_t(free);
}

void LinuxPort::release(std::uint32_t index)
{
    auto& sender = senders_[index];
    NW_ASSERT(sender && sender->users > 0);
    if (--sender->users == 0) sender.reset();
}

std::optional<NotReady> LinuxPort::open_receivers(Family family, Protocol protocol)
{
    for (auto& receiver : receivers_) {
        const bool needed = receiver.protocol == Protocol::Icmp || receiver.protocol == protocol;
        if (receiver.family != family || !needed || receiver.fd.is_open()) continue;
        if (auto problem = open_receiver(receiver, codec_.flow_base())) return problem;
    }
    return std::nullopt;
}

std::optional<NotReady> LinuxPort::check(std::uint32_t index, Moment now)
{
    auto& sender = *senders_[index];
    const auto& route = sender.route;
    if (!route.device.empty()) {
        const auto& device = devices_.state(route.device, route.family, now);
        if (device.problem) return NotReady{Outcome::BindError, *device.problem};
        // A device that was removed and made again has another index: the old binding leads nowhere.
        if (sender.fd.is_open() && device.index != sender.device_index) sender.fd = {};
    }
    return sender.fd.is_open() ? std::nullopt : open_sender(sender);
}

std::expected<Prepared, NotReady> LinuxPort::prepare(std::uint32_t index, const Destination& to, Protocol protocol,
                                                     Moment now)
{
    if (auto problem = check(index, now)) return std::unexpected(*std::move(problem));
    const auto& route = senders_[index]->route;
    if (auto problem = open_receivers(route.family, protocol)) return std::unexpected(*std::move(problem));
    const auto source = source_for(route, to);
    if (!source) return std::unexpected(source.error());
    return Prepared{.source = *source, .link_mtu = link_mtu(route, *source)};
}

void LinuxPort::send(std::span<const Outgoing> packets, Moment now, PortEvents& events)
{
    auto& out = *out_;
    std::size_t size_max = kPacketBytesMin;
    for (const auto& packet : packets) size_max = std::max<std::size_t>(size_max, packet.size);
    out.make_room(std::min(size_max, kPacketBytesMax));
    for (std::uint32_t index = 0; index < senders_.size(); ++index) {
        if (!senders_[index]) continue;
        for (const auto& packet : packets) {
            if (packet.socket != index) continue;
            const auto place = out.count++;
            const std::span room(out.bytes.data() + place * out.each, out.each);
            out.parts[place] = {room.data(), codec_.encode(packet, now, room)};
            out.to[place] = to_sockaddr(packet.to);
            out.ids[place] = packet.id;
            out.messages[place].msg_hdr =
                msghdr{&out.to[place].storage, out.to[place].size, &out.parts[place], 1, nullptr, 0, 0};
            if (out.count == kBatch) flush(*senders_[index], events);
        }
        flush(*senders_[index], events);
    }
}

void LinuxPort::flush(Sender& sender, PortEvents& events)
{
    auto& out = *out_;
    for (std::size_t done = 0; done < out.count;) {
        const auto sent = sendmmsg(sender.fd.get(), out.messages.data() + done, unsigned(out.count - done), MSG_DONTWAIT);
        if (sent > 0) {
            for (int i = 0; i < sent; ++i)
                sender.by_key[sender.next_key++ % sender.by_key.size()] = out.ids[done + std::size_t(i)];
            done += std::size_t(sent);
            sender.pending = true;
        } else if (errno != EINTR) {
            handle_send_error(sender, done++, errno, events);
        }
    }
    out.count = 0;
}

void LinuxPort::handle_send_error(Sender& sender, std::size_t place, int error, PortEvents& events)
{
    const auto id = out_->ids[place];
    if (was_counted(error)) {
        read_stamps(sender, events);
        start_stamps(sender);
    }
    auto why = explain_send_error(error, sender.route.device, sender.route.family);
    events.on_send_failed(id, why.outcome, std::move(why.why));
}

void LinuxPort::receive(PortEvents& events)
{
    for (auto& receiver : receivers_) {
        if (!receiver.fd.is_open()) continue;
        if (const auto dropped = drops_since(receiver.fd.get(), receiver.drops); dropped != 0) events.on_dropped(dropped);
        read_receiver(receiver, events);
    }
}

void LinuxPort::read_stamps(Sender& sender, PortEvents& events)
{
    // Beside the batch of replies that waits to be handled.
    static constexpr std::size_t kStamps = 32;
    std::array<mmsghdr, kStamps> messages{};
    alignas(cmsghdr) std::array<std::array<std::uint8_t, kControlBytes>, kStamps> control{};
    for (;;) {
        for (std::size_t i = 0; i < kStamps; ++i)
            messages[i].msg_hdr = msghdr{nullptr, 0, nullptr, 0, control[i].data(), kControlBytes, 0};
        const auto count = recvmmsg(sender.fd.get(), messages.data(), kStamps, MSG_ERRQUEUE | MSG_DONTWAIT, nullptr);
        for (int i = 0; i < count; ++i) {
            const auto ancillary = read_ancillary(messages[std::size_t(i)].msg_hdr);
            if (!ancillary.error || !ancillary.stamp || ancillary.error->ee_origin != SO_EE_ORIGIN_TIMESTAMPING) continue;
            events.on_transmitted(sender.by_key[ancillary.error->ee_data % sender.by_key.size()], *ancillary.stamp);
        }
        if (count < int(kStamps)) break;
    }
    sender.pending = false;
}

void LinuxPort::read_receiver(Receiver& receiver, PortEvents& events)
{
    for (;;) {
        in_->arm();
        const auto count = recvmmsg(receiver.fd.get(), in_->messages.data(), kBatch, MSG_DONTWAIT, nullptr);
        if (count < 0 && errno == EINTR) continue;
        for (auto& sender : senders_)
            if (sender && sender->pending) read_stamps(*sender, events);
        for (int i = 0; i < count; ++i) handle_received(receiver, in_->messages[std::size_t(i)], events);
        if (count < int(kBatch)) break;
    }
}

void LinuxPort::handle_received(const Receiver& receiver, mmsghdr& message, PortEvents& events)
{
    const auto ancillary = read_ancillary(message.msg_hdr);
    const auto from = address_of(static_cast<const sockaddr*>(message.msg_hdr.msg_name));
    packet::Bytes bytes(static_cast<const std::uint8_t*>(message.msg_hdr.msg_iov->iov_base), message.msg_len);
    auto ttl = ancillary.ttl;
    if (!from) return;
    if (receiver.family == Family::V4) {
        const auto header = packet::decode_ipv4(bytes);
        if (!header) return;
        ttl = header->ttl;
        bytes = bytes.subspan(header->header_bytes);
        // The kernel hands raw IPv4 sockets packets whose ICMP checksum it has not looked at.
        const bool whole = (message.msg_hdr.msg_flags & MSG_TRUNC) == 0;
        if (receiver.protocol == Protocol::Icmp && whole && packet::checksum(bytes) != 0) return;
    }
    auto reply = receiver.protocol == Protocol::Icmp  ? codec_.decode_icmp(*from, bytes)
                 : receiver.protocol == Protocol::Tcp ? codec_.decode_tcp(*from, bytes)
                                                      : codec_.decode_udp(*from, bytes);
    if (!reply) return;
    reply->received = ancillary.stamp;
    reply->ttl = ttl;
    events.on_reply(*reply);
}

}  // namespace nw::probe::path
