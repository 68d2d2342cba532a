// How many of a stranger's failures the audit log takes: a burst, then a trickle. Guessing passwords must not fill the
// disk or bury what matters. What is left out is counted, and the next entry that is let through says how many.
// Pure: time comes in.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <optional>

namespace nw::identity {

struct AuditBudgetLimits {
    std::uint32_t burst = 50;
    std::chrono::seconds refill_every{10};  // one more entry
};

class AuditBudget {
public:
    explicit AuditBudget(AuditBudgetLimits limits = {}) : limits_(limits), left_(limits.burst) {}

    // How many were left out since the last that was let through; nothing: this one is left out too.
    std::optional<std::uint64_t> admit(Instant now);
    // Since the start.
    std::uint64_t left_out_total() const { return left_out_total_; }

private:
    AuditBudgetLimits limits_;
    std::uint32_t left_ = 0;
    std::optional<Instant> refilled_{};
    std::uint64_t left_out_ = 0;
    std::uint64_t left_out_total_ = 0;
};

}  // namespace nw::identity
