// Identifiers for things that are made in numbers at once.
#pragma once

#include "model/ids.hpp"

#include <cstddef>
#include <vector>

namespace nw {

// `count` of one moment, each different: random ones would meet among a thousand half of the times.
template <class Id>
std::vector<Id> make_ids(Random& random, WallTime now, std::size_t count)
{
    constexpr std::uint64_t mask = (1ULL << 20) - 1;
    const auto first = std::uint64_t(make_id<Id>(random, now));
    std::vector<Id> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(Id((first & ~mask) | ((first + i) & mask)));
    return ids;
}

}  // namespace nw
