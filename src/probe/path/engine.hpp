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
#include "quality/histogram.hpp"

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace nw::probe::path {

inline constexpr Nanos kReadEvery = Millis(100);
inline constexpr Nanos kReadEveryDiscovering = Millis(5);

// Called on the engine's loop; must not call back into the engine but for to_wall() and frontier().
class PathObserver {
public:
    virtual ~PathObserver() = default;
    virtual void probe_settled(ProbeId probe, const Settled& settled) = 0;
    virtual void explored(ProbeId probe, const Exploration& found) = 0;
    virtual void run_finished(ProbeId probe, const RunEnd& run) = 0;
    // Where the packets go from now on; empty: nowhere, `problem` says why.
    virtual void target_changed(ProbeId probe, const std::optional<packet::Address>& address, std::string_view problem) = 0;
    // The last trace has ended by itself.
    virtual void idle() = 0;
};

enum class FirstRun : std::uint8_t {
    AtOnce,   // its cycles at most 100 ms apart, so that a first result is there soon
    OnPhase,  // waits for the probe's place in the interval
    OffBeat,  // at once with its usual spacing, and all other runs right after it: for the command line
};

struct StartOptions {
    FirstRun first = FirstRun::AtOnce;
    std::uint64_t runs_max = ~0ULL;
};

class PathEngine final : private CoreListener, private PortEvents {
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
    bool idle() const { return by_id_.empty() && starting_.empty() && occupied_ == 0; }
    WallTime to_wall(Moment when) const;
    // Of all probes of the trace that were sent before, it is known what became of them.
    Moment frontier(ProbeId probe) const;

private:
    struct Target;
    struct Starting;

    Task<void> drive();
    Instant next_turn() const;
    Moment now() const;
    Moment from_kernel(KernelTime when) const;
    void follow_wall_clock();

    Task<void> resolve_and_launch(ProbeId probe, std::uint64_t token);
    void launch(std::unique_ptr<Target> target, const StartOptions& options);
    void refresh(std::uint32_t slot);
    Task<void> resolve_again(std::uint32_t slot, std::uint32_t generation, Question question);
    void take_answer(Target& target, const probe::Answer& answer);
    void set_address(Target& target, const HostAddress& address);
    void send_due(Moment when);
    bool ready_to_send(const Identity& id, Moment when);

    void probe_settled(std::uint32_t slot, const Settled& probe) override;
    void explored(std::uint32_t slot, const Exploration& found) override;
    void run_finished(std::uint32_t slot, const RunEnd& run) override;
    void slot_free(std::uint32_t slot) override;

    void on_transmitted(const Identity& id, KernelTime when) override;
    void on_reply(const Reply& reply) override;
    void on_send_failed(const Identity& id, Outcome outcome, std::string why) override;
    void on_dropped(std::uint64_t replies) override;

    EngineContext context_;
    std::unique_ptr<Port> port_;
    PathObserver& observer_;
    Instant instant_zero_;
    Nanos epoch_zero_;     // the wall clock at instant_zero_: where the timeline begins
    Nanos wall_ahead_{0};  // what the wall clock has been set forward by since
    Core core_;
    std::vector<std::unique_ptr<Target>> by_slot_;
    std::size_t occupied_ = 0;
    std::unordered_map<ProbeId, std::uint32_t> by_id_{};
    std::unordered_map<ProbeId, std::unique_ptr<Starting>> starting_;
    std::uint64_t tokens_ = 0;
    std::vector<Due> due_{};
    std::vector<Outgoing> outgoing_{};
    Moment turned_{};
    Moment read_before_{};
    double allowance_ = 0;  // packets that may be sent now
    std::uint64_t packets_sent_ = 0;
    std::uint64_t socket_drops_ = 0;
    quality::Histogram lateness_{};
    Timer timer_;
    TaskGroup tasks_;
};

// The engine on the real network, turning.
std::unique_ptr<PathEngine> make_path_engine(const EngineContext& context, PathObserver& observer);

}  // namespace nw::probe::path
