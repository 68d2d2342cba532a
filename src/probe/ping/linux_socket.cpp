#include "probe/ping/linux_socket.hpp"

#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace nw::probe::ping {
namespace {

using packet::Family;

// RFC 792; the system's two headers that have them clash with the others needed here.
constexpr std::uint32_t kEchoReply = 0, kUnreachable = 3, kEchoRequest = 8, kTimeExceeded = 11, kParameterProblem = 12;

// Lets pass replies with our identifier, and errors whose quoted packet is an echo request with it. Raw IPv4
// sockets see the IP header, so offsets go through X, its length.
bool attach_filter_v4(int fd, std::uint16_t id)
{
    const std::array code{
        sock_filter{BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},
        sock_filter{BPF_LD | BPF_B | BPF_IND, 0, 0, 0},  // ICMP type
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 2, kEchoReply},
        sock_filter{BPF_LD | BPF_H | BPF_IND, 0, 0, 4},
        sock_filter{BPF_JMP | BPF_JA, 0, 0, 11},
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 2, 0, kUnreachable},
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 1, 0, kTimeExceeded},
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 10, kParameterProblem},
        // X += length of the quoted header, which lies behind 8 bytes of ICMP.
        sock_filter{BPF_LD | BPF_B | BPF_IND, 0, 0, 8},
        sock_filter{BPF_ALU | BPF_AND | BPF_K, 0, 0, 15},
        sock_filter{BPF_ALU | BPF_LSH | BPF_K, 0, 0, 2},
        sock_filter{BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0},
        sock_filter{BPF_MISC | BPF_TAX, 0, 0, 0},
        sock_filter{BPF_LD | BPF_B | BPF_IND, 0, 0, 8},
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 3, kEchoRequest},
        sock_filter{BPF_LD | BPF_H | BPF_IND, 0, 0, 12},
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, id},
        sock_filter{BPF_RET | BPF_K, 0, 0, 0x40000},
        sock_filter{BPF_RET | BPF_K, 0, 0, 0},
    };
    const sock_fprog program{std::uint16_t(code.size()), const_cast<sock_filter*>(code.data())};
    return set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, program);
}

bool attach_filter_v6(int fd, std::uint16_t id)
{
    const std::array code{
        sock_filter{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 2, ICMP6_ECHO_REPLY},
        sock_filter{BPF_LD | BPF_H | BPF_ABS, 0, 0, 4},
        sock_filter{BPF_JMP | BPF_JA, 0, 0, 4},
        sock_filter{BPF_JMP | BPF_JGT | BPF_K, 5, 0, ICMP6_PARAM_PROB},
        sock_filter{BPF_LD | BPF_B | BPF_ABS, 0, 0, 48},  // the quoted ICMP type
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 3, ICMP6_ECHO_REQUEST},
        sock_filter{BPF_LD | BPF_H | BPF_ABS, 0, 0, 52},
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, id},
        sock_filter{BPF_RET | BPF_K, 0, 0, 0x40000},
        sock_filter{BPF_RET | BPF_K, 0, 0, 0},
    };
    const sock_fprog program{std::uint16_t(code.size()), const_cast<sock_filter*>(code.data())};
    icmp6_filter types{};
    ICMP6_FILTER_SETBLOCKALL(&types);
    for (const int type : {ICMP6_ECHO_REPLY, ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB})
        ICMP6_FILTER_SETPASS(type, &types);
    return set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, program) && set_option(fd, IPPROTO_ICMPV6, ICMP6_FILTER, types);
}

std::optional<NotReady> bind_error(std::string why) { return NotReady{Outcome::BindError, std::move(why)}; }

std::optional<NotReady> bind_path(int fd, const Path& path)
{
    if (!bind_device(fd, path.device)) return bind_error("interface " + path.device + ": " + std::strerror(errno));
    const auto source = packet::parse_address(path.source);
    if (path.source.empty()) return std::nullopt;
    if (!source || source->family != path.family)
        return bind_error("source " + path.source + " is not an address of the target's family");
    const auto address = to_sockaddr({.address = *source});
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0)
        return bind_error("source address " + path.source + ": " + std::strerror(errno));
    return std::nullopt;
}

