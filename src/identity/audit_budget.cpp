#include "identity/audit_budget.hpp"

#include <algorithm>
#include <utility>

namespace nw::identity {

std::optional<std::uint64_t> AuditBudget::admit(Instant now)
{
    if (!refilled_) refilled_ = now;
    const auto periods = (now - *refilled_) / limits_.refill_every;
    if (periods > 0) {
        left_ = std::uint32_t(std::min<std::int64_t>(limits_.burst, std::int64_t{left_} + periods));
        *refilled_ += periods * limits_.refill_every;
    }
    if (left_ == 0) {
        ++left_out_;
        ++left_out_total_;
        return std::nullopt;
    }
    --left_;
    return std::exchange(left_out_, 0);
}

}  // namespace nw::identity
