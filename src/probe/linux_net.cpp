#include "probe/linux_net.hpp"

#include "probe/devices.hpp"

#include <ifaddrs.h>
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace nw::probe {
namespace {

constexpr int kBufferBytes = 8 << 20;
constexpr Nanos kDeviceCheckEvery = Millis(200);

}  // namespace

Descriptor::~Descriptor()
{
    if (fd_ >= 0) ::close(fd_);
}

bool bind_device(int fd, const std::string& device)
{
    return device.empty() || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.data(), socklen_t(device.size())) == 0;
}

void enlarge_buffers(int fd)
{
    for (const auto [force, plain] : {std::pair{SO_RCVBUFFORCE, SO_RCVBUF}, std::pair{SO_SNDBUFFORCE, SO_SNDBUF}})
        if (!set_option(fd, SOL_SOCKET, force, kBufferBytes)) set_option(fd, SOL_SOCKET, plain, kBufferBytes);
}

SocketAddress to_sockaddr(const Destination& to, std::uint16_t port)
{
    SocketAddress result;
    if (to.address.family == packet::Family::V4) {
        auto& address = reinterpret_cast<sockaddr_in&>(result.storage);
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        std::memcpy(&address.sin_addr, to.address.bytes.data(), 4);
        result.size = sizeof address;
    } else {
        auto& address = reinterpret_cast<sockaddr_in6&>(result.storage);
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(port);
        address.sin6_scope_id = to.scope;
        std::memcpy(&address.sin6_addr, to.address.bytes.data(), 16);
        result.size = sizeof address;
    }
    return result;
}

std::optional<packet::Address> address_of(const sockaddr* from)
{
    if (from->sa_family == AF_INET) {
        const auto& v4 = *reinterpret_cast<const sockaddr_in*>(from);
        return packet::address_from({reinterpret_cast<const std::uint8_t*>(&v4.sin_addr), 4});
    }
    if (from->sa_family != AF_INET6) return std::nullopt;
    const auto& v6 = *reinterpret_cast<const sockaddr_in6*>(from);
    return packet::address_from({reinterpret_cast<const std::uint8_t*>(&v6.sin6_addr), 16});
}

Ancillary read_ancillary(msghdr& header)
{
    Ancillary found;
    for (auto* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
            scm_timestamping stamps{};
            std::memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
            const auto& software = stamps.ts[0];
            if (software.tv_sec != 0) found.stamp = KernelTime(Seconds(software.tv_sec) + Nanos(software.tv_nsec));
        } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
                   || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
            found.error = reinterpret_cast<const sock_extended_err*>(CMSG_DATA(c));
        } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
                   || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
            int ttl = 0;
            std::memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
            found.ttl = std::uint8_t(ttl);
        }
    }
    return found;
}

std::uint32_t drops_since(int fd, std::uint32_t& seen)
{
    std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
    socklen_t size = sizeof memory;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0) return 0;
    const auto dropped = memory[SK_MEMINFO_DROPS] - seen;
    seen = memory[SK_MEMINFO_DROPS];
    const bool full = memory[SK_MEMINFO_RMEM_ALLOC] >= memory[SK_MEMINFO_RCVBUF] / 10 * 9;
    return full ? dropped : 0;
}

std::optional<std::string> device_problem(const std::string& device, packet::Family family)
{
    const auto name = "interface " + device;
    if (device.size() >= IFNAMSIZ) return name + " does not exist";
    const Descriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::memcpy(request.ifr_name, device.data(), device.size());
    if (ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0) return name + " does not exist";
    const auto flags = unsigned(request.ifr_flags);
    if ((flags & IFF_UP) == 0) return name + " is down";
    if ((flags & IFF_RUNNING) == 0) return name + " has no carrier";
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return std::nullopt;
    const int wanted = family == packet::Family::V4 ? AF_INET : AF_INET6;
    bool found = false;
    for (const auto* entry = all; entry; entry = entry->ifa_next)
        found = found || (entry->ifa_addr && entry->ifa_addr->sa_family == wanted && device == entry->ifa_name);
    freeifaddrs(all);
    if (found) return std::nullopt;
    return name + (family == packet::Family::V4 ? " has no IPv4 address" : " has no IPv6 address");
}

const DeviceWatch::State& DeviceWatch::state(const std::string& device, packet::Family family, Moment now)
{
    auto& state = devices_[{device, family}];
    if (known_) {
        auto known = known_->state(device, family);
        return state = {now, std::move(known.problem), known.index};
    }
    if (state.checked == Moment{} || now - state.checked >= kDeviceCheckEvery)
        state = {now, device_problem(device, family), if_nametoindex(device.c_str())};
    return state;
}

NotReady explain_send_error(int error, const std::string& device, packet::Family family)
{
    const std::string why = std::strerror(error);
    switch (error) {
    case ENODEV:
    case ENXIO:
    case EADDRNOTAVAIL:
    case ENETDOWN: return {Outcome::BindError, (device.empty() ? "" : "interface " + device + ": ") + why};
    case EPERM:
    case EACCES: return {Outcome::PermissionError, "sending is not permitted: " + why};
    case EMSGSIZE: return {Outcome::Unreachable, "larger than the path's MTU, and must not be fragmented"};
    case EINVAL: return {Outcome::ConfigError, "the host cannot send such a packet: " + why};
    default: break;
    }
    if (!device.empty()) {
        if (auto problem = device_problem(device, family)) return {Outcome::BindError, *std::move(problem)};
    }
    if (error == ENETUNREACH || error == EHOSTUNREACH) return {Outcome::NotMeasured, "this host has no route there: " + why};
    return {Outcome::NotMeasured, "sending failed: " + why};
}

}  // namespace nw::probe
