// Where this host's packets go first: its default gateway and its name server, which are the first things worth
// measuring. Parsed from what the system keeps as text. Pure.
#pragma once

#include <string>
#include <string_view>

namespace nw::agent {

// Of /proc/net/route: the gateway of the default route with the least metric; empty when there is none.
std::string default_gateway(std::string_view proc_net_route);

// Of resolv.conf(5): the first name server that is not this host itself; empty when there is none.
std::string first_resolver(std::string_view resolv_conf);

struct NetworkFacts {
    std::string gateway{};
    std::string resolver{};
};
// Reads both files; behind a local stub resolver it looks at what the stub asks.
NetworkFacts read_network_facts();

}  // namespace nw::agent
