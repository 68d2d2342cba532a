// The network of a Linux host: rtnetlink for what the kernel knows and when it changes, inotify for the files that name
// servers stand in, ethtool for speed and duplex.
#include "agent/network_builder.hpp"
#include "agent/network_source.hpp"
#include "agent/self_health.hpp"
#include "probe/linux_netlink.hpp"
#include "probe/name_servers.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

namespace nw::agent {
namespace {

using probe::Descriptor;
using probe::NetlinkEvents;
namespace rtnetlink = probe::rtnetlink;

using Readable = asio::posix::basic_stream_descriptor<Executor>;

// Folders are watched: whoever writes such a file puts a new one in the place of the old one. Of /etc only the name that
// matters is listened to. resolv.conf is watched itself as well: containers write into it, where it is mounted.
class NameServerFiles {
public:
    NameServerFiles() : fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK))
    {
        std::error_code ignored;
        watch("/etc", true);
        watch(std::filesystem::canonical("/etc/resolv.conf", ignored).parent_path().string(), true);
        for (const std::string folder : {"/run/systemd/resolve", "/run/systemd/resolve/netif", "/run/systemd/netif/links"})
            watch(folder, false);
        watch_resolv_conf();
    }
    int fd() const { return fd_.get(); }

    // Whether anything in them may be different.
    bool drain()
    {
        alignas(inotify_event) std::array<char, 16 << 10> buffer{};
        bool changed = false;
        for (;;) {
            const auto size = ::read(fd_.get(), buffer.data(), buffer.size());
            if (size < 0 && errno == EINTR) continue;
            if (size <= 0) return changed;
            for (std::size_t at = 0; at + sizeof(inotify_event) <= std::size_t(size);) {
                inotify_event event{};
                std::memcpy(&event, buffer.data() + at, sizeof event);
                const char* name = buffer.data() + at + sizeof event;
                const bool by_name = std::ranges::find(by_name_, event.wd) != by_name_.end();
                const bool matters = !by_name || (event.len > 0 && std::strcmp(name, "resolv.conf") == 0);
                changed = changed || matters;
                if (by_name && matters) watch_resolv_conf();  // another file by now
                at += sizeof event + event.len;
            }
        }
    }

private:
    void watch(const std::string& folder, bool by_name)
    {
        if (folder.empty()) return;
        const int wd = inotify_add_watch(fd_.get(), folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR);
        if (wd >= 0 && by_name) by_name_.push_back(wd);
    }

    void watch_resolv_conf() { (void)inotify_add_watch(fd_.get(), "/etc/resolv.conf", IN_CLOSE_WRITE | IN_MODIFY); }

    Descriptor fd_;
    std::vector<int> by_name_{};
};

class LinuxNetwork final : public NetworkSource {
public:
    LinuxNetwork(Loop& loop, Log log) : log_(std::move(log)), kernel_(loop.get_executor()), files_(loop.get_executor())
    {
        auto opened = NetlinkEvents::open({RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                                           RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE});
        if (!opened) {
            log_.error("changes of the network cannot be watched: {}", opened.error().what);
            return;
        }
        events_ = *std::move(opened);
        assign(kernel_, events_->fd());
        assign(files_, name_files_.fd());
    }

    Task<Result<NetworkEvents>> next() override;
    Result<HostNetwork> read() override;

private:
    Task<bool> wait();
    static void assign(Readable& readable, int fd)
    {
        boost::system::error_code failed;
        readable.assign(::fcntl(fd, F_DUPFD_CLOEXEC, 0), failed);
        if (failed && readable.is_open()) readable.close(failed);
    }
    static void take(const rtnetlink::Message& message, NetworkEvents& events);

    Log log_;
    std::optional<NetlinkEvents> events_{};
    NameServerFiles name_files_{};
    Readable kernel_;
    Readable files_;
};

void LinuxNetwork::take(const rtnetlink::Message& message, NetworkEvents& events)
{
    if (const auto* link = std::get_if<rtnetlink::LinkMessage>(&message)) {
        events.links.push_back({link->index, !link->removed && link->running()});
    } else if (const auto* route = std::get_if<rtnetlink::RouteMessage>(&message)) {
        if (route->prefix != 0 || route->table != RT_TABLE_MAIN || route->type != RTN_UNICAST || route->cached) return;
        for (const auto& hop : route->hops) events.defaults.push_back({route->v6, hop.index, route->removed});
    }
}

