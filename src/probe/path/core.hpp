// All traces of an agent as one state machine: no sockets, no clock. The engine tells it the time and what came in; it
// says what to send, settles every probe once, and says when a run is complete.
//
// 1. A run is a number of cycles; in a cycle every flow sends one probe to each hop, all at the same time. Run n starts
//    at next_start + (n - 1) x interval, run 0 at first_start. With several flows, they take turns within the spacing
//    of the cycles. A run that is late by a whole interval, and at least a second, is reported as not measured.
// 2. How far a flow goes: up to the hop at which the destination answered it, or somebody said that it goes no further.
//    While that is not known, the first cycle of a run asks hops in stretches, each when the last hop of the one before
//    has answered or kStretchAfter has passed, up to hops_max; later cycles go up to one hop behind the last answer.
//    When a hop nearer than that turns out to be a router, the path has become longer and is followed at once.
// 3. A probe is answered when its reply came within the timeout, by the time stamps. What comes later counts as late.
//    A probe whose reply the agent itself may have dropped counts as not sent.
// 4. A run is complete when all its probes are settled.
// 5. With `explore`, the branches are looked for (mda.hpp) beside the runs; from the next run on a few flows that pass all
//    of them are traced. Until then it is flow 0, unless `explore_first` makes the first run wait. It is repeated when
//    explore_every has passed, and at once when a flow is answered by somebody else than before at some hop, twice in a
//    row. When that finds the same branches again (packets may be balanced one by one), it waits longer each time. When it
//    finds others, it is repeated after a minute, two, four and so on: a branch that is lost may come back soon.
// 6. With mtu_every, the largest packet that the way of the first flow takes is looked for (mtu.hpp) beside the runs, when
//    the destination has answered, and again when the time has passed or the way has changed.
#pragma once

#include "model/outcome.hpp"
#include "probe/path/mda.hpp"
#include "probe/path/mtu.hpp"
#include "probe/path/reply.hpp"
#include "probe/schedule.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nw::probe::path {

inline constexpr std::uint8_t kStretchFirst = 16;
inline constexpr std::uint8_t kStretch = 8;
inline constexpr Nanos kStretchAfter = Millis(100);
// Branches are looked for by so many traces at a time: hundreds of packets each pass the routers nearby, which limit
// what they answer.
inline constexpr std::size_t kExploringMax = 16;

struct Plan {
    Nanos interval{};       // between the starts of runs
    Nanos spacing{};        // between the cycles of a run
    Nanos first_spacing{};  // between the cycles of run 0
    Nanos timeout{};
    std::uint32_t cycles = 1;        // per run
    std::uint64_t runs_max = ~0ULL;  // then the slot falls free
    std::uint8_t hops_max = 30;
    std::uint16_t flows = 1;
    bool explore = false;
    bool explore_first = false;
    bool follow_on = false;  // run 1 comes right after run 0, wherever that began
    Nanos explore_every = std::chrono::minutes(15);
    Nanos mtu_every{};         // 0: never
    bool mtu_awaited = false;  // the trace ends no sooner than that has been found once
};

// What a probe is sent for.
enum class Purpose : std::uint8_t {
    Measure,  // part of a run
    Explore,  // to find branches
    Mtu,      // to find the path MTU
};

enum class ProbeState : std::uint8_t { Waiting, Answered, Lost, Unsent };

// What became of one probe.
struct Settled {
    std::uint64_t run = 0;
    std::uint32_t cycle = 0;  // within the run
    std::uint64_t round = 0;  // cycles counted over all runs
    std::uint16_t flow = 0;
    std::uint8_t ttl = 0;
    std::uint16_t size = 0;              // 0: that of all
    Purpose purpose = Purpose::Measure;  // only then the numbers above say something
    ProbeState state = ProbeState::Waiting;
    Moment sent{};
    Nanos rtt{};
    ClockSource clock = ClockSource::None;
    const Reply* reply = nullptr;  // when answered
    Outcome outcome = Outcome::Ok;
    std::string_view reason{};
};

struct RunStart {
    std::uint64_t number = 0;
    Moment start{};
    std::span<const std::uint16_t> flows{};
};

