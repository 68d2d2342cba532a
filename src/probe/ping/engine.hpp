// The ping engine: one state machine (core.hpp), one network port, one coroutine that turns them.
//
// A turn reads the sockets, fires timeouts and sends what is due. Between turns the engine sleeps until the next
// packet or timeout; replies need no wake-up of their own, the kernel has stamped them, so they are read at the
// next turn or after kReadEvery.
#pragma once

#include "base/task_group.hpp"
#include "probe/engine.hpp"
#include "probe/ping/core.hpp"
#include "probe/ping/port.hpp"
#include "probe/ping/settings.hpp"
#include "probe/roster.hpp"
#include "probe/turns.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace nw::probe::ping {

inline constexpr Nanos kReadEvery = Millis(100);

// What became of one packet, for those who want to see each (the command line).
struct PacketReport {
    ProbeId probe{};
    std::uint64_t seq = 0;
    WallTime sent{};
    PacketState state = PacketState::Waiting;
    Nanos rtt{};
    ClockSource clock = ClockSource::None;
    std::optional<std::uint8_t> ttl{};
    packet::Address address{};
    Outcome outcome = Outcome::Ok;
    std::string_view reason{};
};
using PacketObserver = std::function<void(const PacketReport&)>;

// A target with its address, and the socket for it.
struct Target {
    ProbeId id{};
    std::optional<std::uint32_t> socket{};
    HostAddress address{};  // that the socket is for
    PingSettings settings{};
    HostAddress previous{};
    Moment changed{};  // runs that began before it went to `previous`
    StartOptions options{};
    TargetAddress where;
};

class PingEngine final : public Engine, private RosterHost<Target>, private CoreListener, private PortEvents {
public:
    PingEngine(const EngineContext& context, std::unique_ptr<Port> port);
    ~PingEngine() override;

    const Kind& kind() const override { return kind_; }
    Status start(const ProbeSpec& spec) override;
    Status start(ProbeId probe, const PingSettings& settings, StartOptions options);
    void stop(ProbeId probe) override;
    EngineHealth health() override;
    Task<void> close() override;

    void observe_packets(PacketObserver observer) { observer_ = std::move(observer); }
    // Called when the last probe has ended by itself.
    void when_idle(std::function<void()> call) { when_idle_ = std::move(call); }
    // Starts the coroutine that turns the engine. Tests turn it themselves.
    void run();
    void turn();
    // No probe is running, starting or draining.
    bool idle() const { return roster_.empty(); }

private:
    Moment next_turn() const;
    void launch(std::unique_ptr<Target> target) override;
    void relocated(Target& target) override;
    void send_due(Moment when);
    bool ready_to_send(const Identity& id, Moment when);

    void run_finished(std::uint32_t slot, const RunResult& run) override;
    void packet_settled(std::uint32_t slot, std::uint64_t seq, const Packet& packet, const RunResult& so_far) override;
    void slot_free(std::uint32_t slot) override;

    void on_transmitted(const Identity& id, KernelTime when) override;
    void on_reply(const Reply& reply) override;
    void on_error(const Identity& id, const std::optional<packet::Address>& about, std::string what) override;
    void on_corrupted(const Identity& id) override;
    void on_send_failed(const Identity& id, Outcome outcome, std::string why) override;
    void on_dropped(std::uint32_t socket, std::uint64_t replies) override;

    EngineContext context_;
    const Kind& kind_;
    std::unique_ptr<Port> port_;
    Timekeeper time_;
    Turns turns_;
    Core core_;
    PacketObserver observer_{};
    std::function<void()> when_idle_{};
    std::vector<Identity> due_{};
    std::vector<Outgoing> outgoing_{};
    std::uint64_t packets_sent_ = 0;
    std::uint64_t socket_drops_ = 0;
    TaskGroup tasks_;
    Roster<Target, Core> roster_;
};

// The engine on the real network, turning.
std::unique_ptr<PingEngine> make_ping_engine(const EngineContext& context);

}  // namespace nw::probe::ping
