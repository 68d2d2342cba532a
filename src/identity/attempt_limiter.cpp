#include "identity/attempt_limiter.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace nw::identity {
namespace {

std::string pair_key(std::string_view account, std::string_view address)
{
    return "p" + std::string(address) + "\n" + lower(account);
}
std::string address_key(std::string_view address) { return "a" + std::string(address); }

}  // namespace

std::optional<std::chrono::seconds> AttemptLimiter::wait(std::string_view account, std::string_view address,
                                                         Instant now) const
{
    Instant until{};
    for (const auto& key : {pair_key(account, address), address_key(address)})
        if (const auto found = entries_.find(key); found != entries_.end())
            until = std::max(until, found->second.blocked_until);
    if (until <= now) return std::nullopt;
    return std::chrono::ceil<std::chrono::seconds>(until - now);
}

AttemptLimiter::Entry& AttemptLimiter::entry(std::string key, Instant now)
{
    auto& entry = entries_[std::move(key)];
    if (now - entry.last > limits_.wait_max) entry.failures = 0;
    entry.last = now;
    ++entry.failures;
    return entry;
}

void AttemptLimiter::failed(std::string_view account, std::string_view address, Instant now)
{
    auto& pair = entry(pair_key(account, address), now);
    if (pair.failures > limits_.free_failures) {
        const auto doublings = std::min(pair.failures - limits_.free_failures - 1, 20U);
        pair.blocked_until = now + std::min(std::chrono::seconds(1LL << doublings), limits_.wait_max);
    }
    auto& whole = entry(address_key(address), now);
    if (whole.failures > limits_.address_failures) whole.blocked_until = now + limits_.wait_max;
    if (entries_.size() > limits_.entries_max) forget_old(now);
}

void AttemptLimiter::succeeded(std::string_view account, std::string_view address)
{
    entries_.erase(pair_key(account, address));
}

void AttemptLimiter::forget_old(Instant now)
{
    std::erase_if(entries_, [&](const auto& item) { return now - item.second.last > limits_.wait_max; });
    while (entries_.size() > limits_.entries_max) {
        const auto oldest = std::ranges::min_element(entries_, {}, [](const auto& item) { return item.second.last; });
        entries_.erase(oldest);
    }
}

}  // namespace nw::identity
