#include "probe/path/linux_socket.hpp"

#include "probe/path/codec.hpp"

#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace nw::probe::path {
namespace {

using packet::Family;

// RFC 792; the system's two headers that have them clash with the others needed here.
constexpr std::uint32_t kEchoReply = 0, kUnreachable = 3, kTimeExceeded = 11, kParameterProblem = 12;
constexpr std::uint32_t kFlowMask = ~std::uint32_t(kFlowsMax - 1) & 0xffff;
constexpr std::uint32_t kAll = 0x40000;
constexpr std::uint16_t kAnyPort = 33434;

template <std::size_t N>
bool attach(int fd, const std::array<sock_filter, N>& code)
{
    const sock_fprog program{std::uint16_t(code.size()), const_cast<sock_filter*>(code.data())};
    return set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, program);
}

// Echo replies with an identifier of ours, and errors that quote an echo request with one, or UDP or TCP: those are
// rare, and a translator may have changed their ports. Raw IPv4 sockets see the IP header: X is its length.
bool attach_icmp_v4(int fd, std::uint16_t base)
{
    return attach(fd, std::array{
                          sock_filter{BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},
                          sock_filter{BPF_LD | BPF_B | BPF_IND, 0, 0, 0},  // ICMP type
                          sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 2, kEchoReply},
                          sock_filter{BPF_LD | BPF_H | BPF_IND, 0, 0, 4},
                          sock_filter{BPF_JMP | BPF_JA, 0, 0, 12},
                          sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 2, 0, kUnreachable},
                          sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 1, 0, kTimeExceeded},
                          sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 12, kParameterProblem},
                          sock_filter{BPF_LD | BPF_B | BPF_IND, 0, 0, 8 + 9},  // the quoted protocol
                          sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 9, 0, IPPROTO_UDP},
                          sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 8, 0, IPPROTO_TCP},
                          // X += length of the quoted header, which lies behind 8 bytes of ICMP.
                          sock_filter{BPF_LD | BPF_B | BPF_IND, 0, 0, 8},
                          sock_filter{BPF_ALU | BPF_AND | BPF_K, 0, 0, 15},
                          sock_filter{BPF_ALU | BPF_LSH | BPF_K, 0, 0, 2},
                          sock_filter{BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0},
                          sock_filter{BPF_MISC | BPF_TAX, 0, 0, 0},
                          sock_filter{BPF_LD | BPF_H | BPF_IND, 0, 0, 8 + 4},
                          sock_filter{BPF_ALU | BPF_AND | BPF_K, 0, 0, kFlowMask},
                          sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, base},
                          sock_filter{BPF_RET | BPF_K, 0, 0, kAll},
                          sock_filter{BPF_RET | BPF_K, 0, 0, 0},
                      });
}

bool attach_icmp_v6(int fd, std::uint16_t base)
{
    icmp6_filter types{};
    ICMP6_FILTER_SETBLOCKALL(&types);
    for (const int type : {ICMP6_ECHO_REPLY, ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB})
        ICMP6_FILTER_SETPASS(type, &types);
    return set_option(fd, IPPROTO_ICMPV6, ICMP6_FILTER, types)
           && attach(fd, std::array{
                             sock_filter{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},
                             sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 2, ICMP6_ECHO_REPLY},
                             sock_filter{BPF_LD | BPF_H | BPF_ABS, 0, 0, 4},
                             sock_filter{BPF_JMP | BPF_JA, 0, 0, 4},
                             sock_filter{BPF_LD | BPF_B | BPF_ABS, 0, 0, 8 + 6},  // the quoted protocol
                             sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 4, 0, IPPROTO_UDP},
                             sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 3, 0, IPPROTO_TCP},
                             sock_filter{BPF_LD | BPF_H | BPF_ABS, 0, 0, 8 + 40 + 4},
                             sock_filter{BPF_ALU | BPF_AND | BPF_K, 0, 0, kFlowMask},
                             sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, base},
                             sock_filter{BPF_RET | BPF_K, 0, 0, kAll},
                             sock_filter{BPF_RET | BPF_K, 0, 0, 0},
                         });
}

// TCP and UDP to a port of ours: both have it in the same place.
bool attach_ports(int fd, Family family, std::uint16_t base)
{
    const std::uint16_t load = family == Family::V4 ? BPF_IND : BPF_ABS;
    return attach(fd, std::array{
                          sock_filter{BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},
                          sock_filter{std::uint16_t(BPF_LD | BPF_H | load), 0, 0, 2},
                          sock_filter{BPF_ALU | BPF_AND | BPF_K, 0, 0, kFlowMask},
                          sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, base},
                          sock_filter{BPF_RET | BPF_K, 0, 0, kAll},
                          sock_filter{BPF_RET | BPF_K, 0, 0, 0},
                      });
}

