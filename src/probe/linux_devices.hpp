// Devices on Linux: a table that is filled by one dump and kept by the events of rtnetlink.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/task_group.hpp"
#include "probe/devices.hpp"
#include "probe/linux_netlink.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <optional>
#include <vector>

namespace nw::probe {

// A device that flaps a hundred times a second must not make probes start as often.
inline constexpr Millis kTellEvery{250};

class LinuxDevices final : public Devices {
public:
    // Where the kernel refuses netlink, every question is answered by asking it anew, and nobody is told of changes.
    LinuxDevices(Loop& loop, Log log);
    ~LinuxDevices() override;

    // Starts to tell listeners of changes, at once, and of more than one within kTellEvery together; until close().
    void start();
    Task<void> close();

    DeviceState state(const std::string& device, packet::Family family) override;
    void listen(DeviceListener& listener) override { listeners_.push_back(&listener); }
    void forget(DeviceListener& listener) override { std::erase(listeners_, &listener); }

private:
    Task<void> follow();
    Task<void> tell_changes();
    // Takes in all events that wait.
    void catch_up();
    void read_anew();

    Log log_;
    std::optional<NetlinkEvents> events_{};
    DeviceTable table_{};
    std::vector<DeviceListener*> listeners_{};
    bool changed_ = false;
    Timer to_tell_;
    asio::posix::basic_stream_descriptor<Executor> readable_;
    TaskGroup tasks_;
};

}  // namespace nw::probe
