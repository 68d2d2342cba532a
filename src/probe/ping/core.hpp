// All ping targets of an agent as one state machine: no sockets, no clock. The engine tells it the time and what
// came in; it says what to send, settles every packet once, and hands out each run when it is complete.
//
// 1. Run n of a probe starts at next_start + (n - 1) x interval; run 0 starts at first_start. A run that is
//    late does not move the later ones; one that is a whole interval late, and at least a second, is reported as
//    not measured.
// 2. A packet is answered when its reply came within the timeout, by the time stamps, not by when it was read.
// 3. A reply after the timeout is late when it comes within two more intervals, otherwise it is ignored; its
//    packet stays lost. What comes in after its run was handed out (late, duplicate, corrupted) counts in the
//    next run to be handed out.
// 4. A second reply to a packet is a duplicate. A reply is reordered when one to a later packet of the probe
//    came before it (RFC 4737, 3.3).
// 5. A run is complete when all its packets are settled. Its outcome is ok when anything came back; otherwise
//    unreachable when any ICMP error did, otherwise the local trouble when nothing could be sent, else lost.
//    Losses in a run whose replies the agent's own socket dropped make it not measured.
#pragma once

#include "probe/ping/identity.hpp"
#include "probe/ping/run.hpp"
#include "probe/schedule.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nw::probe::ping {

// With little to send, wake-ups are what costs (each more than ten packets): then the grid is this wide. What is due
// between two of its lines goes out at the second one, always the same one, so the beat stays exact. It takes that
// all packets are a multiple of it apart.
inline constexpr Nanos kWideTick = Millis(50);
inline constexpr double kWideBelowPerSecond = 1000;

struct Plan {
    Nanos interval{};
    Nanos timeout{};
    Nanos spacing{};        // between the packets of a run
    Nanos first_spacing{};  // between the packets of run 0
    std::uint32_t packets = 1;
    std::uint64_t runs_max = ~0ULL;  // then the slot falls free
};

// Must not call back into the core.
class CoreListener {
public:
    virtual ~CoreListener() = default;
    virtual void run_finished(std::uint32_t slot, const RunResult& run) = 0;
    // Called once for each packet that was sent, or could not be; `so_far` has the outcome of what could not be
    // sent or was unreachable, the clock and the last TTL.
    virtual void packet_settled(std::uint32_t slot, std::uint64_t seq, const Packet& packet, const RunResult& so_far) = 0;
    virtual void slot_free(std::uint32_t slot) = 0;
};

class Core {
public:
    Core(CoreListener& listener, Moment now);

    // The slot is given to nobody else until slot_free().
    std::uint32_t add(const Plan& plan, Moment first_start, Moment next_start, Moment now);
    enum class Ending : std::uint8_t { Drain, Drop };
    // Nothing more is sent. Drain: runs that have begun end early and are still handed out.
    void retire(std::uint32_t slot, Ending ending);
    // Moves the start of the next run that has not begun, and of all after it.
    void relock(std::uint32_t slot, Moment next_start);

    // Fires timeouts and collects what is due. Read the sockets first: see rule 2.
    void advance(Moment now);
    // Up to `max` packets to send at once, appended to `out`; they count as sent at `now` until transmitted()
    // or send_failed() says otherwise.
    void take_due(Moment now, std::size_t max, std::vector<Identity>& out);
    bool has_due() const { return schedule_.has_ready(); }
    // When advance() is needed next; far away when nothing is planned.
    Moment next_wake() const;

    void transmitted(const Identity& id, Moment when);
    void answered(const Identity& id, Moment when, bool kernel_time, std::optional<std::uint8_t> ttl);
    void unreachable(const Identity& id, std::string reason);
    void corrupted(const Identity& id);
    void send_failed(const Identity& id, Outcome outcome, std::string reason);
    // What is under way is not held against the target: nothing can come back through a device that is gone.
    void excuse(std::uint32_t slot, Outcome outcome, const std::string& reason);
    // Ends a run before any packet of it went out.
    void fail_run(const Identity& id, Outcome outcome, std::string reason);
    // Replies of this probe may have been lost inside the agent: see rule 5.
    void taint(std::uint32_t slot, const std::string& reason);

    bool begins_run(const Identity& id) const { return id.seq % probes_[id.slot].plan.packets == 0; }
    // Whether `id` names a packet that this core sent and still remembers.
    bool knows(const Identity& id) const;
    // Sent, or taken to be sent, and not settled.
    bool is_waiting(const Identity& id)
    {
        Run* run = nullptr;
        return find_waiting(id, &run) != nullptr;
    }
    std::uint32_t generation(std::uint32_t slot) const { return probes_[slot].generation; }
    std::size_t waiting() const { return waiting_; }

private:
    enum class State : std::uint8_t { Free, Active, Draining };

    struct Run {
        std::uint64_t number = 0;
        Moment start{};
        std::vector<Packet> packets{};
        std::uint32_t wanted = 0;
        std::uint32_t settled = 0;
        std::uint32_t first_waiting = 0;
        RunCounts counts{};
        Outcome trouble = Outcome::Ok;
        ClockSource clock = ClockSource::None;
        bool tainted = false;
        std::optional<std::uint8_t> ttl{};
        std::string reason{};
    };

    struct Probe {
        Plan plan{};
        Moment first_start{};
        Moment next_start{};
        std::uint64_t next_seq = 0;
        std::uint64_t highest_answered = 0;  // plus one; 0: none yet
        std::uint64_t tail_seq = 0;          // the last packet of a finished run, when it was answered, plus one
        Nanos tail_rtt{};
        std::vector<Run> runs{};
        std::vector<std::uint64_t> answered{};  // a bit per sequence, as many as can still be told apart
        RunCounts pending{};
        std::uint32_t generation = 0;
        State state = State::Free;
    };

    using Timer = Schedule::Timer;

    static bool needs_narrow_grid(const Plan& plan);
    bool wide() const { return narrow_plans_ == 0 && per_second_ < kWideBelowPerSecond; }
    std::int64_t grid_width() const { return wide() ? kWideTick / kTick : 1; }

    Probe* find(const Identity& id);
    Run* find_run(Probe& probe, std::uint64_t seq);
    Packet* find_waiting(const Identity& id, Run** run);
    static Moment due_at(const Probe& probe, std::uint64_t seq);
    static bool test_and_set(Probe& probe, std::uint64_t seq);
    void plan_next(std::uint32_t slot, Moment now);
    bool take_one(std::uint32_t slot, Moment now, std::vector<Identity>& out);
    void skip_missed(std::uint32_t slot, Moment now);
    void begin_run(Probe& probe, Moment now);
    void expire(std::uint32_t slot, Moment now);
    void settle(std::uint32_t slot, Run& run, std::uint64_t seq, PacketState state);
    void count_unanswered(Probe& probe, Run* run, const Identity& id, Moment when);
    void finish_complete(std::uint32_t slot);
    void finish(std::uint32_t slot, const Run& run);
    void finish_retired(std::uint32_t slot);
    RunResult result_of(const Probe& probe, const Run& run) const;
    static Outcome outcome_of(const Run& run);

    CoreListener& listener_;
    std::vector<Probe> probes_{};
    Schedule schedule_;
    std::size_t waiting_ = 0;
    std::uint32_t generations_ = 0;
    std::size_t narrow_plans_ = 0;
    double per_second_ = 0;  // packets planned
};

}  // namespace nw::probe::ping
