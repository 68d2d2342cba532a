// One run of a path probe as analysis reads it, and the flows it is made of.
//
// A run traces a few flows. Only within one flow do neighbouring answers belong to neighbouring routers: of two flows
// they may stand on different branches.
#pragma once

#include "base/result.hpp"
#include "model/ip_text.hpp"
#include "model/outcome.hpp"
#include "model/path_run.hpp"
#include "model/rows.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nw::topology {

struct Run {
    std::int64_t at_us = 0;
    Outcome outcome = Outcome::Ok;
    std::string address{};                         // of the destination, 4 or 16 bytes; empty when it was not known
    std::optional<std::uint32_t> mtu{};            // of the path
    std::optional<std::uint8_t> black_hole_ttl{};  // large packets vanish behind this hop
    std::vector<PathHop> hops{};

    friend bool operator==(const Run&, const Run&) = default;
};

// Whether results of the kind have hops.
bool has_paths(const Kind& kind);
// Row `row` of a kind that has paths.
Result<Run> run_of(const Rows& rows, std::size_t row);

// Whoever answered a flow at one TTL, the one that answered most first; or one row without an address, or none at all.
struct Step {
    std::uint8_t ttl = 0;
    std::span<const PathHop> hops{};

    bool answered() const { return !hops.empty() && !hops.front().address.empty(); }
    std::string_view address() const { return hops.empty() ? std::string_view() : std::string_view(hops.front().address); }
};

// The steps of a flow are those of the TTLs 1, 2, ... without a hole. It ends with the destination, with whoever says
// that it goes no further, or with one step that nobody answered.
struct Flow {
    std::vector<Step> steps{};
    bool reached = false;
};

// The flows of a run; the steps refer to `hops`, which are as PathHop says they are.
std::vector<Flow> flows_of(std::span<const PathHop> hops);

}  // namespace nw::topology
