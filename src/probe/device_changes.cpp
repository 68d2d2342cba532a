#include "probe/device_changes.hpp"

#include <vector>

namespace nw::probe {
namespace {

// Why it cannot be used is of no matter: in no case can it.
bool differs(const DeviceState& a, const DeviceState& b)
{
    if (a.problem || b.problem) return a.problem.has_value() != b.problem.has_value();
    return a.index != b.index;
}

}  // namespace

DeviceChanges::DeviceChanges(Devices* devices, Changed changed) : devices_(devices), changed_(std::move(changed))
{
    if (devices_) devices_->listen(*this);
}

DeviceChanges::~DeviceChanges()
{
    if (devices_) devices_->forget(*this);
}

std::optional<NotReady> DeviceChanges::obstacle(const std::string& device, packet::Family family)
{
    if (!devices_ || device.empty()) return std::nullopt;
    auto state = devices_->state(device, family);
    // Only what was told before can be told to have changed.
    told_.try_emplace({device, family}, state);
    if (!state.problem) return std::nullopt;
    return NotReady{Outcome::BindError, *std::move(state.problem)};
}

std::optional<NotReady> DeviceChanges::obstacle(const std::string& device, FamilyWish family)
{
    if (family == FamilyWish::V6) return obstacle(device, packet::Family::V6);
    auto v4 = obstacle(device, packet::Family::V4);
    if (!v4 || family == FamilyWish::V4) return v4;
    const auto v6 = obstacle(device, packet::Family::V6);
    return v6 ? v4 : std::nullopt;
}

void DeviceChanges::devices_changed()
{
    std::vector<std::pair<std::string, packet::Family>> changed;
    for (auto& [key, told] : told_) {
        auto now = devices_->state(key.first, key.second);
        if (!differs(told, now)) continue;
        told = std::move(now);
        changed.push_back(key);
    }
    for (const auto& [device, family] : changed) changed_(device, family);
}

}  // namespace nw::probe
