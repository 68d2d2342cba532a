#include "probe/policy.hpp"

namespace nw::probe {

std::optional<std::string> Policy::objection(const packet::Address& address) const
{
    for (const auto& prefix : deny_)
        if (prefix.contains(address))
            return to_text(address) + " is denied by this agent's policy (" + to_text(prefix) + ")";
    for (const auto& prefix : allow_)
        if (prefix.contains(address)) return std::nullopt;
    if (allow_.empty()) return std::nullopt;
    return to_text(address) + " is not among the prefixes that this agent's policy allows";
}

}  // namespace nw::probe
