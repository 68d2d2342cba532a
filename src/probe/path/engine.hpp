// The path engine: one state machine (core.hpp), one network port, one coroutine that turns them; the sibling of the
// ping engine (probe/ping/engine.hpp).
//
// A turn reads the sockets, fires timeouts and sends what is due. Between turns the engine sleeps; replies need no
// wake-up of their own, the kernel has stamped them. Only while a trace is finding out where its path goes, what is
// sent next depends on what comes back, so that answers are read every few milliseconds then.
#pragma once

#include "base/task_group.hpp"
#include "probe/engine.hpp"
#include "probe/path/core.hpp"
#include "probe/path/port.hpp"
#include "probe/path/settings.hpp"
#include "probe/roster.hpp"
#include "probe/turns.hpp"

#include <memory>
#include <vector>

namespace nw::probe::path {

inline constexpr Nanos kReadEvery = Millis(100);
inline constexpr Nanos kReadEveryDiscovering = Millis(5);

// A probe, and which of its targets: one that was edited drains while the other has begun.
struct TraceRef {
    ProbeId probe{};
    std::uint32_t slot = 0;
};

// Called on the engine's loop; must not call back into the engine but for to_wall() and frontier().
class PathObserver {
public:
    virtual ~PathObserver() = default;
    virtual void begun(TraceRef trace, const PathSettings& settings) = 0;
    // Where the packets go from now on; empty: nowhere, `problem` says why.
    virtual void target_changed(TraceRef trace, const std::optional<packet::Address>& address, std::string_view problem) = 0;
    virtual void explored(TraceRef trace, const Exploration& found) = 0;
    virtual void mtu_searched(TraceRef trace, const MtuFound& found) = 0;
    virtual void run_begun(TraceRef trace, const RunStart& run) = 0;
    virtual void probe_settled(TraceRef trace, const Settled& settled) = 0;
    // `resolved_in`: how long it took to find the target's address, told once.
    virtual void run_finished(TraceRef trace, const RunEnd& run, std::optional<Micros> resolved_in) = 0;
    // The trace has ended, by itself or because it was stopped.
    virtual void ended(TraceRef trace) = 0;
    // The last trace has ended.
    virtual void idle() = 0;
};

// A target with its address, and the socket for it.
struct Target {
    ProbeId id{};
    std::optional<std::uint32_t> socket{};
    HostAddress address{};     // that the socket is for
    packet::Address source{};  // that packets come from
    Moment checked{};          // that they can leave
    std::optional<NotReady> obstacle{};
    PathSettings settings{};
    StartOptions options{};
    TargetAddress where;
    std::uint32_t slot = 0;

    TraceRef ref() const { return {id, slot}; }
};

class PathEngine final : private RosterHost<Target>, private CoreListener, private PortEvents {
public:
    PathEngine(const EngineContext& context, std::unique_ptr<Port> port, PathObserver& observer);
    ~PathEngine() override;

    // An error means that this host cannot trace the target at all, and changes nothing.
    Status start(ProbeId probe, const PathSettings& settings, const StartOptions& options);
    void stop(ProbeId probe);
    EngineHealth health();
    Task<void> close();

    // Starts the coroutine that turns the engine. Tests turn it themselves.
    void run();
    void turn();
    bool idle() const { return roster_.empty(); }
    WallTime to_wall(Moment when) const { return time_.to_wall(when); }
    // Of all probes of the trace that were sent before, it is known what became of them.
    Moment frontier(ProbeId probe) const;
    Moment frontier(TraceRef trace) const { return core_.frontier(trace.slot); }

private:
    Moment next_turn() const;
    void launch(std::unique_ptr<Target> target) override;
    void relocated(Target& target) override;
    void send_due(Moment when);
    bool ready_to_send(const Due& due, Moment when);
    static Outgoing packet_of(const Target& target, const Due& due);

    void probe_settled(std::uint32_t slot, const Settled& probe) override;
    void explored(std::uint32_t slot, const Exploration& found) override;
    void mtu_searched(std::uint32_t slot, const MtuFound& found) override;
    void run_begun(std::uint32_t slot, const RunStart& run) override;
    void run_finished(std::uint32_t slot, const RunEnd& run) override;
    void slot_free(std::uint32_t slot) override;

    void on_transmitted(const Identity& id, KernelTime when) override;
    void on_reply(const Reply& reply) override;
    void on_send_failed(const Identity& id, Outcome outcome, std::string why) override;
    void on_dropped(std::uint64_t replies) override;

    EngineContext context_;
    std::unique_ptr<Port> port_;
    PathObserver& observer_;
    Timekeeper time_;
    Turns turns_;
    Core core_;
    std::vector<Due> due_{};
    std::vector<Outgoing> outgoing_{};
    std::uint64_t packets_sent_ = 0;
    std::uint64_t socket_drops_ = 0;
    TaskGroup tasks_;
    Roster<Target, Core> roster_;
};

// The engine on the real network, turning.
std::unique_ptr<PathEngine> make_path_engine(const EngineContext& context, PathObserver& observer);

}  // namespace nw::probe::path
