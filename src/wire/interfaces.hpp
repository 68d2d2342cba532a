// A report of an agent's network as a message, and as the bytes that the store keeps of it.
#pragma once

#include "base/result.hpp"
#include "model/host_network.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nw::wire {

// More failovers than this between two reports are not told one by one.
inline constexpr std::size_t kFailoversMax = 64;

struct Interfaces {
    std::uint64_t number = 0;  // grows within a stream of the agent's spool, from 1
    std::int64_t at_us = 0;
    HostNetwork network{};
    std::vector<Failover> failovers{};  // since the report before
    friend bool operator==(const Interfaces&, const Interfaces&) = default;
};

std::string encode_interfaces(const Interfaces& interfaces);
Result<Interfaces> decode_interfaces(std::string_view bytes);

}  // namespace nw::wire
