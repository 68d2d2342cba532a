#include "probe/rtnetlink.hpp"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <type_traits>

namespace nw::probe::rtnetlink {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

template <class T>
std::optional<T> read(Bytes bytes)
{
    static_assert(std::is_trivially_copyable_v<T>);
    if (bytes.size() < sizeof(T)) return std::nullopt;
    T value{};
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

std::uint32_t number(Bytes bytes)
{
    if (const auto value = read<std::uint32_t>(bytes)) return *value;
    const auto small = read<std::uint8_t>(bytes);
    return small ? *small : 0;
}

// Up to the first NUL, at most what a name of a device or a kind can be.
std::string text(Bytes bytes)
{
    const auto* begin = reinterpret_cast<const char*>(bytes.data());
    return std::string(begin, strnlen(begin, std::min<std::size_t>(bytes.size(), 64)));
}

std::string raw(Bytes bytes, std::size_t max)
{
    if (bytes.size() > max) return {};
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string address(Bytes bytes) { return bytes.size() == 4 || bytes.size() == 16 ? raw(bytes, 16) : std::string(); }

// Calls `take(type, value)` for each attribute; the flags in the type's upper bits are removed.
template <class Take>
void each_attribute(Bytes bytes, const Take& take)
{
    while (const auto head = read<rtattr>(bytes)) {
        if (head->rta_len < sizeof(rtattr) || head->rta_len > bytes.size()) return;
        take(std::uint16_t(head->rta_type & 0x3fff), bytes.subspan(sizeof(rtattr), head->rta_len - sizeof(rtattr)));
        bytes = bytes.subspan(std::min(aligned(head->rta_len), bytes.size()));
    }
}

void take_link_attribute(LinkMessage& link, bool& elsewhere, std::uint16_t type, Bytes value)
{
    switch (type) {
    case IFLA_IFNAME: link.name = text(value); break;
    case IFLA_ADDRESS: link.mac = raw(value, 32); break;
    case IFLA_MTU: link.mtu = number(value); break;
    case IFLA_OPERSTATE: link.operational = std::uint8_t(number(value)); break;
    case IFLA_LINK: link.parent = number(value); break;
    case IFLA_MASTER: link.master = number(value); break;
    case IFLA_LINK_NETNSID: elsewhere = true; break;
    case IFLA_LINKINFO:
        each_attribute(value, [&](std::uint16_t inner, Bytes kind) {
            if (inner == IFLA_INFO_KIND) link.kind = text(kind);
        });
        break;
    default: break;
    }
}

std::optional<Message> read_link(Bytes body, bool removed)
{
    const auto head = read<ifinfomsg>(body);
    // A bridge tells of its ports in messages of its own family: the end of such one is not the end of the device.
    if (!head || head->ifi_family != AF_UNSPEC || head->ifi_index <= 0) return std::nullopt;
    LinkMessage link{
        .removed = removed, .index = std::uint32_t(head->ifi_index), .hardware = head->ifi_type, .flags = head->ifi_flags};
    bool elsewhere = false;
    bool wireless = false;
    each_attribute(body.subspan(aligned(sizeof *head)), [&](std::uint16_t type, Bytes value) {
        if (type == IFLA_WIRELESS) wireless = true;
        take_link_attribute(link, elsewhere, type, value);
    });
    // Events of a radio carry the name and nothing else of the link.
    if (wireless || link.name.empty()) return std::nullopt;
    // The other end of a veth may be in another namespace, where the index means something else.
    if (elsewhere || link.parent == link.index) link.parent = 0;
    return link;
}

std::optional<Message> read_address(Bytes body, bool removed)
{
    const auto head = read<ifaddrmsg>(body);
    if (!head || (head->ifa_family != AF_INET && head->ifa_family != AF_INET6)) return std::nullopt;
    AddressMessage found{.removed = removed,
                         .index = head->ifa_index,
                         .prefix = head->ifa_prefixlen,
                         .scope = head->ifa_scope,
                         .flags = head->ifa_flags};
    std::string local;
    each_attribute(body.subspan(aligned(sizeof *head)), [&](std::uint16_t type, Bytes value) {
        if (type == IFA_ADDRESS) found.address = address(value);
        else if (type == IFA_LOCAL) local = address(value);
        else if (type == IFA_FLAGS) found.flags = number(value);
    });
    // On a point-to-point link IFA_ADDRESS is the other end's.
    if (!local.empty()) found.address = std::move(local);
    const std::size_t wanted = head->ifa_family == AF_INET ? 4 : 16;
    if (found.address.size() != wanted || found.prefix > wanted * 8) return std::nullopt;
    return found;
}

// RTA_VIA: the family and the address of a next hop of the other family.
std::string via(Bytes value) { return value.size() > 2 ? address(value.subspan(2)) : std::string(); }

void read_multipath(Bytes bytes, std::vector<NextHop>& hops)
{
    while (const auto head = read<rtnexthop>(bytes)) {
        if (head->rtnh_len < sizeof(rtnexthop) || head->rtnh_len > bytes.size() || hops.size() >= kNextHopsMax) return;
        NextHop hop{.index = std::uint32_t(head->rtnh_ifindex)};
        each_attribute(bytes.subspan(sizeof(rtnexthop), head->rtnh_len - sizeof(rtnexthop)),
                       [&](std::uint16_t type, Bytes value) {
                           if (type == RTA_GATEWAY) hop.gateway = address(value);
                           else if (type == RTA_VIA) hop.gateway = via(value);
                       });
        hops.push_back(std::move(hop));
        bytes = bytes.subspan(std::min(aligned(head->rtnh_len), bytes.size()));
    }
}

std::optional<Message> read_route(Bytes body, bool removed)
{
    const auto head = read<rtmsg>(body);
    if (!head || (head->rtm_family != AF_INET && head->rtm_family != AF_INET6)) return std::nullopt;
    RouteMessage route{.removed = removed,
                       .v6 = head->rtm_family == AF_INET6,
                       .cached = (head->rtm_flags & RTM_F_CLONED) != 0,
                       .table = head->rtm_table,
                       .prefix = head->rtm_dst_len,
                       .protocol = head->rtm_protocol,
                       .scope = head->rtm_scope,
                       .type = head->rtm_type};
    NextHop only;
    each_attribute(body.subspan(aligned(sizeof *head)), [&](std::uint16_t type, Bytes value) {
        switch (type) {
        case RTA_DST: route.destination = address(value); break;
        case RTA_TABLE: route.table = number(value); break;
        case RTA_PRIORITY: route.metric = number(value); break;
        case RTA_PREFSRC: route.source = address(value); break;
        case RTA_OIF: only.index = number(value); break;
        case RTA_GATEWAY: only.gateway = address(value); break;
        case RTA_VIA: only.gateway = via(value); break;
        case RTA_MULTIPATH: read_multipath(value, route.hops); break;
        default: break;
        }
    });
    const std::size_t bytes = route.v6 ? 16 : 4;
    if (route.prefix > bytes * 8 || (!route.destination.empty() && route.destination.size() != bytes)) return std::nullopt;
    if (route.hops.empty()) route.hops.push_back(std::move(only));
    return route;
}

std::optional<Message> read_rule(Bytes body, bool removed)
{
    const auto head = read<fib_rule_hdr>(body);
    if (!head || (head->family != AF_INET && head->family != AF_INET6)) return std::nullopt;
    RuleMessage rule{.removed = removed,
                     .v6 = head->family == AF_INET6,
                     .from_prefix = head->src_len,
                     .to_prefix = head->dst_len,
                     .action = head->action,
                     .table = head->table};
    each_attribute(body.subspan(aligned(sizeof *head)), [&](std::uint16_t type, Bytes value) {
        switch (type) {
        case FRA_PRIORITY: rule.priority = number(value); break;
        case FRA_TABLE: rule.table = number(value); break;
        case FRA_SRC: rule.from = address(value); break;
        case FRA_DST: rule.to = address(value); break;
        case FRA_IIFNAME: rule.iif = text(value); break;
        case FRA_OIFNAME: rule.oif = text(value); break;
        case FRA_FWMARK: rule.fwmark = number(value); break;
        case FRA_FWMASK: rule.fwmask = number(value); break;
        default: break;
        }
    });
    const std::size_t bytes = rule.v6 ? 16 : 4;
    const auto fits = [&](const std::string& net, std::uint8_t prefix) {
        return prefix <= bytes * 8 && (net.empty() || net.size() == bytes);
    };
    if (!fits(rule.from, rule.from_prefix) || !fits(rule.to, rule.to_prefix)) return std::nullopt;
    // A mask alone, which the kernel sends with every rule of some versions, selects nothing.
    if (rule.fwmark && *rule.fwmark == 0 && rule.fwmask == 0) rule.fwmark.reset();
    return rule;
}

std::optional<Message> read_one(const nlmsghdr& head, Bytes body)
{
    const bool interrupted = (head.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    switch (head.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: return read_link(body, head.nlmsg_type == RTM_DELLINK);
    case RTM_NEWADDR:
    case RTM_DELADDR: return read_address(body, head.nlmsg_type == RTM_DELADDR);
    case RTM_NEWROUTE:
    case RTM_DELROUTE: return read_route(body, head.nlmsg_type == RTM_DELROUTE);
    case RTM_NEWRULE:
    case RTM_DELRULE: return read_rule(body, head.nlmsg_type == RTM_DELRULE);
    case NLMSG_DONE: return DumpEnd{.error = 0, .interrupted = interrupted};
    case NLMSG_ERROR: {
        const auto error = read<nlmsgerr>(body);
        return DumpEnd{.error = error ? -error->error : EPROTO, .interrupted = interrupted};
    }
    default: return std::nullopt;
    }
}

}  // namespace

bool LinkMessage::up() const { return (flags & IFF_UP) != 0; }
bool LinkMessage::running() const { return up() && (flags & IFF_RUNNING) != 0; }

bool AddressMessage::usable() const
{
    if ((flags & IFA_F_DADFAILED) != 0) return false;
    return (flags & IFA_F_TENTATIVE) == 0 || (flags & IFA_F_OPTIMISTIC) != 0;
}

bool read_messages(std::span<const std::byte> datagram, const std::function<void(const Message&)>& take)
{
    while (!datagram.empty()) {
        const auto head = read<nlmsghdr>(datagram);
        if (!head || head->nlmsg_len < sizeof(nlmsghdr) || head->nlmsg_len > datagram.size()) return false;
        const auto body = datagram.subspan(sizeof(nlmsghdr), head->nlmsg_len - sizeof(nlmsghdr));
        if (const auto message = read_one(*head, body)) take(*message);
        datagram = datagram.subspan(std::min(aligned(head->nlmsg_len), datagram.size()));
    }
    return true;
}

std::vector<std::byte> dump_request(std::uint16_t type, std::uint8_t family, std::uint32_t sequence)
{
    struct Request {
        nlmsghdr head{};
        rtmsg body{};  // the largest of the bodies that older kernels insist on; begins with the family like all of them
        std::uint32_t more = 0;
    };
    Request request;
    request.head.nlmsg_len = sizeof request;
    request.head.nlmsg_type = type;
    request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.head.nlmsg_seq = sequence;
    request.body.rtm_family = family;
    std::vector<std::byte> bytes(sizeof request);
    std::memcpy(bytes.data(), &request, sizeof request);
    return bytes;
}

}  // namespace nw::probe::rtnetlink
