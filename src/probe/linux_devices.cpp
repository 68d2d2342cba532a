#include "probe/linux_devices.hpp"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <utility>

namespace nw::probe {

LinuxDevices::LinuxDevices(Loop& loop, Log log)
    : log_(std::move(log)), to_tell_(loop), readable_(loop.get_executor()), tasks_(loop.get_executor(), log_)
{
    auto opened = NetlinkEvents::open({RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR});
    if (!opened) {
        log_.warn("changes of network devices are not noticed at once: {}", opened.error().what);
        return;
    }
    events_ = *std::move(opened);
    read_anew();
    changed_ = false;
}

LinuxDevices::~LinuxDevices() = default;

void LinuxDevices::start()
{
    if (!events_) return;
    boost::system::error_code failed;
    readable_.assign(::fcntl(events_->fd(), F_DUPFD_CLOEXEC, 0), failed);  // closes its descriptor, not ours
    if (failed) log_.error("network devices cannot be watched: {}", failed.message());
    else {
        tasks_.spawn("devices", follow());
        tasks_.spawn("device changes", tell_changes());
    }
}

Task<void> LinuxDevices::close() { co_await tasks_.close(); }

Task<void> LinuxDevices::follow()
{
    for (;;) {
        const auto [failed] = co_await readable_.async_wait(asio::posix::descriptor_base::wait_read, nothrow);
        if (failed || !events_) co_return;
        catch_up();
    }
}

Task<void> LinuxDevices::tell_changes()
{
    for (;;) {
        if (!changed_) {
            to_tell_.expires_at(Timer::time_point::max());
            co_await to_tell_.async_wait(nothrow);
        }
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
        if (!std::exchange(changed_, false)) continue;
        const auto listeners = listeners_;
        for (auto* listener : listeners) listener->devices_changed();
        Timer rest(readable_.get_executor(), kTellEvery);
        co_await rest.async_wait(nothrow);
    }
}

void LinuxDevices::catch_up()
{
    if (!events_) return;
    const bool complete = events_->drain([&](const auto& message) { changed_ = table_.apply(message) || changed_; });
    if (!complete) read_anew();
    if (changed_) to_tell_.cancel();
}

// Events that came before the dump may set something back for a moment; whatever happened after them has its own event
// behind them in the queue.
void LinuxDevices::read_anew()
{
    changed_ = true;
    for (const std::uint16_t type : {std::uint16_t(RTM_GETLINK), std::uint16_t(RTM_GETADDR)}) {
        const auto begin = [&] {
            if (type == RTM_GETLINK) table_.clear();
        };
        if (const auto read = netlink_dump(type, AF_UNSPEC, begin, [&](const auto& message) { table_.apply(message); });
            !read) {
            log_.error("network devices cannot be read: {}", read.error().what);
            events_.reset();
            return;
        }
    }
}

DeviceState LinuxDevices::state(const std::string& device, packet::Family family)
{
    catch_up();  // listeners are told afterwards: who asks may be one of them
    return table_.state(device, family);
}

}  // namespace nw::probe
