// Hands every probe to the engine of its kind: the only place of the agent that meets engines. It knows no kind by
// name, so that a new one needs a declaration and an engine, and nothing here.
//
// Belongs to the probe loop.
#pragma once

#include "agent/desired_state.hpp"
#include "probe/engine.hpp"
#include "wire/messages.hpp"

#include <unordered_map>
#include <vector>

namespace nw::agent {

class Host {
public:
    explicit Host(probe::Engines engines) : engines_(std::move(engines)) {}

    // Stops and starts; what an engine refuses is not measured, and returned with the reason.
    std::vector<wire::ProbeProblem> apply(const Change& change);
    // One run of a probe that is not among those applied.
    Status measure_once(const ProbeSpec& spec, probe::ProgressSink sink);
    void stop_once(ProbeId probe);
    void stop_all();
    std::size_t running() const { return by_probe_.size(); }
    std::vector<std::uint32_t> kinds() const;
    // Sums over the engines; the worst lateness of any.
    probe::EngineHealth health();
    Task<void> close();

private:
    probe::Engine* engine_of(const Kind& kind);

    probe::Engines engines_;
    std::unordered_map<ProbeId, probe::Engine*> by_probe_{};
    std::unordered_map<ProbeId, probe::Engine*> once_{};
};

}  // namespace nw::agent
