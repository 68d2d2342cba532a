// Notices a credential that was copied: two processes use it by turns, each replacing the other's session. A restarted
// agent is another process too, but the one before it never comes back. Pure: time comes in.
#pragma once

#include "base/time.hpp"
#include "model/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace nw::ingest {

// How long a process is remembered, and a twin is shown after it was last noticed.
inline constexpr std::chrono::minutes kTwinWindow{15};

class TwinWatch {
public:
    // A session of the process `boot` has begun. The address of the other one, when both are alive.
    std::optional<std::string> greeted(AgentId agent, std::uint64_t boot, const std::string& remote, Instant now);
    std::size_t size() const { return agents_.size(); }

private:
    struct Process {
        std::uint64_t boot = 0;
        std::string remote{};
        Instant at{};
    };
    std::unordered_map<AgentId, std::vector<Process>> agents_{};
};

}  // namespace nw::ingest
