#include "topology/patterns.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

namespace nw::topology {
namespace {

std::size_t known_length(const std::vector<std::uint32_t>& sequence)
{
    auto size = sequence.size();
    while (size > 0 && sequence[size - 1] == 0) --size;
    return size;
}

// Whether `seen` is `path` with holes, or broken off.
bool is_part(const Sighting& seen, const std::vector<std::uint32_t>& path, bool path_reached)
{
    if (seen.reached && (!path_reached || seen.sequence.size() != path.size())) return false;
    if (!seen.reached && known_length(seen.sequence) > path.size()) return false;
    for (std::size_t i = 0; i < std::min(seen.sequence.size(), path.size()); ++i)
        if (seen.sequence[i] != 0 && seen.sequence[i] != path[i]) return false;
    return true;
}

}  // namespace

std::uint32_t Addresses::number(std::string_view address)
{
    if (address.empty()) return 0;
    if (const auto known = numbers_.find(address); known != numbers_.end()) return known->second;
    const auto number = std::uint32_t(texts_.size());
    texts_.emplace_back(address);
    numbers_.emplace(address, number);
    return number;
}

// Those that say most come first, so that those with holes find them.
void Patterns::settle()
{
    std::vector<std::pair<const Sighting, Seen>*> all;
    all.reserve(seen_.size());
    for (auto& entry : seen_) all.push_back(&entry);
    const auto rank = [](const std::pair<const Sighting, Seen>* entry) {
        const auto& [seen, how] = *entry;
        const auto holes = std::ranges::count(seen.sequence, 0U);
        return std::tuple(!seen.reached, holes - std::ptrdiff_t(seen.sequence.size()), -how.weight);
    };
    std::ranges::sort(all, [&](const auto* a, const auto* b) {
        const auto first = rank(a), second = rank(b);
        return first != second ? first < second : a->first < b->first;
    });
    for (auto* entry : all) {
        const auto path = entry->second.path = place(entry->first);
        paths_[path].weight += entry->second.weight;
        paths_[path].flows.insert({entry->first.flow, entry->first.flows});
    }
}

std::size_t Patterns::place(const Sighting& seen)
{
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
        const auto& path = paths_[i];
        if (seen.reached == path.reached && seen.sequence == path.sequence) return i;
        if (!path.flows.contains({seen.flow, seen.flows}) || !is_part(seen, path.sequence, path.reached)) continue;
        if (!best || path.weight > paths_[*best].weight) best = i;
    }
    if (best) return *best;
    ++distinct_;
    if (paths_.size() == kMax) return std::size_t(std::ranges::max_element(paths_, {}, &Known::weight) - paths_.begin());
    paths_.push_back({.sequence = seen.sequence, .reached = seen.reached});
    return paths_.size() - 1;
}

std::size_t Patterns::path_of(const Sighting& seen) const
{
    const auto found = seen_.find(seen);
    NW_ASSERT(found != seen_.end());
    return found->second.path;
}

Sighting sighting_of(const Flow& flow, std::size_t place, std::size_t flows, Addresses& addresses)
{
    Sighting seen{.reached = flow.reached, .flow = std::uint32_t(place), .flows = std::uint32_t(flows)};
    seen.sequence.reserve(flow.steps.size());
    for (const auto& step : flow.steps) seen.sequence.push_back(addresses.number(step.address()));
    return seen;
}

}  // namespace nw::topology
