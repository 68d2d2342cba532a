#include "probe/linux_devices.hpp"

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <utility>

namespace nw::probe {

LinuxDevices::LinuxDevices(Loop& loop, Log log)
    : loop_(loop), log_(std::move(log)), readable_(loop.get_executor()), tasks_(loop.get_executor(), log_)
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
    else tasks_.spawn("devices", follow());
}

Task<void> LinuxDevices::close() { co_await tasks_.close(); }

Task<void> LinuxDevices::follow()
{
    for (;;) {
        const auto [failed] = co_await readable_.async_wait(asio::posix::descriptor_base::wait_read, nothrow);
        if (failed || !events_) co_return;
        catch_up();
        if (std::exchange(changed_, false)) tell();
    }
}

void LinuxDevices::tell()
{
    const auto listeners = listeners_;
    for (auto* listener : listeners) listener->devices_changed();
}

void LinuxDevices::catch_up()
{
    if (!events_) return;
    const bool complete = events_->drain([&](const auto& message) { changed_ = table_.apply(message) || changed_; });
    if (!complete) read_anew();
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
    const bool told = changed_;
    catch_up();
    if (!events_) return {.problem = device_problem(device, family), .index = if_nametoindex(device.c_str())};
    // Who asks must not be told in the middle of it.
    if (changed_ && !told)
        tasks_.spawn("devices", [](LinuxDevices& self) -> Task<void> {
            co_await asio::post(self.loop_, use_task);
            if (std::exchange(self.changed_, false)) self.tell();
        }(*this));
    return table_.state(device, family);
}

}  // namespace nw::probe
