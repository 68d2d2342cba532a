#include "ingest/desired_state.hpp"

#include <algorithm>

namespace nw::ingest {

const ProbeSpec* DesiredState::find(ProbeId id) const
{
    const auto at = std::ranges::lower_bound(probes, id, {}, &ProbeSpec::id);
    return at != probes.end() && at->id == id ? &*at : nullptr;
}

wire::State step_to(const DesiredState& target, const DesiredState* base)
{
    wire::State state{.number = target.number, .base = base ? base->number : 0};
    for (const auto& probe : target.probes) {
        const auto* known = base ? base->find(probe.id) : nullptr;
        if (!known || *known != probe) state.upsert.push_back(probe);
    }
    if (!base) return state;
    for (const auto& probe : base->probes)
        if (!target.find(probe.id)) state.remove.push_back(probe.id);
    return state;
}

}  // namespace nw::ingest
