#include "ingest/twins.hpp"

#include <algorithm>

namespace nw::ingest {
namespace {

constexpr std::size_t kProcessesMax = 4;

}  // namespace

std::optional<std::string> TwinWatch::greeted(AgentId agent, std::uint64_t boot, const std::string& remote, Instant now)
{
    auto& known = agents_[agent];
    std::erase_if(known, [&](const Process& process) { return now - process.at > kTwinWindow; });
    std::optional<std::string> other;
    const auto found = std::ranges::find(known, boot, &Process::boot);
    if (found != known.end()) {
        // It comes back after somebody else had the session.
        if (known.back().boot != boot) other = known.back().remote;
        known.erase(found);
    }
    if (known.size() == kProcessesMax) known.erase(known.begin());
    known.push_back({boot, remote, now});
    return other;
}

}  // namespace nw::ingest
