// Keeps the report of the host's network up to date, and what the controller does not have of it yet.
//
// 1. An event sets a report going; what comes within kGatherNetwork of the first goes into the same one.
// 2. Reports that say the same as the one before are none. Each has a number that grows within the stream of the spool.
// 3. A report stays here, and in the spool, until the controller says that it has it. There may be no controller for as
//    long as an uplink is down, and what happened meanwhile is what everybody will want to see: up to kReportsKept of them
//    wait, then the oldest goes, and its failovers go into the next. The newest always stays, to compare with.
// 4. Reading a host with very many routes is expensive: it is never done for more than a twentieth of the time.
//
// Belongs to the main loop.
#pragma once

#include "agent/failover_watch.hpp"
#include "agent/network_source.hpp"
#include "base/log.hpp"
#include "base/run_on.hpp"
#include "base/task_group.hpp"
#include "spool/spool.hpp"
#include "wire/interfaces.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace nw::agent {

inline constexpr Millis kGatherNetwork{250};
inline constexpr std::size_t kReportsKept = 32;
// When nothing else is new, the time at which public addresses were last seen is.
inline constexpr std::chrono::minutes kSeenAgainEvery{30};

class NetworkReporter {
public:
    // `reading` and `disk` outlive it; the latter is the one thread that uses the spool.
    NetworkReporter(Loop& loop, Pool& reading, Pool& disk, spool::Spool& spool, const Clock& clock, NetworkSource& source,
                    Log log, Millis gather = kGatherNetwork);

    // What waited in the spool when the agent stopped. Before anybody else uses the spool.
    void restore();
    // Reads and reports until the tasks are closed; calls `changed` after each new report.
    void start(TaskGroup& tasks, std::function<void()> changed);
    // Whether the last report tells of a default route that moved.
    bool moved() const { return !reports_.empty() && !reports_.back().failovers.empty(); }

    // The oldest report with a number above `number`; null: there is none.
    const wire::Interfaces* after(std::uint64_t number) const;
    // The controller has everything up to this number. When that is more than was ever given out here, the host was set
    // back to an earlier state of its disk: what waits gets new numbers.
    void kept(std::uint64_t number);

    // Returns when the network was read once, or could not be, or `patience` is over.
    Task<void> first_read(Millis patience);
    // As last read; empty before that.
    const HostNetwork& network() const { return network_; }
    void set_public(const std::string& interface, bool v6, PublicAddress address);

private:
    Task<void> watch();
    Task<void> report();
    Task<void> read_and_report();
    void note(const NetworkEvents& events);
    void offer(HostNetwork network);
    void give_up_oldest();
    void renumber(std::uint64_t after);
    void save(const wire::Interfaces& report);
    void drop_saved(std::uint64_t last_number);
    void wake();

    Loop& loop_;
    Pool& reading_;
    Pool& disk_;
    spool::Spool& spool_;
    const Clock& clock_;
    NetworkSource& source_;
    Log log_;
    Millis gather_;
    std::function<void()> changed_{};
    FailoverWatch failovers_{};
    HostNetwork network_{};
    std::map<std::pair<std::string, bool>, PublicAddress> public_{};  // by interface and family
    std::deque<wire::Interfaces> reports_{};
    std::uint64_t number_ = 0;
    std::uint64_t kept_ = 0;
    std::uint64_t gave_up_ = 0;
    bool dirty_ = true;
    bool tried_ = false;
    Timer waiting_;
    Timer first_;
};

// Whether two reports say the same, but for when public addresses were seen.
bool same_network(HostNetwork a, HostNetwork b);

}  // namespace nw::agent