// Runs that were missed end without having begun.
struct RunEnd {
    std::uint64_t number = 0;
    Moment start{};
    std::uint32_t sent = 0;
    std::uint32_t answered = 0;
    std::uint32_t late = 0;
    std::uint32_t duplicates = 0;
    bool reached = false;               // some flow got an answer of the destination
    std::optional<NotReady> trouble{};  // why something could not be sent, or does not count
    std::string refusal{};              // who said that it goes no further
    Outcome outcome = Outcome::Ok;      // what all of this comes to
    std::string reason{};
};

// Must not call back into the core.
class CoreListener {
public:
    virtual ~CoreListener() = default;
    virtual void probe_settled(std::uint32_t slot, const Settled& probe) = 0;
    virtual void explored(std::uint32_t slot, const Exploration& found) = 0;
    virtual void mtu_searched(std::uint32_t slot, const MtuFound& found) = 0;
    virtual void run_begun(std::uint32_t slot, const RunStart& run) = 0;
    virtual void run_finished(std::uint32_t slot, const RunEnd& run) = 0;
    virtual void slot_free(std::uint32_t slot) = 0;
};

// A probe to be sent.
struct Due {
    Identity id{};
    std::uint16_t flow = 0;
    std::uint8_t ttl = 0;
    std::uint16_t size = 0;  // must not be fragmented; 0: that of all
    bool first = false;      // of its run, or of what it is sent for
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

    // Fires timeouts and collects what is due. Read the sockets first: see rule 3.
    void advance(Moment now);
    // Up to `max` probes to send at once, appended to `out`; they count as sent at `now` until transmitted() or
    // send_failed() says otherwise.
    void take_due(Moment now, std::size_t max, std::vector<Due>& out);
    bool has_due() const { return schedule_.has_ready(); }
    // When advance() is needed next; far away when nothing is planned.
    Moment next_wake() const { return schedule_.next_wake(); }

    void transmitted(const Identity& id, Moment when);
    void answered(const Reply& reply, Moment when, bool kernel_time);
    void send_failed(const Identity& id, Outcome outcome, const std::string& reason);
    // Nothing of the run of `id` can be sent.
    void fail_run(const Identity& id, Outcome outcome, const std::string& reason);
    // What is under way is held against nobody: nothing can come back through a device that is gone.
    void excuse(std::uint32_t slot, Outcome outcome, const std::string& reason);

    // What the first link takes.
    void set_link_mtu(std::uint32_t slot, std::uint16_t mtu) { traces_[slot].mtu.link = mtu; }

    // Answers may have been lost inside the agent: what waits now and stays unanswered was not measured.
    void taint(const std::string& reason);

    bool is_waiting(const Identity& id) { return find_waiting(id) != nullptr; }
    std::uint32_t generation(std::uint32_t slot) const { return traces_[slot].generation; }
    std::size_t waiting() const { return waiting_; }
    // Some trace is finding out where its path goes, so that answers should be read soon.
    bool is_discovering() const { return discovering_ > 0; }
    // Of all probes sent before, it is known what became of them.
    Moment frontier(std::uint32_t slot) const;

private:
    enum class State : std::uint8_t { Free, Exploring, Active, Draining };

    struct Probe {
        Moment sent{};
        std::uint64_t run = 0;
        std::uint32_t cycle = 0;
        std::uint16_t flow = 0;
        std::uint16_t size = 0;
        std::uint8_t ttl = 0;
        Purpose purpose = Purpose::Measure;
        ProbeState state = ProbeState::Waiting;
        bool kernel_sent = false;
        bool tainted = false;
    };

    // How far a flow has asked in one cycle.
    struct Asked {
        std::uint64_t run = 0;
        std::uint32_t cycle = 0;
        std::uint8_t until = 0;
    };

    // Who answers a flow at a hop.
    struct Responder {
        packet::Address usual{};
        packet::Address other{};  // answered last, if `strikes`
        std::uint8_t strikes = 0;
        bool known = false;
    };

    struct Flow {
        std::uint8_t reach = 0;    // the last hop; 0: not known
        std::uint8_t highest = 0;  // the furthest hop that answered
        bool arrived = false;      // at `reach`, the destination answered
        Asked now{};               // the present cycle
        bool stretching = false;
        Asked stretch{};  // the cycle that goes on in stretches, while later ones have begun
        Moment stretch_at{};
        std::vector<Responder> way{};  // by TTL - 1
    };

    struct Run {
        RunEnd end{};
        std::uint32_t turns_left = 0;  // cycles x flows that have not begun
        std::uint32_t open = 0;        // wanted or on their way
        bool begun = false;            // something was handed out
    };

