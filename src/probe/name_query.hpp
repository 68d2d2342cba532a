// Questions to the host's name servers by packets of our own, which can be bound to a device and then leave through no
// other. Blocking.
#pragma once

#include "probe/resolver.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nw::probe {

struct QueryPatience {
    int attempts = 2;  // of each server
    int timeout_ms = 2'000;
};

// What an answer holds of the types that are understood: A, AAAA and PTR.
struct Records {
    std::vector<HostAddress> addresses{};
    std::vector<std::string> names{};
    std::optional<std::uint32_t> ttl{};  // seconds, of the shortest-lived record
    std::string error{};                 // why there is neither address nor name
};

// `type` as in RFC 1035, section 3.2.2. An empty device: as routed.
Records query_name_servers(const std::string& name, int type, const std::string& device, QueryPatience patience);

// The name under which an address is looked up (RFC 1035, section 3.5; RFC 3596, section 2.5).
std::string reverse_name(const packet::Address& address);

}  // namespace nw::probe
