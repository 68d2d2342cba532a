// Traces that somebody waits for: one run each, beside the probes, with the same sockets.
#pragma once

#include "model/path_run.hpp"
#include "model/rows.hpp"
#include "probe/path/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nw::probe {

// Told by who asks for a trace.
enum class TraceNumber : std::uint64_t {};

struct TraceProgress {
    std::uint32_t cycles_done = 0;
    std::uint32_t cycles = 0;
    std::string address{};  // 4 or 16 bytes; empty: not known yet
    std::string problem{};  // why nothing can be sent
    std::vector<PathHop> hops{};
};

// Called on the engines' loop; must not call back but for Tracer::progress().
class TraceListener {
public:
    virtual ~TraceListener() = default;
    // Something has come in. Called for every packet: ask for the progress as often as you can use it.
    virtual void trace_progressed(TraceNumber trace) = 0;
    // The last call for the trace. The sample is one of the kind `path`, of no probe.
    virtual void trace_ended(TraceNumber trace, Sample sample) = 0;
};

class Tracer {
public:
    virtual ~Tracer() = default;
    // Begins at once: settings.cycles cycles, settings.spacing apart. With settings.explore, the branches are found
    // first. An error means that this host cannot trace the target at all. The listener outlives the trace.
    virtual Status trace(TraceNumber trace, path::PathSettings settings, TraceListener& listener) = 0;
    // Nothing more is sent, and the listener is not called any more.
    virtual void cancel(TraceNumber trace) = 0;
    virtual std::optional<TraceProgress> progress(TraceNumber trace) const = 0;
};

}  // namespace nw::probe
