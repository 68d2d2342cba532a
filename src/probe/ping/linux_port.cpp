#include "probe/ping/linux_port.hpp"

#include "base/assert.hpp"
#include "packet/icmp.hpp"

#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace nw::probe::ping {

using packet::Family;

namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kHeadBytes = packet::kIcmpHeaderBytes + kIdentityBytes;
constexpr std::size_t kControlBytes = 256;
// Room for what routers usually quote (RFC 1812, 4.3.2.3: up to 576 bytes) and for everyday payloads.
constexpr std::size_t kReceiveBytes = 640;

}  // namespace

struct LinuxPort::SendBatch {
    std::array<mmsghdr, kBatch> messages{};
    std::array<std::array<iovec, 2>, kBatch> parts{};
    std::array<std::array<std::uint8_t, kHeadBytes>, kBatch> heads{};
    std::array<SocketAddress, kBatch> to{};
    alignas(cmsghdr) std::array<std::array<std::uint8_t, 64>, kBatch> control{};
    std::array<Outgoing, kBatch> packets{};
    std::array<std::uint16_t, kBatch> icmp_seq{};
    std::size_t count = 0;
    std::size_t tail_size = 0;
    std::uint64_t tail_sum = 0;
};

struct LinuxPort::ReceiveBatch {
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts{};
    std::array<sockaddr_storage, kBatch> from{};
    alignas(cmsghdr) std::array<std::array<std::uint8_t, kControlBytes>, kBatch> control{};
    std::size_t each = kReceiveBytes;
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(kBatch * kReceiveBytes);
    std::array<mmsghdr, kBatch> errors{};
    std::array<iovec, kBatch> error_parts{};
    alignas(cmsghdr) std::array<std::array<std::uint8_t, kControlBytes>, kBatch> error_control{};
    std::array<std::array<std::uint8_t, 128>, kBatch> error_bytes{};
    std::size_t count = 0;

    void arm()
    {
        for (std::size_t i = 0; i < kBatch; ++i) {
            parts[i] = {bytes.data() + i * each, each};
            messages[i].msg_hdr = msghdr{&from[i], sizeof from[i], &parts[i], 1, control[i].data(), kControlBytes, 0};
        }
    }
    void arm_errors()
    {
        for (std::size_t i = 0; i < kBatch; ++i) {
            error_parts[i] = {error_bytes[i].data(), error_bytes[i].size()};
            errors[i].msg_hdr = msghdr{nullptr, 0, &error_parts[i], 1, error_control[i].data(), kControlBytes, 0};
        }
    }
};

namespace {

void put_control(msghdr& header, std::span<std::uint8_t> space, Family family, const Outgoing& packet)
{
    header.msg_control = nullptr;
    header.msg_controllen = 0;
    if (packet.dscp == 0 && packet.ttl == 64) return;
    header.msg_control = space.data();
    header.msg_controllen = 2 * CMSG_SPACE(sizeof(int));
    const bool v4 = family == Family::V4;
    const auto put = [&](cmsghdr* c, int type, int value) {
        c->cmsg_level = v4 ? int(IPPROTO_IP) : int(IPPROTO_IPV6);
        c->cmsg_type = type;
        c->cmsg_len = CMSG_LEN(sizeof value);
        std::memcpy(CMSG_DATA(c), &value, sizeof value);
    };
    auto* first = CMSG_FIRSTHDR(&header);
    put(first, v4 ? IP_TTL : IPV6_HOPLIMIT, packet.ttl);
    put(CMSG_NXTHDR(&header, first), v4 ? IP_TOS : IPV6_TCLASS, packet.dscp << 2);
}

// Whether the kernel had counted the packet for its transmit stamps before it refused it.
bool was_counted(int error)
{
    return error != ENETUNREACH && error != EHOSTUNREACH && error != EMSGSIZE && error != EINVAL && error != ENODEV
           && error != ENXIO && error != EADDRNOTAVAIL && error != ENETDOWN && error != EAGAIN;
}

}  // namespace

