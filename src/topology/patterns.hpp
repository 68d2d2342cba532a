// Private to topology: which flows of which runs took the same path.
//
// A flow that was seen with answers of all routers in one run and with holes in another took the same path, as far as
// anybody can tell: the holes are those routers. Another flow with a hole there may be on a branch whose router never
// answers, so it stays a path of its own.
#pragma once

#include "topology/run.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nw::topology {

// Numbers for addresses; 0 is no address.
class Addresses {
public:
    std::uint32_t number(std::string_view address);
    const std::string& text(std::uint32_t number) const { return texts_[number]; }

private:
    std::vector<std::string> texts_{std::string()};
    std::map<std::string, std::uint32_t, std::less<>> numbers_{};
};

struct Sighting {
    std::vector<std::uint32_t> sequence{};  // who answered first at each TTL
    bool reached = false;
    // Flows with the same place among as many are the same flow, as long as nothing speaks against it.
    std::uint32_t flow = 0;
    std::uint32_t flows = 0;

    friend auto operator<=>(const Sighting&, const Sighting&) = default;
};

// More than kMax different paths are not told apart any more: the rest counts for the likeliest one.
class Patterns {
public:
    static constexpr std::size_t kMax = 256;

    void add(const Sighting& seen, double weight) { seen_[seen].weight += weight; }
    // Once everything is added: which path each of the sightings added belongs to.
    void settle();
    std::size_t path_of(const Sighting& seen) const;
    const std::vector<std::uint32_t>& path(std::size_t index) const { return paths_[index].sequence; }
    std::size_t size() const { return paths_.size(); }
    std::size_t distinct() const { return distinct_; }

private:
    struct Seen {
        double weight = 0;
        std::size_t path = 0;
    };
    struct Known {
        std::vector<std::uint32_t> sequence{};
        bool reached = false;
        double weight = 0;
        std::set<std::pair<std::uint32_t, std::uint32_t>> flows{};
    };

    std::size_t place(const Sighting& seen);

    std::map<Sighting, Seen> seen_{};
    std::vector<Known> paths_{};
    std::size_t distinct_ = 0;
};

Sighting sighting_of(const Flow& flow, std::size_t place, std::size_t flows, Addresses& addresses);

}  // namespace nw::topology