Task<Result<NetworkEvents>> LinuxNetwork::next()
{
    if (!kernel_.is_open()) co_return fail(Errc::Unavailable, "the kernel does not tell of changes");
    co_await asio::this_coro::throw_if_cancelled(false);  // the waits of wait() refer to its frame: they are always ended
    for (;;) {
        const bool open = co_await wait();
        if (!open) co_return fail(Errc::Unavailable, "the kernel's events cannot be read");
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
            co_return NetworkEvents{};
        NetworkEvents events;
        bool any = name_files_.drain();
        const bool complete = events_->drain([&](const auto& message) {
            any = true;
            take(message, events);
        });
        // When the kernel had to drop some, what is there now is read all the same.
        if (any || !complete) co_return events;
    }
}

// False when there will be no more events.
Task<bool> LinuxNetwork::wait()
{
    // Whichever has something first; the other wait is taken back. No event is lost: both are level-triggered.
    Timer first(kernel_.get_executor(), Timer::time_point::max());
    bool failed = false;
    int waits = 0;
    for (auto* readable : {&kernel_, &files_}) {
        if (!readable->is_open()) continue;
        ++waits;
        readable->async_wait(asio::posix::descriptor_base::wait_read, [&](const boost::system::error_code& error) {
            --waits;
            failed = failed || (error && error != asio::error::operation_aborted);
            first.cancel();
        });
    }
    co_await first.async_wait(nothrow);
    boost::system::error_code ignored;
    kernel_.cancel(ignored);
    if (files_.is_open()) files_.cancel(ignored);
    while (waits > 0) {
        first.expires_at(Timer::time_point::max());
        co_await first.async_wait(nothrow);
    }
    co_return !failed;
}

void add_speed(int fd, Interface& interface)
{
    ethtool_cmd command{};
    command.cmd = ETHTOOL_GSET;
    ifreq request{};
    std::strncpy(request.ifr_name, interface.name.c_str(), IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&command);
    if (ioctl(fd, SIOCETHTOOL, &request) != 0) return;
    const auto speed = ethtool_cmd_speed(&command);
    if (speed != 0 && speed != std::uint32_t(SPEED_UNKNOWN) && interface.carrier) interface.speed_mbps = speed;
    if (command.duplex == DUPLEX_FULL) interface.duplex = Duplex::Full;
    if (command.duplex == DUPLEX_HALF) interface.duplex = Duplex::Half;
}

bool is_radio(const std::string& name)
{
    const auto device = std::filesystem::path("/sys/class/net") / name;
    std::error_code ignored;
    return std::filesystem::exists(device / "wireless", ignored) || std::filesystem::exists(device / "phy80211", ignored);
}

std::vector<std::string> as_bytes(const std::vector<packet::Address>& addresses)
{
    std::vector<std::string> all;
    for (const auto& address : addresses)
        if (all.size() < kNameServersMax) all.emplace_back(address.view());
    return all;
}

Result<HostNetwork> LinuxNetwork::read()
{
    NetworkBuilder builder;
    const auto take = [&](const auto& message) { builder.apply(message); };
    NW_CHECK(probe::netlink_dump(RTM_GETLINK, AF_UNSPEC, [&] { builder.forget_links(); }, take));
    NW_CHECK(probe::netlink_dump(RTM_GETADDR, AF_UNSPEC, [&] { builder.forget_addresses(); }, take));
    NW_CHECK(probe::netlink_dump(RTM_GETROUTE, AF_UNSPEC, [&] { builder.forget_routes(); }, take));
    // A kernel without policy routing has no rules to tell of.
    (void)probe::netlink_dump(RTM_GETRULE, AF_UNSPEC, [&] { builder.forget_rules(); }, take);
    auto network = builder.build();
    const Descriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    for (auto& interface : network.interfaces) {
        add_speed(fd.get(), interface);
        if (interface.kind == LinkKind::Ethernet && is_radio(interface.name)) interface.kind = LinkKind::Wifi;
        interface.dns = as_bytes(probe::link_name_servers(interface.index));
    }
    network.dns = as_bytes(probe::host_name_servers());
    network.hostname = read_system_facts().hostname;
    return network;
}

}  // namespace

std::unique_ptr<NetworkSource> open_network_source(Loop& loop, Log log)
{
    return std::make_unique<LinuxNetwork>(loop, std::move(log));
}

}  // namespace nw::agent