LinuxPort::LinuxPort(TagKey key, Random& random, Devices* devices)
    : key_(key), random_(random), devices_(devices), out_(std::make_unique<SendBatch>()),
      in_(std::make_unique<ReceiveBatch>())
{}

LinuxPort::~LinuxPort() = default;

std::uint32_t LinuxPort::acquire(const Path& path)
{
    auto free = sockets_.size();
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
        if (!sockets_[i]) {
            free = i;
        } else if (sockets_[i]->path == path) {
            ++sockets_[i]->users;
            return std::uint32_t(i);
        }
    }
    if (free == sockets_.size()) sockets_.emplace_back();
    sockets_[free] = std::make_unique<IcmpSocket>();
    sockets_[free]->path = path;
    sockets_[free]->users = 1;
    // Why it failed, if it did, is found out and told by check() when a packet is due.
    (void)open_socket(*sockets_[free], std::uint16_t(random_.u64()));
    return std::uint32_t(free);
}

void LinuxPort::release(std::uint32_t index)
{
    auto& socket = sockets_[index];
    NW_ASSERT(socket && socket->users > 0);
    if (--socket->users == 0) socket.reset();
}

std::optional<NotReady> LinuxPort::check(std::uint32_t index, Moment now)
{
    auto& socket = *sockets_[index];
    if (!socket.path.device.empty()) {
        const auto& device = devices_.state(socket.path.device, socket.path.family, now);
        if (device.problem) return NotReady{Outcome::BindError, *device.problem};
        // A device that was removed and made again has another index: the old binding leads nowhere.
        if (socket.fd.is_open() && device.index != socket.device_index) socket.fd = {};
    }
    if (socket.fd.is_open()) return std::nullopt;
    return open_socket(socket, std::uint16_t(random_.u64()));
}

void LinuxPort::prepare(IcmpSocket& socket, const Outgoing& packet, std::size_t place, Moment now)
{
    auto& out = *out_;
    auto& head = out.heads[place];
    out.packets[place] = packet;
    out.icmp_seq[place] = socket.ring.add(packet.id, now);
    packet::encode_echo_request(socket.path.family, socket.icmp_id, out.icmp_seq[place], std::span(head).first<8>());
    write_identity(key_, packet.id, std::span(head).subspan<8, kIdentityBytes>());
    const auto tail = std::size_t(packet.size) - kIdentityBytes;
    const auto end = std::size_t(packet.size);
    for (auto at = pattern_.size(); at < end; ++at) pattern_.push_back(pattern_at(at));
    if (socket.raw && socket.path.family == Family::V4) {  // elsewhere the kernel fills it in
        if (out.tail_size != tail) {
            out.tail_size = tail;
            out.tail_sum = packet::checksum_add(0, {pattern_.data() + kIdentityBytes, tail});
        }
        const auto sum = packet::checksum_finish(packet::checksum_add(out.tail_sum, head));
        std::memcpy(head.data() + packet::kIcmpChecksumOffset, &sum, sizeof sum);
    }
    out.to[place] = to_sockaddr(packet.to);
    out.parts[place] = {iovec{head.data(), head.size()}, iovec{pattern_.data() + kIdentityBytes, tail}};
    auto& header = out.messages[place].msg_hdr;
    header =
        msghdr{&out.to[place].storage, out.to[place].size, out.parts[place].data(), tail == 0 ? 1UL : 2UL, nullptr, 0, 0};
    put_control(header, out.control[place], socket.path.family, packet);
}