// A datagram socket's identifier is its "port", chosen by the kernel when it is bound.
std::uint16_t datagram_id(int fd, Family family)
{
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    std::uint16_t port = 0;
    if (family == Family::V4) port = reinterpret_cast<const sockaddr_in&>(address).sin_port;
    else port = reinterpret_cast<const sockaddr_in6&>(address).sin6_port;
    if (port != 0) return ntohs(port);
    address = {};
    address.ss_family = family == Family::V4 ? AF_INET : AF_INET6;
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) return 0;
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(family == Family::V4 ? reinterpret_cast<const sockaddr_in&>(address).sin_port
                                      : reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

void set_family_options(const IcmpSocket& socket)
{
    const int fd = socket.fd.get();
    const int on = 1;
    const bool df = socket.path.dont_fragment;
    if (socket.path.family == Family::V4) {
        set_option(fd, IPPROTO_IP, IP_TTL, 64);
        set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, df ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
        if (!socket.raw) set_option(fd, IPPROTO_IP, IP_RECVTTL, on);
        if (!socket.raw) set_option(fd, IPPROTO_IP, IP_RECVERR, on);
    } else {
        set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64);
        set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, df ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT);
        set_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, df ? 1 : 0);
        set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, on);
        if (!socket.raw) set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, on);
    }
}

}  // namespace

std::uint16_t SentRing::add(const Identity& id, Moment now)
{
    const auto size = std::uint32_t(ids_.size());
    // Lapped in under ten seconds: an error that comes back late would be taken for one about a newer packet.
    if ((next_ & (size - 1)) == 0) {
        if (next_ != 0 && now - lap_started_ < Seconds(10) && size < 65536) {
            std::vector<Identity> larger(size * 2);
            for (auto i = next_ - size; i != next_; ++i) larger[i & (size * 2 - 1)] = ids_[i & (size - 1)];
            ids_ = std::move(larger);
        }
        lap_started_ = now;
    }
    ids_[next_ & (ids_.size() - 1)] = id;
    return std::uint16_t(next_++);
}

const Identity& SentRing::at(std::uint16_t icmp_seq) const { return ids_[icmp_seq & (ids_.size() - 1)]; }

void start_stamps(IcmpSocket& socket)
{
    // Only switching the counter off and on again sets it back to zero.
    set_option(socket.fd.get(), SOL_SOCKET, SO_TIMESTAMPING, 0);
    int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    if (socket.path.stamp_sends)
        flags |= SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
    set_option(socket.fd.get(), SOL_SOCKET, SO_TIMESTAMPING, flags);
    socket.ring.restart_keys();
}

std::optional<NotReady> open_socket(IcmpSocket& socket, std::uint16_t icmp_id)
{
    const auto& path = socket.path;
    const bool v4 = path.family == Family::V4;
    const int domain = v4 ? AF_INET : AF_INET6;
    const int protocol = v4 ? int(IPPROTO_ICMP) : int(IPPROTO_ICMPV6);
    socket.fd = Descriptor(::socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
    socket.raw = socket.fd.is_open();
    if (!socket.raw) socket.fd = Descriptor(::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
    if (!socket.fd.is_open()) {
        if (errno == EAFNOSUPPORT) return bind_error(v4 ? "this host has no IPv4" : "this host has no IPv6");
        return NotReady{Outcome::PermissionError,
                        "no ICMP socket: give the program CAP_NET_RAW, or its group to net.ipv4.ping_group_range"};
    }
    socket.icmp_id = icmp_id;
    const int fd = socket.fd.get();
    if (socket.raw && !(v4 ? attach_filter_v4(fd, icmp_id) : attach_filter_v6(fd, icmp_id))) {
        socket.fd = {};
        return NotReady{Outcome::PermissionError, "socket filter: " + std::string(std::strerror(errno))};
    }
    if (auto problem = bind_path(fd, path)) {
        socket.fd = Descriptor();
        return problem;
    }
    if (!socket.raw) socket.icmp_id = datagram_id(fd, path.family);
    socket.device_index = path.device.empty() ? 0 : if_nametoindex(path.device.c_str());
    socket.drops = 0;
    enlarge_buffers(fd);
    set_family_options(socket);
    start_stamps(socket);
    return std::nullopt;
}

}  // namespace nw::probe::ping