bool attach_filter(const Receiver& receiver, std::uint16_t base)
{
    const int fd = receiver.fd.get();
    if (receiver.protocol != Protocol::Icmp) return attach_ports(fd, receiver.family, base);
    return receiver.family == Family::V4 ? attach_icmp_v4(fd, base) : attach_icmp_v6(fd, base);
}

int domain_of(Family family) { return family == Family::V4 ? AF_INET : AF_INET6; }

NotReady cannot_open(Family family)
{
    if (errno == EAFNOSUPPORT)
        return {Outcome::BindError, family == Family::V4 ? "this host has no IPv4" : "this host has no IPv6"};
    return {Outcome::PermissionError, "no raw socket: give the program CAP_NET_RAW"};
}

NotReady cannot_bind(const std::string& device)
{
    return {Outcome::BindError, "interface " + device + ": " + std::strerror(errno)};
}

}  // namespace

std::optional<NotReady> open_sender(Sender& sender)
{
    const auto& route = sender.route;
    // This protocol brings its own IP header, for both families.
    sender.fd = Descriptor(::socket(domain_of(route.family), SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW));
    if (!sender.fd.is_open()) return cannot_open(route.family);
    const int fd = sender.fd.get();
    if (!bind_device(fd, route.device)) {
        auto problem = cannot_bind(route.device);
        sender.fd = Descriptor();
        return problem;
    }
    // Packets that must not be fragmented go out up to the device's MTU, whatever the host has learnt of the path:
    // what the path takes is what is being measured.
    if (route.family == Family::V4) set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, int(IP_PMTUDISC_PROBE));
    else set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, int(IPV6_PMTUDISC_PROBE));
    sender.device_index = route.device.empty() ? 0 : if_nametoindex(route.device.c_str());
    enlarge_buffers(fd);
    start_stamps(sender);
    return std::nullopt;
}

void start_stamps(Sender& sender)
{
    // Only switching the counter off and on again sets it back to zero.
    set_option(sender.fd.get(), SOL_SOCKET, SO_TIMESTAMPING, 0);
    const int flags =
        SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
    set_option(sender.fd.get(), SOL_SOCKET, SO_TIMESTAMPING, flags);
    sender.next_key = 0;
}

std::optional<NotReady> open_receiver(Receiver& receiver, std::uint16_t flow_base)
{
    const bool v4 = receiver.family == Family::V4;
    const int icmp = v4 ? int(IPPROTO_ICMP) : int(IPPROTO_ICMPV6);
    const int protocol = receiver.protocol == Protocol::Tcp   ? int(IPPROTO_TCP)
                         : receiver.protocol == Protocol::Udp ? int(IPPROTO_UDP)
                                                              : icmp;
    receiver.fd = Descriptor(::socket(domain_of(receiver.family), SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
    if (!receiver.fd.is_open()) return cannot_open(receiver.family);
    if (!attach_filter(receiver, flow_base)) {
        receiver.fd = Descriptor();
        return NotReady{Outcome::PermissionError, "socket filter: " + std::string(std::strerror(errno))};
    }
    const int fd = receiver.fd.get();
    receiver.drops = 0;
    enlarge_buffers(fd);
    if (!v4) set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    set_option(fd, SOL_SOCKET, SO_TIMESTAMPING, int(SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE));
    return std::nullopt;
}

std::expected<packet::Address, NotReady> source_for(const Route& route, const Destination& to)
{
    // Connecting a datagram socket sends nothing: it asks the routing tables.
    const Descriptor fd(::socket(domain_of(route.family), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return std::unexpected(cannot_open(route.family));
    if (!bind_device(fd.get(), route.device)) return std::unexpected(cannot_bind(route.device));
    const auto address = to_sockaddr(to, kAnyPort);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0)
        return std::unexpected(explain_send_error(errno, route.device, route.family));
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0)
        return std::unexpected(explain_send_error(errno, route.device, route.family));
    const auto source = address_of(reinterpret_cast<const sockaddr*>(&own));
    if (!source) return std::unexpected(NotReady{Outcome::BindError, "no source address"});
    return *source;
}

std::uint16_t link_mtu(const Route& route, const packet::Address& source)
{
    auto device = route.device;
    ifaddrs* all = nullptr;
    if (device.empty() && getifaddrs(&all) == 0) {
        for (const auto* entry = all; entry && device.empty(); entry = entry->ifa_next)
            if (entry->ifa_addr && address_of(entry->ifa_addr) == source) device = entry->ifa_name;
        freeifaddrs(all);
    }
    constexpr std::uint16_t kUsual = 1500;
    const Descriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    if (device.empty() || device.size() >= IFNAMSIZ) return kUsual;
    std::memcpy(request.ifr_name, device.data(), device.size());
    if (ioctl(fd.get(), SIOCGIFMTU, &request) != 0 || request.ifr_mtu <= 0) return kUsual;
    return std::uint16_t(std::min<std::size_t>(std::size_t(request.ifr_mtu), kPacketBytesMax));
}

}  // namespace nw::probe::path