void LinuxPort::send(std::span<const Outgoing> packets, Moment now, PortEvents& events)
{
    std::size_t size_max = 0;
    for (const auto& packet : packets) size_max = std::max<std::size_t>(size_max, packet.size);
    // The vectors into it must not move while a batch is being put together.
    for (auto at = pattern_.size(); at < size_max; ++at) pattern_.push_back(pattern_at(at));
    if (size_max + 128 > in_->each) {
        in_->each = std::min<std::size_t>((size_max + 128 + 1023) / 1024 * 1024, 66'560);
        in_->bytes.resize(kBatch * in_->each);
    }
    for (std::uint32_t index = 0; index < sockets_.size(); ++index) {
        if (!sockets_[index]) continue;
        auto& socket = *sockets_[index];
        for (const auto& packet : packets) {
            if (packet.socket != index) continue;
            prepare(socket, packet, out_->count++, now);
            if (out_->count == kBatch) flush(socket, events);
        }
        flush(socket, events);
    }
}

void LinuxPort::flush(IcmpSocket& socket, PortEvents& events)
{
    auto& out = *out_;
    bool retried = false;
    for (std::size_t done = 0; done < out.count;) {
        const auto sent = sendmmsg(socket.fd.get(), out.messages.data() + done, unsigned(out.count - done), MSG_DONTWAIT);
        if (sent > 0) {
            for (int i = 0; i < sent; ++i) socket.ring.stamped(out.icmp_seq[done + std::size_t(i)]);
            done += std::size_t(sent);
            socket.pending = true;
            retried = false;
            continue;
        }
        if (errno == EINTR) continue;
        // A datagram socket reports an ICMP error about some earlier packet once, in place of the next send.
        if (!socket.raw && !retried) {
            retried = true;
            continue;
        }
        handle_send_error(socket, done++, errno, events);
        retried = false;
    }
    out.count = 0;
}

void LinuxPort::handle_send_error(IcmpSocket& socket, std::size_t place, int error, PortEvents& events)
{
    if (was_counted(error)) {
        read_error_queue(socket, events);
        start_stamps(socket);
    }
    auto why = explain_send_error(error, socket.path.device, socket.path.family);
    events.on_send_failed(out_->packets[place].id, why.outcome, std::move(why.why));
}

void LinuxPort::note_drops(std::uint32_t index, IcmpSocket& socket, PortEvents& events)
{
    if (const auto dropped = drops_since(socket.fd.get(), socket.drops); dropped != 0) events.on_dropped(index, dropped);
}

void LinuxPort::receive(PortEvents& events)
{
    for (std::uint32_t index = 0; index < sockets_.size(); ++index) {
        if (!sockets_[index] || !sockets_[index]->fd.is_open()) continue;
        auto& socket = *sockets_[index];
        note_drops(index, socket, events);
        for (;;) {
            const auto count = read_replies(socket);
            // A datagram socket's ICMP errors come there too, whenever they come.
            if (((count > 0 || socket.pending) && socket.path.stamp_sends) || !socket.raw) read_error_queue(socket, events);
            for (int i = 0; i < count; ++i) handle_received(socket, in_->messages[std::size_t(i)], events);
            if (count < int(kBatch)) break;
        }
    }
}

int LinuxPort::read_replies(IcmpSocket& socket)
{
    for (int attempt = 0; attempt < 3; ++attempt) {
        in_->arm();
        const auto count = recvmmsg(socket.fd.get(), in_->messages.data(), kBatch, MSG_DONTWAIT, nullptr);
        if (count >= 0) return count;
        if (errno == EAGAIN) return 0;
        // A pending ICMP error of a datagram socket; its details are in the error queue.
    }
    return 0;
}

void LinuxPort::read_error_queue(IcmpSocket& socket, PortEvents& events)
{
    for (;;) {
        in_->arm_errors();
        const auto count = recvmmsg(socket.fd.get(), in_->errors.data(), kBatch, MSG_ERRQUEUE | MSG_DONTWAIT, nullptr);
        for (int i = 0; i < count; ++i) handle_queued(socket, in_->errors[std::size_t(i)], events);
        if (count < int(kBatch)) break;
    }
    socket.pending = false;
}

void LinuxPort::handle_queued(IcmpSocket& socket, mmsghdr& message, PortEvents& events)
{
    const auto ancillary = read_ancillary(message.msg_hdr);
    if (!ancillary.error) return;
    const auto& error = *ancillary.error;
    if (error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) {
        if (ancillary.stamp) events.on_transmitted(socket.ring.by_key(error.ee_data), *ancillary.stamp);
        return;
    }
    if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) return;
    const packet::Bytes quoted(static_cast<const std::uint8_t*>(message.msg_hdr.msg_iov->iov_base), message.msg_len);
    const auto request = packet::decode_icmp(socket.path.family, quoted);
    const auto* echo = std::get_if<packet::Echo>(&request);
    const auto router = address_of(SO_EE_OFFENDER(&error));
    if (!echo || !router || !packet::is_final_error(socket.path.family, error.ee_type)) return;
    handle_error(socket,
                 {.type = error.ee_type,
                  .code = error.ee_code,
                  .mtu = error.ee_info,
                  .id = socket.icmp_id,
                  .seq = echo->seq,
                  .payload = echo->payload},
                 *router, events);
}

