// A probe engine measures every probe of one kind on this agent. The agent's scheduler sees only this interface:
// it hands over specs and takes samples, and knows no kind by name. The list of engines is written out in
// probe/engines.cpp and nowhere else.
//
// An engine belongs to one loop. Whatever happens to a run - loss, no such name, interface gone - is a sample with
// its outcome; every scheduled run yields one. Runs are phase-locked (probe/phase.hpp): run k of a probe starts at
// k x interval + phase(probe), and a late run does not shift later ones.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"
#include "model/probe_spec.hpp"
#include "model/rows.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace nw::probe {

class Devices;
class Policy;
class Resolver;

// Takes a finished sample. Called on the engine's loop; must not call back into the engine.
using SampleSink = std::function<void(Sample)>;

// What engines are made of. Everything referred to outlives them.
struct EngineContext {
    Loop& loop;
    Pool& pool;
    const Clock& clock;
    Random& random;
    Resolver& resolver;
    const Policy& policy;
    SampleSink sink;
    Log log;
    std::uint32_t packets_per_second_max = 10'000;
    Devices* devices = nullptr;  // null: whether a device can be used is found out when it is due
};

// Counted since the engine was made, but for the lateness, which is of the time since it was last asked for.
struct EngineHealth {
    std::uint64_t packets_sent = 0;
    std::uint64_t socket_drops = 0;
    Nanos lateness_p99{};  // how long after its due time work began
};

// How far a single run has come, and what it has found so far.
struct Progress {
    std::uint32_t steps_done = 0;
    std::uint32_t steps = 0;
    Sample sample{};
    bool done = false;
};
using ProgressSink = std::function<void(const Progress&)>;

class Engine {
public:
    virtual ~Engine() = default;

    virtual const Kind& kind() const = 0;

    // Starts measuring, or changes the probe of the same id: the old spec ends with what it has measured, the new
    // one begins at once. An error means that this agent cannot measure the spec at all and changes nothing.
    virtual Status start(const ProbeSpec& spec) = 0;
    // One run beside what is scheduled, told as it goes and, for the last time, when it is done; it is not given to the
    // sample sink. stop() ends it untold. As with start(), an error means that it cannot be measured at all.
    virtual Status measure_once(const ProbeSpec& spec, ProgressSink)
    {
        return fail(Errc::Invalid, "this agent cannot measure the kind " + std::string(spec.kind->name) + " on demand");
    }
    // Nothing more is sent for the probe; runs under way are dropped.
    virtual void stop(ProbeId probe) = 0;
    virtual EngineHealth health() = 0;
    // Ends everything; called once, before the engine is destroyed.
    virtual Task<void> close() = 0;
};

using Engines = std::vector<std::unique_ptr<Engine>>;

// All engines of the product.
Engines make_engines(const EngineContext& context);

}  // namespace nw::probe
