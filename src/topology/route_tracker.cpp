#include "topology/route_tracker.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

namespace nw::topology {
namespace {

constexpr std::size_t kRoutersMax = 64;       // at one distance; beyond, the one unseen for longest goes
constexpr std::uint32_t kSamplesMax = 4'096;  // then all counts are halved
constexpr std::uint32_t kSamplesKept = 4;     // of what was known before a change
constexpr std::size_t kSetsMax = 32;          // known at one distance; beyond, the rarest goes
constexpr double kGone = 3;                   // evidence for being part of a change that is certain
constexpr std::uint32_t kRareOneIn = 200;     // of a route are those that had a share of at least that

double n_log_n(double n) { return n <= 0 ? 0 : n * std::log(n); }

// Log-likelihood of `hits` in `hits + misses` samples at the share that explains them best.
double log_likelihood(double hits, double misses) { return n_log_n(hits) + n_log_n(misses) - n_log_n(hits + misses); }

struct Samples {
    double hits = 0;
    double misses = 0;
    double ratio() const { return hits + misses == 0 ? 0 : hits / (hits + misses); }
};

// How much better two shares explain the samples than one.
double evidence(Samples before, Samples after)
{
    return log_likelihood(before.hits, before.misses) + log_likelihood(after.hits, after.misses)
           - log_likelihood(before.hits + after.hits, before.misses + after.misses);
}

double minus(std::uint32_t a, std::uint32_t b) { return a < b ? 0 : double(a - b); }

// The length of a path as the address of distance 0.
std::string_view length_address(std::size_t length)
{
    static constexpr auto kLengths = [] {
        std::array<char, 256> all{};
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = char(i);
        return all;
    }();
    return {&kLengths[length], 1};
}

}  // namespace

struct RouteTracker::Seen {
    struct Hit {
        std::string_view address{};
        std::string_view name{};
        std::uint32_t samples = 0;
    };
    std::vector<Hit> hits{};
    std::uint32_t answered = 0;
    std::uint32_t silent = 0;

