// What the controller asks this agent to do once, such as a trace now: each action is begun at most once, however often
// it is sent, and its last report is kept for a while for controllers that ask again after a lost connection.
//
// Belongs to the main loop; `measure` and `stop` of the runner are called there and may work elsewhere.
#pragma once

#include "base/log.hpp"
#include "base/time.hpp"
#include "probe/engine.hpp"
#include "wire/messages.hpp"

#include <functional>
#include <map>

namespace nw::agent {

inline constexpr std::size_t kActionsAtOnceMax = 8;
inline constexpr std::size_t kActionsKeptMax = 256;
inline constexpr Nanos kActionsKept = Seconds(600);

class ActionRunner {
public:
    virtual ~ActionRunner() = default;
    // Ends with Actions::progressed(); an error is one progress, the last.
    virtual void measure(ProbeSpec spec) = 0;
    virtual void stop(ProbeId id) = 0;
};

// The action's id is the probe's for the time of its run: ids of one agent's probes and actions differ.
constexpr ProbeId probe_of(ActionId id) { return ProbeId(id); }

class Actions {
public:
    // `tell` sends a report to the controller when there is a connection.
    Actions(ActionRunner& runner, const Clock& clock, Log log, std::function<void(const wire::ActionReport&)> tell);

    void on_action(wire::Action action);
    // From the runner. A `failure` is why there is no run at all.
    void progressed(ProbeId id, const probe::Progress& progress);
    void failed(ProbeId id, std::string failure);
    // The agent stops measuring: what runs has been ended.
    void cancel_all(std::string why);

private:
    struct Entry {
        wire::ActionReport report{};
        Instant since{};
    };

    void begin(wire::Action action);
    void finish(Entry& entry, ActionState state, std::string reason);
    void forget_old();

    ActionRunner& runner_;
    const Clock& clock_;
    Log log_;
    std::function<void(const wire::ActionReport&)> tell_;
    std::map<ActionId, Entry> entries_{};
    std::size_t running_ = 0;
};

}  // namespace nw::agent
