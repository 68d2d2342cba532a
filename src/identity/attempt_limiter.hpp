// Slows down guessing. Pure: time comes in.
//
// Rules:
// 1. Failures are counted per (account, address) and per address; an account alone is never locked, so that a
//    stranger cannot lock its owner out from the owner's own address.
// 2. After `free_failures` each further failure doubles the wait, from one second up to `wait_max`.
// 3. An address may fail for many accounts, at most `address_failures` times within `wait_max`; then it waits.
// 4. A success clears the pair, not the address.
// 5. At most `entries_max` are remembered; the oldest go first.
#pragma once

#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace nw::identity {

struct AttemptLimits {
    std::uint32_t free_failures = 5;
    std::uint32_t address_failures = 50;
    std::chrono::seconds wait_max{900};
    std::size_t entries_max = 100'000;
};

class AttemptLimiter {
public:
    explicit AttemptLimiter(AttemptLimits limits = {}) : limits_(limits) {}

    // How long the caller has to wait before the next attempt; nothing: it may try now.
    std::optional<std::chrono::seconds> wait(std::string_view account, std::string_view address, Instant now) const;
    void failed(std::string_view account, std::string_view address, Instant now);
    void succeeded(std::string_view account, std::string_view address);
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::uint32_t failures = 0;
        Instant last{};
        Instant blocked_until{};
    };

    Entry& entry(std::string key, Instant now);
    void forget_old(Instant now);

    AttemptLimits limits_;
    std::map<std::string, Entry, std::less<>> entries_{};
};

}  // namespace nw::identity
