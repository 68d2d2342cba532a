// Finds out when the route of one probe changes, from its runs in the order of time.
//
// Load balancing looks like a change to whoever compares two traces: a run samples a few of the branches, the next run
// others. So what is held against each other is two explanations of all runs since the last change: "one set of
// branches, sampled at random", and "another set since that run". A change is said only when the second one explains
// what was seen better by a factor of e^12 (250,000) or more; the logarithm of the factor is the evidence.
//
// 1. Only flows that reached the destination count, each as one sample of every distance it passed. Whoever is known and
//    answers a flow that does not reach it is there, and has not vanished.
// 2. Silence contradicts nothing: a sample without an answer may have been any router, new or old.
// 3. Replaced: since some run nothing that was known at a distance was seen there, though somebody answered.
// 4. Appeared: a router that was never seen in so many samples is now seen again and again beside known ones.
// 5. Vanished: a router that had its share of the samples is seen no more. That is noticed in a day's thousand of runs
//    wherever it happens by chance, so it needs more evidence (e^25).
// 6. Another set: at a distance where everybody answers, runs saw one set of routers, and since some run they see another
//    one, though all of its routers are known: a pinned flow has moved, or a branch is in use again. A run that was silent
//    at the distance, or a flow of which did not reach the destination, may have been either. Runs follow each other and
//    chance has many beginnings, so it needs more evidence (e^18). While the route changes, runs may see neither the old
//    set nor the new one: the change is dated to the first of them that saw a router of the new one for the first time.
// 7. Any of them needs `confirm_runs` runs; the change is dated to the first run that saw it. How far the destination is
//    counts as one more distance.
// 8. The run in which the route changes often saw both the old one and the new one. Who was seen in that run and not
//    again, though there was every chance, belongs to the old one.
// 9. After a change what was known before counts little: the new route's other branches are learnt, not reported.
//
// With one flow and a hundred runs seen, a reroute is confirmed by the third run that sees it; with several flows or a
// branch of few a little later or sooner. A route that is only a few runs old takes about as many runs to be left for
// good. Pure; memory is bounded.
#pragma once

#include "topology/route.hpp"
#include "topology/run.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::topology {

struct RouteChange {
    std::int64_t at_us = 0;         // the first run that saw it
    std::int64_t confirmed_us = 0;  // the run that left no doubt
    std::vector<HopName> added{};
    std::vector<HopName> removed{};
    Route before{};
    Route after{};
    std::uint8_t hops_before = 0;  // to the destination, by the commonest path
    std::uint8_t hops_after = 0;

    friend bool operator==(const RouteChange&, const RouteChange&) = default;
};

struct TrackerOptions {
    std::uint32_t confirm_runs = 3;
    double replaced = 12;
    double appeared = 14;
    double vanished = 25;
    double other_set = 18;
};

class RouteTracker {
public:
    explicit RouteTracker(TrackerOptions options = {}) : options_(options) {}

    // Runs that are not newer than the newest one are left out: what comes late changes nothing.
    std::optional<RouteChange> add(const Run& run);
    // The route as it is known since the last change.
    Route route() const;
    std::int64_t last_us() const { return last_us_; }
    std::uint64_t runs() const { return runs_; }  // that reached the destination

private:
    struct Router {
        std::string address{};  // of the length: one byte
        std::string name{};
        std::int64_t first_us = 0;
        std::int64_t last_us = 0;
        std::int64_t absent_since_us = 0;
        std::uint32_t samples = 0;
        std::uint32_t runs = 0;
        std::uint32_t before = 0;         // answered samples at this distance before the first of it
        std::uint32_t silent_before = 0;  // and silent ones
        std::uint32_t absent = 0;         // answered samples since the last of it
        std::uint32_t absent_silent = 0;
        std::uint32_t absent_runs = 0;
    };
    static constexpr std::int64_t kNever = INT64_MAX;
    // Which sets of routers the runs saw at one distance.
    struct Sets {
        struct Known {
            std::uint64_t digest = 0;
            std::uint32_t runs = 0;
        };
        std::vector<Known> known{};  // before the present one, and runs of each
        std::uint32_t runs = 0;      // of all of them
        std::uint32_t unclear = 0;
        std::uint64_t now = 0;  // the set that all runs since some run have seen, but for unclear ones
        std::uint32_t now_runs = 0;
        std::uint32_t now_unclear = 0;
        std::int64_t now_since_us = 0;
        std::int64_t now_until_us = 0;
        std::int64_t old_until_us = kNever;  // the last run that saw a set before it that `confirm_runs` runs saw
    };
    // Everything seen at one distance; at index 0 the lengths of the paths.
    struct Distance {
        std::vector<Router> routers{};
        Sets sets{};
        std::uint32_t answered = 0;
        std::uint32_t silent = 0;
        // The runs up to now in which nothing known was seen, if there are any.
        std::uint32_t novel_runs = 0;
        std::uint32_t novel_samples = 0;
        std::uint32_t novel_before = 0;
        std::uint32_t novel_silent_before = 0;
        std::int64_t novel_since_us = 0;
    };
    struct Seen;  // at one distance in one run

    void take(Distance& distance, const Seen& seen, bool all_reached, std::int64_t at_us) const;
    static Router& router_of(Distance& distance, std::string_view address, std::int64_t at_us);
    static void note_novelty(Distance& distance, const Seen& seen, std::int64_t at_us);
    void take_present(const Flow& unreached, std::int64_t at_us);
    void take_set(Sets& sets, const Seen& seen, bool clear, std::int64_t at_us) const;
    static double evidence_other_set(const Sets& sets);
    static std::int64_t other_set_since(const Distance& distance);
    static double evidence_replaced(const Distance& distance);
    static double evidence_appeared(const Distance& distance, const Router& router);
    static double evidence_vanished(const Distance& distance, const Router& router);
    std::optional<std::int64_t> confirmed_since(const Distance& distance) const;
    static bool is_seen_since(const Distance& distance, const Router& router, std::int64_t since_us);
    bool is_left_out(const Distance& distance, const Router& router, std::int64_t since_us) const;
    bool is_gone(std::size_t ttl, const Router& router, std::int64_t since_us) const;
    RouteChange change_since(std::int64_t since_us) const;
    std::size_t length_since(std::int64_t since_us) const;
    Route route_after(std::int64_t since_us) const;
    Route route_before(std::int64_t since_us) const;
    void name(std::vector<HopName>& hops) const;
    void start_anew(std::int64_t since_us);
    static void start_anew(Distance& distance, std::int64_t since_us);

    TrackerOptions options_;
    std::vector<Distance> distances_{};
    std::int64_t last_us_ = INT64_MIN;
    std::uint64_t runs_ = 0;
};

}  // namespace nw::topology
