// Puts a report of the host's network together from what the kernel says of it. Pure and bounded: see the limits in
// model/host_network.hpp.
#pragma once

#include "model/host_network.hpp"
#include "probe/rtnetlink.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace nw::agent {

class NetworkBuilder {
public:
    void apply(const probe::rtnetlink::Message& message);
    // Before a dump that is begun anew.
    void forget_links();
    void forget_addresses() { addresses_.clear(); }
    void forget_routes();
    void forget_rules() { rules_.clear(); }

    // Without names, name servers and what is not the kernel's to know.
    HostNetwork build() const;

private:
    void add(const probe::rtnetlink::RouteMessage& route);
    std::string name_of_link(std::uint32_t index) const;
    Interface interface_of(const probe::rtnetlink::LinkMessage& link) const;

    std::map<std::uint32_t, probe::rtnetlink::LinkMessage> links_{};
    std::map<std::uint32_t, std::vector<InterfaceAddress>> addresses_{};
    std::vector<probe::rtnetlink::RouteMessage> defaults_{};
    std::vector<probe::rtnetlink::RouteMessage> routes_{};
    std::vector<probe::rtnetlink::RuleMessage> rules_{};
    std::uint64_t routes_total_ = 0;
};

// Ethernet for whatever looks like it; the radio is known by other means.
LinkKind kind_of(const probe::rtnetlink::LinkMessage& link);

}  // namespace nw::agent
