// Devices that change when a test says so.
#pragma once

#include "probe/devices.hpp"

#include <map>
#include <string>
#include <vector>

namespace nw::probe {

class ScriptedDevices final : public Devices {
public:
    DeviceState state(const std::string& device, packet::Family) override { return states_[device]; }
    void listen(DeviceListener& listener) override { listeners_.push_back(&listener); }
    void forget(DeviceListener& listener) override { std::erase(listeners_, &listener); }
    void set(const std::string& device, DeviceState state)
    {
        states_[device] = std::move(state);
        for (auto* listener : listeners_) listener->devices_changed();
    }

private:
    std::map<std::string, DeviceState> states_{};
    std::vector<DeviceListener*> listeners_{};
};

}  // namespace nw::probe
