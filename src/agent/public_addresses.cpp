#include "agent/public_addresses.hpp"

#include <algorithm>

namespace nw::agent {
namespace {

bool has_address(const Interface& interface, bool v6)
{
    return std::ranges::any_of(interface.addresses, [&](const auto& one) {
        return (one.address.size() == 16) == v6 && !one.tentative && one.scope == AddressScope::Global;
    });
}

}  // namespace

std::map<std::string, std::string> uplinks_of(const HostNetwork& network, bool v6)
{
    std::map<std::string, std::string> uplinks;
    for (const auto& route : network.routes) {
        if (!route.is_default() || route.v6 != v6 || route.interface.empty()) continue;
        const auto* interface = network.find(route.interface);
        if (!interface || interface->kind == LinkKind::Loopback || !interface->up || !interface->carrier) continue;
        if (!has_address(*interface, v6)) continue;
        auto& signature = uplinks[route.interface];
        if (signature.empty()) {
            signature = std::to_string(interface->index);
            for (const auto& address : interface->addresses)
                if ((address.address.size() == 16) == v6 && !address.temporary && !address.tentative)
                    signature += " " + ip_text(address.address);
        }
        signature += " via " + ip_text(route.gateway);
    }
    return uplinks;
}

PublicAddresses::PublicAddresses(Loop& loop, const Clock& clock, Random& random, Ask ask, Found found)
    : clock_(clock), random_(random), ask_(std::move(ask)), found_(std::move(found)), waiting_(loop)
{}

void PublicAddresses::update(const HostNetwork& network)
{
    const auto now = clock_.instant();
    for (const bool v6 : {false, true}) {
        auto present = uplinks_of(network, v6);
        std::erase_if(uplinks_, [&](const auto& known) {
            if (known.first.second != v6 || present.contains(known.first.first)) return false;
            found_(known.first.first, v6, {.seen_us = known.second.seen_us, .problem = "no uplink at the moment"});
            return true;
        });
        for (auto& [name, signature] : present) {
            auto& uplink = uplinks_[{name, v6}];
            if (uplink.signature == signature) continue;
            uplink = {.signature = std::move(signature), .due = now, .failures = 0, .seen_us = uplink.seen_us};
        }
    }
    waiting_.cancel();
}

Task<void> PublicAddresses::run()
{
    for (;;) {
        const auto next = std::ranges::min_element(uplinks_, {}, [](const auto& known) { return known.second.due; });
        waiting_.expires_at(next == uplinks_.end() ? Timer::time_point::max() : next->second.due);
        co_await waiting_.async_wait(nothrow);
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
        const auto due =
            std::ranges::find_if(uplinks_, [&](const auto& known) { return known.second.due <= clock_.instant(); });
        if (due != uplinks_.end()) co_await ask(due->first);
    }
}

Task<void> PublicAddresses::ask(Key key)
{
    const auto signature = uplinks_.at(key).signature;
    auto answer = co_await ask_(key.first, key.second);
    const auto found = uplinks_.find(key);
    // Gone, or another one by now: the answer was about something else.
    if (found == uplinks_.end() || found->second.signature != signature) co_return;
    auto& uplink = found->second;
    if (answer) {
        uplink.failures = 0;
        uplink.seen_us = to_us(clock_.wall());
        uplink.due = clock_.instant() + kAskEvery;
        found_(key.first, key.second, {.address = *std::move(answer), .seen_us = uplink.seen_us});
        co_return;
    }
    const auto pause = std::min<Nanos>(kAskAgainFirst * (1 << std::min(uplink.failures++, 5U)), kAskEvery);
    // Agents that lost the same controller do not come back in the same moment.
    uplink.due = clock_.instant() + std::chrono::duration_cast<Nanos>(pause * (0.75 + random_.unit() / 2));
    found_(key.first, key.second, {.seen_us = uplink.seen_us, .problem = answer.error().what});
}

}  // namespace nw::agent
