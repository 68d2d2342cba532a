// From engines to the spool: gathers samples for a fifth of a second, or a batch's worth, then numbers and stores
// them in one commit. accept() is called on the probe loop; everything else belongs to the main loop.
#pragma once

#include "base/log.hpp"
#include "base/run_on.hpp"
#include "model/rows.hpp"
#include "spool/spool.hpp"

#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace nw::agent {

inline constexpr std::size_t kBatchSamples = 100;

// What became last of each probe, for the status.
struct LastResult {
    std::int64_t at_us = 0;
    Outcome outcome = Outcome::Ok;
    std::string reason{};
};

class Collector {
public:
    Collector(Loop& loop, Pool& disk, spool::Spool& spool, const Clock& clock, Log log);

    void accept(Sample sample);
    // Stores what comes in until cancelled; calls `stored` after each commit.
    Task<void> run(std::function<void()> stored);
    // Stores what is there now.
    Task<void> flush();

    const std::unordered_map<ProbeId, LastResult>& last_results() const { return last_; }
    void forget(ProbeId probe) { last_.erase(probe); }

private:
    std::vector<Sample> take(std::uint64_t& dropped);

    static constexpr std::size_t kWaitingMax = 50'000;

    Loop& loop_;
    Pool& disk_;
    spool::Spool& spool_;
    const Clock& clock_;
    Log log_;
    Timer timer_;
    std::mutex mutex_{};
    std::vector<Sample> waiting_{};  // under mutex_
    std::uint64_t dropped_ = 0;      // under mutex_
    bool woken_ = false;
    std::unordered_map<ProbeId, LastResult> last_{};
};

// Samples as the bytes of a batch without stream and first number: those are added when it is sent, because the
// spool may have to renumber (see with_envelope in agent/uplink.cpp).
std::vector<spool::Spool::Content> to_contents(const std::vector<Sample>& samples);

}  // namespace nw::agent
