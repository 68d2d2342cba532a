// What an engine needs to know of the devices that its probes are bound to: whether packets can leave, before every run, and
// when that changes, so that nobody waits for the next run to say so.
#pragma once

#include "probe/devices.hpp"
#include "probe/network.hpp"
#include "probe/resolver.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace nw::probe {

class DeviceChanges final : private DeviceListener {
public:
    // A device that was asked about can be used now by packets of a family, or can no longer, or is another one of the same
    // name.
    using Changed = std::function<void(const std::string& device, packet::Family family)>;

    // Without `devices` nothing stands in the way, and nothing is told: the ports ask for themselves.
    DeviceChanges(Devices* devices, Changed changed);
    ~DeviceChanges() override;
    DeviceChanges(const DeviceChanges&) = delete;
    DeviceChanges& operator=(const DeviceChanges&) = delete;

    // What keeps packets from leaving through `device`; of any family when either will do. An empty name: as routed.
    std::optional<NotReady> obstacle(const std::string& device, FamilyWish family);
    std::optional<NotReady> obstacle(const std::string& device, packet::Family family);

private:
    void devices_changed() override;

    Devices* devices_;
    Changed changed_;
    std::map<std::pair<std::string, packet::Family>, DeviceState> told_{};  // as the engine knows it
};

}  // namespace nw::probe
