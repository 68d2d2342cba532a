#include "agent/network_facts.hpp"

#include "probe/name_servers.hpp"

#include <cstdint>
#include <string_view>

namespace nw::agent {
namespace {

bool is_link_local(std::string_view bytes)  // fe80::/10 (RFC 4291, section 2.5.6)
{
    return bytes.size() == 16 && bytes.starts_with('\xfe') && (bytes[1] & 0xc0) == 0x80;
}

// A name server on this host says nothing about the network.
bool is_this_host(std::string_view bytes)
{
    const auto address = packet::address_from({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    return address && probe::is_this_host(*address);
}

std::string gateway_of(const HostNetwork& network)
{
    for (const bool v6 : {false, true}) {
        const auto* route = best_default(network, v6);
        if (route && !route->gateway.empty() && !is_link_local(route->gateway)) return ip_text(route->gateway);
    }
    return {};
}

}  // namespace

NetworkFacts facts_of(const HostNetwork& network)
{
    NetworkFacts facts{.gateway = gateway_of(network)};
    for (const auto& server : network.dns) {
        if (is_this_host(server) || is_link_local(server)) continue;
        facts.resolver = ip_text(server);
        break;
    }
    return facts;
}

}  // namespace nw::agent