    struct Wanted {
        std::uint64_t run = 0;
        std::uint32_t cycle = 0;
        std::uint16_t flow = 0;
        std::uint8_t ttl = 0;
        Purpose purpose = Purpose::Measure;
        std::uint16_t size = 0;
    };

    struct Mtu {
        std::unique_ptr<MtuSearch> search{};  // while it goes on
        bool begun = false;                   // something was handed out for it
        bool searched = false;                // once at least
        Moment due{};
        std::uint16_t link = 1500;
    };

    // When branches are looked for, and what was found.
    struct Branches {
        std::unique_ptr<Explorer> explorer{};  // while it goes on
        bool begun = false;                    // something was handed out for it
        std::optional<Exploration> found{};    // to be adopted by the next run
        Moment due{};
        Moment not_before{};
        Nanos patience{};
        std::size_t digest = 0;  // of the links
        std::vector<Branching> before{};
    };

    struct Trace {
        Plan plan{};
        Moment first_start{};
        Moment next_start{};
        std::uint64_t next_turn = 0;  // run x cycles x flows + cycle x flows + flow
        std::uint64_t next_seq = 0;
        std::uint64_t first_seq = 0;  // of probes.front()
        std::deque<Probe> probes{};
        std::deque<Wanted> wanted{};
        std::vector<Run> runs{};
        std::vector<std::uint16_t> flow_ids{};
        std::vector<Flow> flows{};
        Branches branches{};
        Mtu mtu{};
        Nanos rtt_max{};
        std::uint32_t late = 0;
        std::uint32_t duplicates = 0;
        std::uint32_t generation = 0;
        State state = State::Free;
        bool discovering = false;
    };

    using Timer = Schedule::Timer;

    static std::uint64_t turns_per_run(const Trace& trace)
    {
        return std::uint64_t(trace.plan.cycles) * trace.flow_ids.size();
    }
    static Moment due_at(const Trace& trace, std::uint64_t turn);
    static std::size_t position_of(const Trace& trace, std::uint16_t flow);

    Trace* find(const Identity& id);
    Probe* find_waiting(const Identity& id);
    static Probe* find_of_flow(Trace& trace, const Probe& latest);
    static Run* find_run(Trace& trace, std::uint64_t number);
    void plan_next(std::uint32_t slot, Moment now);
    void begin_turn(std::uint32_t slot, Moment now);
    void skip_missed(std::uint32_t slot, Moment now);
    void want(std::uint32_t slot, std::size_t position, Asked& asked, int until);
    void stretch(std::uint32_t slot, std::size_t position, Moment now);
    void begin_cycle(std::uint32_t slot, Run& run, std::uint64_t within, Moment now);
    void note_distance(std::uint32_t slot, const Probe& probe, const Reply& reply, Moment now);
    void note_responder(std::uint32_t slot, const Probe& probe, const Reply& reply, Moment now);
    bool& begun_of(Trace& trace, const Wanted& wanted);
    static bool wants_mtu(const Trace& trace, Moment now);
    void search_mtu(std::uint32_t slot, Moment now);
    void stop_mtu_search(Trace& trace);
    void tell_searches(Trace& trace, const Probe& probe, ProbeState state, const Settled& how);
    bool wants_branches(const Trace& trace, Moment now) const;
    void explore(std::uint32_t slot, Moment now);
    void finish_exploring(std::uint32_t slot, Exploration found, Moment now);
    void stop_exploring(Trace& trace);
    void adopt_branches(std::uint32_t slot);
    void give_up(Trace& trace, Purpose purpose, std::uint64_t run);
    void watch(std::uint32_t slot, Moment now);
    Nanos timeout_of(const Trace& trace, const Probe& probe) const;
    void settle(std::uint32_t slot, Probe& probe, ProbeState state, const Settled& how);
    static void note_in_run(Run& run, ProbeState state, const Settled& how);
    static NotReady conclude(const RunEnd& end);
    void after_settling(std::uint32_t slot);
    void finish_complete(std::uint32_t slot);
    void finish_retired(std::uint32_t slot);
    void set_discovering(Trace& trace);

    CoreListener& listener_;
    std::vector<Trace> traces_{};
    Schedule schedule_;
    std::size_t waiting_ = 0;
    std::size_t discovering_ = 0;
    std::size_t exploring_ = 0;
    std::string taint_{};
    std::uint32_t generations_ = 0;
};

}  // namespace nw::probe::path
