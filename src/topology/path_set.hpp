// All runs of one probe in a window as one set of paths: what every hop did, which hop follows which, and how often each
// path was taken.
//
// 1. Counts and sums are added over the runs; ratios and means are made of the sums.
// 2. A run without an answer at a hop fits every router there: its probes count for the router that other runs of the
//    same path saw, so that a router's loss includes the runs in which nothing of it came back.
// 3. Hops are linked only when one flow passed one right after the other: at least one of them must have been the only
//    responder of the flow there, otherwise the flow is balanced packet by packet and nobody can tell.
// 4. A hop's forwarding loss is the loss that is seen there and at every later hop of the path. Hops that limit their
//    answers, or give none, have no say in it, and have what the hop before them has. Runs that broke off before a hop
//    count as lost there.
// 5. Shares are of the runs: a run's flows have equal parts of it.
#pragma once

#include "topology/run.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nw::topology {

inline constexpr std::size_t kRecentMax = 60;
inline constexpr std::size_t kPathsListedMax = 64;

struct Delay {
    std::int64_t sum_us = 0;
    std::int64_t sum_squares_us2 = 0;
    std::int64_t count = 0;
    std::int64_t min_us = kAbsent;
    std::int64_t max_us = kAbsent;
    std::int64_t variation_sum_us = 0;
    std::int64_t variation_count = 0;

    void add(const PathHop& hop);
    std::optional<double> mean_us() const;
    std::optional<double> deviation_us() const;
    std::optional<double> jitter_us() const;
};

struct Hop {
    std::uint8_t ttl = 0;
    std::string address{};  // empty: nobody ever answered
    std::int64_t sent = 0;
    std::int64_t received = 0;
    Delay delay{};
    std::optional<double> last_us{};                 // mean of the newest run with an answer
    std::vector<std::optional<double>> recent_us{};  // mean of each of the newest runs, oldest first
    HopVerdict verdict = HopVerdict::None;
    double confidence = 0;
    double forwarding_loss_ratio = 0;
    std::optional<double> limit_per_second{};
    double share = 0;
    bool last = false;        // the destination, or whoever says that it goes no further
    bool per_packet = false;  // one flow was answered by several here in one run
    PathHop newest{};         // the newest answer, with its name, labels, interfaces and what the packet looked like
    std::int64_t seen_us = 0;
    std::optional<std::uint32_t> asn{};  // not looked up yet

    std::int64_t lost() const { return sent - received; }
    double loss_ratio() const { return sent <= 0 ? 0 : double(lost()) / double(sent); }
};

struct Link {
    static constexpr std::size_t kAgent = SIZE_MAX;
    std::size_t from = kAgent;  // indices of PathSet::hops
    std::size_t to = 0;
    double share = 0;
};

struct Path {
    std::vector<std::size_t> hops{};  // indices of PathSet::hops, by TTL
    double share = 0;
    std::int64_t sent = 0;  // to its destination, runs that broke off before it included
    std::int64_t received = 0;
    Delay delay{};
    bool reached = false;  // in its newest run
    std::int64_t seen_us = 0;
};

struct PathSet {
    std::size_t runs = 0;  // that have hops
    std::int64_t first_us = 0;
    std::int64_t last_us = 0;
    std::string address{};                         // of the destination, in the newest run
    std::optional<bool> reached{};                 // by any flow of the newest run
    std::optional<std::uint32_t> mtu{};            // the newest finding
    std::optional<std::uint8_t> black_hole_ttl{};  // the newest run that knows the MTU found it
    std::vector<Hop> hops{};                       // by TTL, then falling by share
    std::vector<Link> links{};
    std::vector<Path> paths{};  // falling by share, at most kPathsListedMax
    std::size_t paths_total = 0;
};

// `runs` ascend by time.
PathSet merge(std::span<const Run> runs);

struct HopPair {
    std::size_t before = 0;
    std::size_t after = 0;
};
// What differs between two moments, by address: a router is the same one at another distance too.
struct Difference {
    std::vector<std::size_t> added{};    // hops of `after`
    std::vector<std::size_t> removed{};  // hops of `before`
    std::vector<HopPair> kept{};
    bool same = false;  // the same routers in the same places
};
Difference difference(const PathSet& before, const PathSet& after);

}  // namespace nw::topology
