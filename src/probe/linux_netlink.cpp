#include "probe/linux_netlink.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace nw::probe {
namespace {

using rtnetlink::DumpEnd;

constexpr int kAttempts = 4;
constexpr int kEventBufferBytes = 1 << 20;

Result<Descriptor> open_socket(int flags)
{
    Descriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    if (!fd.is_open() || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return fail(Errc::Unavailable, std::string("netlink: ") + std::strerror(errno));
    return fd;
}

Result<DumpEnd> dump_once(int fd, std::span<const std::byte> request, std::vector<std::byte>& buffer,
                          const NetlinkTake& take)
{
    if (::send(fd, request.data(), request.size(), 0) < 0)
        return fail(Errc::Unavailable, std::string("netlink: ") + std::strerror(errno));
    std::optional<DumpEnd> end;
    while (!end) {
        const auto size = recv(fd, buffer.data(), buffer.size(), 0);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return fail(Errc::Unavailable, std::string("netlink: ") + std::strerror(errno));
        rtnetlink::read_messages(std::span(buffer).first(std::size_t(size)), [&](const rtnetlink::Message& message) {
            if (const auto* done = std::get_if<DumpEnd>(&message)) end = *done;
            else take(message);
        });
    }
    if (end->error != 0) return fail(Errc::Unavailable, std::string("netlink: ") + std::strerror(end->error));
    return *end;
}

}  // namespace

Result<NetlinkEvents> NetlinkEvents::open(std::initializer_list<unsigned> groups)
{
    NW_TRY(auto fd, open_socket(SOCK_NONBLOCK));
    for (const auto group : groups)
        if (!set_option(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, int(group)))
            return fail(Errc::Unavailable, std::string("netlink group: ") + std::strerror(errno));
    if (!set_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, kEventBufferBytes))
        set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, kEventBufferBytes);
    return NetlinkEvents(std::move(fd));
}

bool NetlinkEvents::drain(const NetlinkTake& take)
{
    bool complete = true;
    for (;;) {
        const auto size = recv(fd_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == ENOBUFS) {
            complete = false;
            continue;
        }
        if (size < 0) return complete;
        if (std::size_t(size) > buffer_.size()) complete = false;
        else rtnetlink::read_messages(std::span(buffer_).first(std::size_t(size)), take);
    }
}

Status netlink_dump(std::uint16_t type, std::uint8_t family, const std::function<void()>& begin, const NetlinkTake& take)
{
    std::vector<std::byte> buffer(64 << 10);
    for (int attempt = 1;; ++attempt) {
        // A new socket each time: nothing of an attempt that was given up can be taken for the next one's.
        NW_TRY(const auto fd, open_socket(0));
        const timeval patience{.tv_sec = 2, .tv_usec = 0};
        set_option(fd.get(), SOL_SOCKET, SO_RCVTIMEO, patience);
        begin();
        NW_TRY(const auto end,
               dump_once(fd.get(), rtnetlink::dump_request(type, family, std::uint32_t(attempt)), buffer, take));
        // The last attempt is taken as it is: what changed meanwhile has its own event.
        if (!end.interrupted || attempt == kAttempts) return {};
    }
}

}  // namespace nw::probe
