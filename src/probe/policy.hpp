// What this agent may measure, by its own configuration: no controller can widen it. Checked against the address
// that packets would go to, after name resolution.
#pragma once

#include "packet/address.hpp"

#include <optional>
#include <string>
#include <vector>

namespace nw::probe {

class Policy {
public:
    // Everything is allowed.
    Policy() = default;
    // An empty `allow` allows every address; `deny` goes before `allow`.
    Policy(std::vector<packet::Prefix> allow, std::vector<packet::Prefix> deny)
        : allow_(std::move(allow)), deny_(std::move(deny))
    {}

    // Why `address` must not be measured; nothing when it may.
    std::optional<std::string> objection(const packet::Address& address) const;

private:
    std::vector<packet::Prefix> allow_{};
    std::vector<packet::Prefix> deny_{};
};

}  // namespace nw::probe
