// Sees the default route move from one uplink to another, and how long that took. Pure.
//
// 1. The uplink is the device of the default route with the least metric in the main table.
// 2. It is lost when its device can send no more, or its default route is taken away, whichever the kernel told first.
// 3. The move is over when a default route through another uplink was made; a route that was there already took over the
//    moment the first was lost.
// 4. An uplink that comes back before another took over was never left. Going back to a better one is a move that took no
//    time that could be measured.
#pragma once

#include "base/time.hpp"
#include "model/host_network.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>

namespace nw::agent {

class FailoverWatch {
public:
    // As the kernel tells: in the order in which things happened.
    void link_changed(std::uint32_t index, bool usable, Instant when);
    void default_route_changed(bool v6, std::uint32_t index, bool removed, Instant when);
    // What there is now, after all that was told.
    std::optional<Failover> settled(const HostNetwork& network, bool v6, Instant now, WallTime wall);

private:
    struct Family {
        std::string uplink{};
        std::uint32_t index = 0;
        std::optional<Instant> lost{};
        std::map<std::uint32_t, Instant> made{};  // default routes since, by device
    };

    std::array<Family, 2> families_{};
};

}  // namespace nw::agent