void LinuxPort::handle_received(IcmpSocket& socket, mmsghdr& message, PortEvents& events)
{
    const auto ancillary = read_ancillary(message.msg_hdr);
    packet::Bytes bytes(static_cast<const std::uint8_t*>(message.msg_hdr.msg_iov->iov_base), message.msg_len);
    Reply reply{.received = ancillary.stamp, .ttl = ancillary.ttl};
    const auto router = address_of(static_cast<const sockaddr*>(message.msg_hdr.msg_name));
    bool intact = true;
    if (socket.raw && socket.path.family == Family::V4) {
        const auto header = packet::decode_ipv4(bytes);
        if (!header) return;
        reply.ttl = header->ttl;
        bytes = bytes.subspan(header->header_bytes);
        // The kernel hands raw IPv4 sockets packets whose ICMP checksum it has not looked at.
        if ((message.msg_hdr.msg_flags & MSG_TRUNC) == 0) intact = packet::checksum(bytes) == 0;
    }
    const auto decoded = packet::decode_icmp(socket.path.family, bytes);
    if (const auto* echo = std::get_if<packet::Echo>(&decoded)) {
        if (!echo->request && (!socket.raw || echo->id == socket.icmp_id)) handle_echo(socket, *echo, intact, reply, events);
    } else if (const auto* error = std::get_if<packet::IcmpError>(&decoded); error && intact && router) {
        handle_error(socket, *error, *router, events);
    }
}

void LinuxPort::handle_echo(IcmpSocket& socket, const packet::Echo& echo, bool intact, Reply reply, PortEvents& events)
{
    if (const auto id = read_identity(key_, echo.payload); id && intact && has_pattern(echo.payload)) {
        reply.id = *id;
        events.on_reply(reply);
        return;
    }
    // Altered on the way: the ICMP header says whose it was. A reply without our magic at that place in the
    // sequence is somebody else's traffic with the same identifier.
    if (echo.payload.size() >= 4 && std::memcmp(echo.payload.data(), "NWp1", 4) != 0 && intact) return;
    events.on_corrupted(socket.ring.at(echo.seq));
}

void LinuxPort::handle_error(IcmpSocket& socket, const packet::IcmpError& error, const packet::Address& router,
                             PortEvents& events)
{
    if (error.id != socket.icmp_id) return;
    auto id = read_identity(key_, error.payload);
    if (!id && error.payload.size() >= kIdentityBytes) return;  // quoted whole and not ours
    if (!id) id = socket.ring.at(error.seq);
    const auto about = socket.raw ? std::optional(error.destination) : std::nullopt;
    events.on_error(*id, about,
                    "icmp " + std::to_string(error.type) + "/" + std::to_string(error.code) + " "
                        + packet::describe(socket.path.family, error) + " from " + packet::to_text(router));
}

}  // namespace nw::probe::ping