    void hit(std::string_view address, std::string_view name)
    {
        auto found = std::ranges::find(hits, address, &Hit::address);
        if (found == hits.end()) found = hits.insert(hits.end(), {.address = address});
        if (!name.empty()) found->name = name;
        ++found->samples;
    }
};

std::optional<RouteChange> RouteTracker::add(const Run& run)
{
    if (run.at_us <= last_us_) return std::nullopt;
    last_us_ = run.at_us;
    auto flows = flows_of(run.hops);
    const auto unreached = std::ranges::partition(flows, &Flow::reached);
    const std::vector<Flow> elsewhere(unreached.begin(), unreached.end());
    flows.erase(unreached.begin(), unreached.end());
    if (flows.empty()) return std::nullopt;
    ++runs_;
    std::vector<Seen> seen(1);
    for (const auto& flow : flows) {
        if (seen.size() <= flow.steps.size()) seen.resize(flow.steps.size() + 1);
        ++seen[0].answered;
        seen[0].hit(length_address(flow.steps.size()), {});
        for (const auto& step : flow.steps) {
            auto& here = seen[step.ttl];
            ++(step.answered() ? here.answered : here.silent);
            for (const auto& hop : step.hops)
                if (!hop.address.empty()) here.hit(hop.address, hop.name);
        }
    }
    if (distances_.size() < seen.size()) distances_.resize(seen.size());
    for (std::size_t ttl = 0; ttl < seen.size(); ++ttl) take(distances_[ttl], seen[ttl], elsewhere.empty(), run.at_us);
    for (const auto& flow : elsewhere) take_present(flow, run.at_us);
    std::optional<std::int64_t> since;
    for (const auto& distance : distances_)
        if (const auto at = confirmed_since(distance)) since = std::min(since.value_or(*at), *at);
    if (!since) return std::nullopt;
    auto change = change_since(*since);
    change.confirmed_us = run.at_us;
    start_anew(*since);
    return change;
}

RouteTracker::Router& RouteTracker::router_of(Distance& distance, std::string_view address, std::int64_t at_us)
{
    auto& routers = distance.routers;
    const auto found = std::ranges::find(routers, address, &Router::address);
    if (found != routers.end()) return *found;
    Router fresh{
        .address = std::string(address), .first_us = at_us, .before = distance.answered, .silent_before = distance.silent};
    if (routers.size() < kRoutersMax) return routers.emplace_back(std::move(fresh));
    return *std::ranges::min_element(routers, {}, &Router::last_us) = std::move(fresh);
}

void RouteTracker::note_novelty(Distance& distance, const Seen& seen, std::int64_t at_us)
{
    const auto known_before = distance.novel_runs > 0 ? distance.novel_since_us : at_us;
    const bool known = std::ranges::any_of(seen.hits, [&](const Seen::Hit& hit) {
        const auto found = std::ranges::find(distance.routers, hit.address, &Router::address);
        return found != distance.routers.end() && found->first_us < known_before;
    });
    if (known || distance.answered == 0) {
        distance.novel_runs = 0;
        return;
    }
    if (distance.novel_runs == 0) {
        distance.novel_since_us = at_us;
        distance.novel_samples = 0;
        distance.novel_before = distance.answered;
        distance.novel_silent_before = distance.silent;
    }
    ++distance.novel_runs;
    distance.novel_samples += seen.answered;
}

void RouteTracker::take_present(const Flow& unreached, std::int64_t at_us)
{
    for (const auto& step : unreached.steps) {
        if (step.ttl >= distances_.size()) return;
        for (auto& router : distances_[step.ttl].routers) {
            if (std::ranges::find(step.hops, router.address, &PathHop::address) == step.hops.end()) continue;
            router.last_us = at_us;
            router.absent = router.absent_silent = router.absent_runs = 0;
        }
    }
}

// `clear`: the run says which routers are in use there, all of them.
void RouteTracker::take_set(Sets& sets, const Seen& seen, bool clear, std::int64_t at_us) const
{
    if (!clear) {
        ++sets.now_unclear;
        return;
    }
    std::uint64_t digest = 0;  // whatever their order
    for (const auto& hit : seen.hits) digest += std::hash<std::string_view>{}(hit.address) | 1;
    if (sets.now_runs > 0 && digest == sets.now) {
        ++sets.now_runs;
        sets.now_until_us = at_us;
        return;
    }
    if (sets.now_runs > 0) {
        auto found = std::ranges::find(sets.known, sets.now, &Sets::Known::digest);
        if (found == sets.known.end() && sets.known.size() < kSetsMax)
            found = sets.known.insert(found, {.digest = sets.now});
        else if (found == sets.known.end())
            *(found = std::ranges::min_element(sets.known, {}, &Sets::Known::runs)) = {.digest = sets.now};
        found->runs += sets.now_runs;
        if (found->runs >= options_.confirm_runs) sets.old_until_us = sets.now_until_us;
    }
    sets.runs += sets.now_runs;
    sets.unclear += sets.now_unclear;
    if (sets.runs + sets.unclear > kSamplesMax) {
        sets.runs /= 2;
        sets.unclear /= 2;
        for (auto& known : sets.known) known.runs /= 2;
    }
    sets.now = digest;
    sets.now_runs = 1;
    sets.now_unclear = 0;
    sets.now_since_us = sets.now_until_us = at_us;
}

void RouteTracker::take(Distance& distance, const Seen& seen, bool all_reached, std::int64_t at_us) const
{
    take_set(distance.sets, seen, all_reached && seen.answered > 0 && seen.silent == 0, at_us);
    if (seen.answered > 0) note_novelty(distance, seen, at_us);
    for (const auto& hit : seen.hits) {
        auto& router = router_of(distance, hit.address, at_us);
        if (!hit.name.empty() && router.name != hit.name) router.name = hit.name;
        router.last_us = at_us;
        router.samples += hit.samples;
        ++router.runs;
        router.absent = router.absent_silent = router.absent_runs = 0;
    }
    distance.answered += seen.answered;
    distance.silent += seen.silent;
    const bool halve = distance.answered + distance.silent > kSamplesMax;
    if (halve) {
        distance.answered /= 2;
        distance.silent /= 2;
        distance.novel_before /= 2;
        distance.novel_silent_before /= 2;
    }
    for (auto& router : distance.routers) {
        if (router.last_us != at_us) {
            if (seen.answered > 0 && router.absent_runs++ == 0) router.absent_since_us = at_us;
            router.absent += seen.answered;
            router.absent_silent += seen.silent;
        }
        if (!halve) continue;
        router.samples = std::max(1U, router.samples / 2);
        router.before /= 2;
        router.silent_before /= 2;
        router.absent /= 2;
        router.absent_silent /= 2;
    }
}

// That the runs see another set now; any unclear one before may have seen it, any unclear one now may be as before.
double RouteTracker::evidence_other_set(const Sets& sets)
{
    const auto found = std::ranges::find(sets.known, sets.now, &Sets::Known::digest);
    const auto known = found == sets.known.end() ? 0.0 : double(found->runs);
    const Samples before{known + double(sets.unclear), double(sets.runs) - known};
    const Samples after{double(sets.now_runs), double(sets.now_unclear)};
    if (sets.known.empty() || sets.known.size() == kSetsMax || after.ratio() <= before.ratio()) return 0;
    // Of many sets any may be seen a few times in a row.
    return evidence(before, after) - 2 * std::log(std::max(1.0, double(sets.known.size()) / 2));
}

// The first run that saw any of it, after the last one that saw an old set.
std::int64_t RouteTracker::other_set_since(const Distance& distance)
{
    const auto& sets = distance.sets;
    auto since = sets.now_since_us;
    for (const auto& router : distance.routers)
        if (router.last_us >= sets.now_since_us && router.first_us > sets.old_until_us)
            since = std::min(since, router.first_us);
    return since;
}

double RouteTracker::evidence_replaced(const Distance& distance)
{
    if (distance.novel_runs == 0) return 0;
    const auto found =
        evidence({double(distance.novel_silent_before), double(distance.novel_before)}, {double(distance.novel_samples), 0});
    // Of many branches there are many ways to be divided into those that came first and those that came then.
    return found - (double(distance.routers.size()) - 2) * std::log(2);
}

// That it was not there before; any silence then may have been it.
double RouteTracker::evidence_appeared(const Distance& distance, const Router& router)
{
    const Samples before{double(router.silent_before), double(router.before)};
    const auto since = minus(distance.answered, router.before);
    const Samples after{std::min(since, double(router.samples)), std::max(0.0, since - double(router.samples))};
    return after.ratio() > before.ratio() ? evidence(before, after) : 0;
}

// That it is there no more; any silence before may have been another one, any silence now may be it.
double RouteTracker::evidence_vanished(const Distance& distance, const Router& router)
{
    const auto until = std::max(double(router.samples), minus(distance.answered, router.before + router.absent));
    const auto silent = minus(distance.silent, router.silent_before + router.absent_silent);
    const Samples before{double(router.samples), until - double(router.samples) + silent};
    const Samples after{double(router.absent_silent), double(router.absent)};
    return after.ratio() < before.ratio() ? evidence(before, after) : 0;
}

// Since when the distance is another one, when there is no doubt of it.
std::optional<std::int64_t> RouteTracker::confirmed_since(const Distance& distance) const
{
    std::optional<std::int64_t> since;
    const auto take_earlier = [&](std::int64_t at) { since = std::min(since.value_or(at), at); };
    if (distance.novel_runs >= options_.confirm_runs && evidence_replaced(distance) >= options_.replaced)
        take_earlier(distance.novel_since_us);
    if (distance.sets.now_runs >= options_.confirm_runs && evidence_other_set(distance.sets) >= options_.other_set)
        take_earlier(other_set_since(distance));
    for (const auto& router : distance.routers) {
        if (router.absent_runs == 0 && router.runs >= options_.confirm_runs && router.before > 0
            && evidence_appeared(distance, router) >= options_.appeared)
            take_earlier(router.first_us);
        if (router.absent_runs >= options_.confirm_runs && evidence_vanished(distance, router) >= options_.vanished)
            take_earlier(router.absent_since_us);
    }
    return since;
}

// Whether the router is of the route that began with the run at `since_us`.
bool RouteTracker::is_seen_since(const Distance& distance, const Router& router, std::int64_t since_us)
{
    if (router.last_us != since_us || router.first_us == since_us) return router.last_us >= since_us;
    return evidence_vanished(distance, router) < kGone;
}

// Whether it was not among those that all runs have seen since then, and that are another set.
bool RouteTracker::is_left_out(const Distance& distance, const Router& router, std::int64_t since_us) const
{
    return router.last_us < distance.sets.now_since_us && distance.sets.now_since_us >= since_us
           && evidence_other_set(distance.sets) >= options_.other_set;
}

// Whether the router went with a change that is certain. Of load-balanced ones that were merely not sampled since, that
// cannot be said.
bool RouteTracker::is_gone(std::size_t ttl, const Router& router, std::int64_t since_us) const
{
    const auto& distance = distances_[ttl];
    if (is_seen_since(distance, router, since_us)) return false;
    if (is_left_out(distance, router, since_us)) return true;
    if (evidence_replaced(distance) >= kGone || evidence_vanished(distance, router) >= kGone) return true;
    return ttl > length_since(since_us);
}

// Of the longest path seen since then.
std::size_t RouteTracker::length_since(std::int64_t since_us) const
{
    std::size_t longest = 0;
    for (const auto& router : distances_[0].routers)
        if (is_seen_since(distances_[0], router, since_us))
            longest = std::max<std::size_t>(longest, std::uint8_t(router.address[0]));
    return longest;
}

Route RouteTracker::route_before(std::int64_t since_us) const
{
    Route route;
    for (std::size_t ttl = 1; ttl < distances_.size(); ++ttl)
        for (const auto& router : distances_[ttl].routers)
            if (router.first_us < since_us && router.samples * kRareOneIn >= distances_[ttl].answered)
                topology::add(route, std::uint8_t(ttl), router.address);
    return route;
}

// Where somebody was seen since then: those. Where nobody was, silence took nobody away.
Route RouteTracker::route_after(std::int64_t since_us) const
{
    Route route;
    const auto length = length_since(since_us);
    route.hops.resize(length);
    for (std::size_t ttl = 1; ttl <= length; ++ttl) {
        const auto& distance = distances_[ttl];
        const auto since = [&](const Router& router) { return is_seen_since(distance, router, since_us); };
        const bool seen = std::ranges::any_of(distance.routers, since);
        for (const auto& router : distance.routers)
            if (!seen || since(router)) topology::add(route, std::uint8_t(ttl), router.address);
    }
    return route;
}

Route RouteTracker::route() const
{
    auto route = route_before(INT64_MAX);
    while (!route.hops.empty() && route.hops.back().empty()) route.hops.pop_back();
    return route;
}

void RouteTracker::name(std::vector<HopName>& hops) const
{
    for (auto& hop : hops)
        for (const auto& router : distances_[hop.ttl].routers)
            if (router.address == hop.address) hop.name = router.name;
}

RouteChange RouteTracker::change_since(std::int64_t since_us) const
{
    RouteChange change{.at_us = since_us, .before = route_before(since_us), .after = route_after(since_us)};
    change.added = missing_in(change.after, change.before);
    Route gone;
    for (std::size_t ttl = 1; ttl < distances_.size(); ++ttl)
        for (const auto& router : distances_[ttl].routers)
            if (is_gone(ttl, router, since_us)) topology::add(gone, std::uint8_t(ttl), router.address);
    change.removed = missing_in(gone, change.after);
    name(change.added);
    name(change.removed);
    const auto commonest = [&](auto counts) {
        std::uint32_t most = 0;
        std::uint8_t length = 0;
        for (const auto& router : distances_[0].routers)
            if (counts(router) && router.samples > most) {
                most = router.samples;
                length = std::uint8_t(router.address[0]);
            }
        return length;
    };
    change.hops_before = commonest([&](const Router& router) { return router.first_us < since_us; });
    change.hops_after = commonest([&](const Router& router) { return is_seen_since(distances_[0], router, since_us); });
    return change;
}

void RouteTracker::start_anew(std::int64_t since_us)
{
    distances_.resize(length_since(since_us) + 1);
    for (auto& distance : distances_) start_anew(distance, since_us);
}

void RouteTracker::start_anew(Distance& distance, std::int64_t since_us)
{
    const auto before = [&](const Router& router) { return !is_seen_since(distance, router, since_us); };
    if (!std::ranges::all_of(distance.routers, before)) std::erase_if(distance.routers, before);
    const auto samples = std::max(1U, distance.answered + distance.silent);
    const auto scaled = [&](std::uint32_t count) {
        return samples <= kSamplesKept ? count : std::uint32_t(std::uint64_t{count} * kSamplesKept / samples);
    };
    const bool novel = distance.novel_runs > 0 && distance.novel_since_us >= since_us;
    if (novel) distance.answered = distance.novel_samples;
    else if (distance.answered > 0) distance.answered = std::max(1U, scaled(distance.answered));
    distance.silent = novel ? 0 : scaled(distance.silent);
    distance.novel_runs = 0;
    auto& sets = distance.sets;
    sets.known.clear();
    sets.runs = sets.unclear = 0;
    sets.old_until_us = kNever;
    if (sets.now_since_us < since_us) sets.now_runs = std::min(sets.now_runs, kSamplesKept);
    for (auto& router : distance.routers) {
        router.samples = std::clamp(novel ? router.samples : scaled(router.samples), 1U, std::max(1U, distance.answered));
        router.before = router.silent_before = 0;
        router.absent = router.absent_silent = router.absent_runs = 0;
    }
}

}  // namespace nw::topology
