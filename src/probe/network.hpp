// What the ports of all engines speak of: where packets go, and why they cannot.
#pragma once

#include "model/outcome.hpp"
#include "packet/address.hpp"

#include <cstdint>
#include <string>

namespace nw::probe {

struct Destination {
    packet::Address address{};
    std::uint32_t scope = 0;  // interface index of a link-local IPv6 address
    friend bool operator==(const Destination&, const Destination&) = default;
};

// Why nothing can be sent at the moment.
struct NotReady {
    Outcome outcome = Outcome::BindError;
    std::string why{};
};

}  // namespace nw::probe
