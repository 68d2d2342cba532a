#include "probe/devices.hpp"

#include <algorithm>

namespace nw::probe {

bool DeviceTable::apply(const rtnetlink::Message& message)
{
    if (const auto* link = std::get_if<rtnetlink::LinkMessage>(&message)) return apply(*link);
    if (const auto* address = std::get_if<rtnetlink::AddressMessage>(&message)) return apply(*address);
    return false;
}

bool DeviceTable::apply(const rtnetlink::LinkMessage& link)
{
    if (link.removed) return links_.erase(link.index) > 0;
    auto& known = links_[link.index];
    const auto before = known;
    known.name = link.name;
    known.up = link.up();
    known.running = link.running();
    return known != before;
}

bool DeviceTable::apply(const rtnetlink::AddressMessage& address)
{
    const auto link = links_.find(address.index);
    if (link == links_.end()) return false;
    auto& addresses = link->second.addresses;
    if (address.removed || !address.usable()) return addresses.erase(address.address) > 0;
    return addresses.insert(address.address).second;
}

DeviceState DeviceTable::state(const std::string& device, packet::Family family) const
{
    const auto name = "interface " + device;
    const auto found = std::ranges::find_if(links_, [&](const auto& entry) { return entry.second.name == device; });
    if (found == links_.end()) return {.problem = name + " does not exist"};
    DeviceState state{.index = found->first};
    const auto& link = found->second;
    const std::size_t bytes = family == packet::Family::V4 ? 4 : 16;
    if (!link.up) state.problem = name + " is down";
    else if (!link.running) state.problem = name + " has no carrier";
    else if (std::ranges::none_of(link.addresses, [&](const auto& address) { return address.size() == bytes; }))
        state.problem = name + (family == packet::Family::V4 ? " has no IPv4 address" : " has no IPv6 address");
    return state;
}

}  // namespace nw::probe
