#include "agent/failover_watch.hpp"

#include <algorithm>
#include <utility>

namespace nw::agent {

void FailoverWatch::link_changed(std::uint32_t index, bool usable, Instant when)
{
    for (auto& family : families_) {
        if (family.uplink.empty() || family.index != index) continue;
        if (usable) family.lost.reset();
        else if (!family.lost) family.lost = when;
    }
}

void FailoverWatch::default_route_changed(bool v6, std::uint32_t index, bool removed, Instant when)
{
    auto& family = families_[v6 ? 1 : 0];
    if (!removed) family.made[index] = when;
    else if (index == family.index && !family.lost) family.lost = when;
}

std::optional<Failover> FailoverWatch::settled(const HostNetwork& network, bool v6, Instant now, WallTime wall)
{
    auto& family = families_[v6 ? 1 : 0];
    const auto* best = best_default(network, v6);
    const auto made = std::exchange(family.made, {});
    if (!best) {
        if (!family.uplink.empty() && !family.lost) family.lost = now;
        return std::nullopt;
    }
    const auto* device = network.find(best->interface);
    const auto index = device ? device->index : 0;
    if (best->interface == family.uplink) {
        // Its route may be there while its device can send nothing: then it stays lost.
        if (!device || (device->up && device->carrier)) family.lost.reset();
        family.index = index;
        return std::nullopt;
    }
    const auto route = made.find(index);
    auto at = family.lost.value_or(now);
    if (route != made.end()) at = family.lost ? std::max(*family.lost, route->second) : route->second;
    std::optional<Failover> failover;
    if (!family.uplink.empty()) {
        failover = Failover{.at_us = to_us(wall - std::chrono::duration_cast<Micros>(now - at)),
                            .v6 = v6,
                            .from = family.uplink,
                            .to = best->interface};
        if (family.lost) failover->took_us = std::chrono::duration_cast<Micros>(at - *family.lost).count();
    }
    family = {.uplink = best->interface, .index = index};
    return failover;
}

}  // namespace nw::agent
