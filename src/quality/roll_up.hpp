// How two values of one column become one. Private to quality.
#pragma once

#include "model/kind.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace nw::quality {

// A sum that did not fit: stays, and no metric is computed from it.
inline constexpr std::int64_t kSaturated = std::numeric_limits<std::int64_t>::max();

inline std::int64_t saturating_sum(std::int64_t a, std::int64_t b)
{
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum == kAbsent ? kAbsent + 1 : sum;
    return a > 0 ? kSaturated : kAbsent + 1;
}

inline void roll_up(Rollup rollup, std::int64_t& to, std::int64_t& to_at, std::int64_t value, std::int64_t at)
{
    if (value == kAbsent) return;
    const bool first = to == kAbsent;
    switch (rollup) {
    case Rollup::Sum: to = first ? value : saturating_sum(to, value); break;
    case Rollup::Min: to = first ? value : std::min(to, value); break;
    case Rollup::Max: to = first ? value : std::max(to, value); break;
    case Rollup::Last:
        // Of two values with one time the larger wins, so that the order of merging does not matter.
        if (first || at > to_at || (at == to_at && value > to)) {
            to = value;
            to_at = at;
        }
        break;
    case Rollup::Merge: break;
    }
}

}  // namespace nw::quality
