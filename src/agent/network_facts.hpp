// Where a host's packets go first: its default gateway and its name server, which are the first things worth measuring.
// Pure.
#pragma once

#include "model/host_network.hpp"

#include <string>

namespace nw::agent {

// Addresses as text; empty when there is no such thing, or when it cannot be named without its interface.
struct NetworkFacts {
    std::string gateway{};
    std::string resolver{};
};

NetworkFacts facts_of(const HostNetwork& network);

}  // namespace nw::agent
