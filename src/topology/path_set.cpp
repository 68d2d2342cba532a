#include "topology/path_set.hpp"

#include "topology/patterns.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace nw::topology {
namespace {

// What is found out about one hop while the runs are walked through.
struct HopSum {
    Hop hop{};
    std::array<double, kHopVerdictNames.size()> blame{};    // missing answers by what they were put down to
    std::array<double, kHopVerdictNames.size()> certain{};  // the same, weighed with the confidence
    double sure = 0;                                        // of verdicts while nothing was missing
    std::int64_t calm = 0;
    std::map<std::size_t, std::int64_t> sent_by_path{};
    std::int64_t limit_us = 0;
    std::uint64_t several = 0;   // runs in which a flow had several responders here
    std::size_t run = SIZE_MAX;  // the run that run_sum_us and run_count are of
    std::int64_t run_sum_us = 0;
    std::int64_t run_count = 0;
};

struct Pool {
    std::int64_t sent = 0;  // runs that broke off before included
    std::int64_t received = 0;
    double ratio() const { return sent <= 0 ? 0 : double(sent - received) / double(sent); }
};

struct PathSum {
    std::vector<Pool> pools{};  // by TTL - 1
    Delay delay{};
    double weight = 0;
    bool reached = false;
    std::int64_t seen_us = 0;
};

class Merger {
public:
    explicit Merger(std::span<const Run> runs) : runs_(runs) {}

    PathSet merge();

private:
    struct Responder {
        std::size_t hop = 0;
        double part = 0;
    };
    using Responders = std::vector<Responder>;

    void find_patterns();
    void walk(std::size_t index);
    void walk(const Run& run, std::size_t index, const Flow& flow, std::size_t path, double weight);
    Responders take_step(const Run& run, std::size_t index, const Step& step, std::size_t path, double weight);
    void take_hop(HopSum& sum, const Run& run, std::size_t index, const PathHop& hop);
    void link(const Responders& from, const Responders& to, double weight);
    std::size_t hop_at(std::uint8_t ttl, std::uint32_t address);
    static void judge(HopSum& sum);
    static void reconsider(Hop& hop);
    std::vector<double> losses_of(std::size_t path) const;
    static double forwarding_loss(const HopSum& sum, const std::vector<std::vector<double>>& losses);
    void finish_hops();
    void finish_paths();

    std::span<const Run> runs_;
    Addresses addresses_{};
    Patterns patterns_{};
    std::vector<HopSum> hops_{};
    std::map<std::pair<std::uint8_t, std::uint32_t>, std::size_t> places_{};
    std::map<std::pair<std::size_t, std::size_t>, double> links_{};
    std::vector<PathSum> paths_{};
    std::size_t recent_from_ = 0;  // runs before have no place in Hop::recent_us
    PathSet set_{};
};

void Merger::find_patterns()
{
    for (const auto& run : runs_) {
        const auto flows = flows_of(run.hops);
        for (std::size_t i = 0; i < flows.size(); ++i)
            patterns_.add(sighting_of(flows[i], i, flows.size(), addresses_), 1.0 / double(flows.size()));
    }
    patterns_.settle();
    paths_.resize(patterns_.size());
    for (std::size_t i = 0; i < paths_.size(); ++i) paths_[i].pools.resize(patterns_.path(i).size());
}

std::size_t Merger::hop_at(std::uint8_t ttl, std::uint32_t address)
{
    const auto [place, fresh] = places_.try_emplace({ttl, address}, hops_.size());
    if (fresh) {
        hops_.emplace_back();
        hops_.back().hop.ttl = ttl;
        hops_.back().hop.address = addresses_.text(address);
        hops_.back().hop.recent_us.resize(runs_.size() - recent_from_);
    }
    return place->second;
}

void Merger::take_hop(HopSum& sum, const Run& run, std::size_t index, const PathHop& hop)
{
    auto& to = sum.hop;
    to.sent += hop.sent;
    to.received += hop.received;
    to.delay.add(hop);
    to.seen_us = run.at_us;
    const auto missing = double(hop.sent) - double(hop.received);
    const auto verdict = std::size_t(hop.verdict);
    sum.blame[verdict] += missing;
    sum.certain[verdict] += missing * hop.confidence;
    if (missing <= 0) {
        sum.sure += hop.confidence * double(hop.sent);
        sum.calm += hop.sent;
    }
    if (hop.limit_per_second && run.at_us >= sum.limit_us) {
        to.limit_per_second = hop.limit_per_second;
        sum.limit_us = run.at_us;
    }
    if (hop.received == 0) return;
    if (sum.run != index) sum.run_sum_us = sum.run_count = 0;
    sum.run = index;
    sum.run_sum_us += hop.rtt_sum_us;
    sum.run_count += hop.received;
    to.last_us = double(sum.run_sum_us) / double(sum.run_count);
    if (index >= recent_from_) to.recent_us[index - recent_from_] = to.last_us;
    auto name = hop.name.empty() ? to.newest.name : hop.name;
    to.newest = hop;
    to.newest.name = std::move(name);
    to.last = hop.answer == HopAnswer::Arrived || hop.answer == HopAnswer::Unreachable;
}

Merger::Responders Merger::take_step(const Run& run, std::size_t index, const Step& step, std::size_t path, double weight)
{
    const auto& sequence = patterns_.path(path);
    const auto known = step.ttl <= sequence.size() ? sequence[step.ttl - 1U] : 0;
    Responders responders;
    std::int64_t received = 0;
    for (const auto& hop : step.hops) received += hop.received;
    if (step.hops.empty()) responders.push_back({hop_at(step.ttl, known), 1});
    for (const auto& hop : step.hops) {
        const auto place = hop_at(step.ttl, hop.address.empty() ? known : addresses_.number(hop.address));
        auto& sum = hops_[place];
        take_hop(sum, run, index, hop);
        sum.sent_by_path[path] += hop.sent;
        const auto part = received == 0 ? 1.0 / double(step.hops.size()) : double(hop.received) / double(received);
        if (part > 0) responders.push_back({place, part});
    }
    for (const auto& responder : responders) {
        hops_[responder.hop].hop.share += weight * responder.part;
        hops_[responder.hop].several += responders.size() > 1;
    }
    return responders;
}

// Rule 3 of the header.
void Merger::link(const Responders& from, const Responders& to, double weight)
{
    if (from.size() > 1 && to.size() > 1) return;
    for (const auto& a : from)
        for (const auto& b : to) links_[{a.hop, b.hop}] += weight * a.part * b.part;
}

void Merger::walk(const Run& run, std::size_t index, const Flow& flow, std::size_t path, double weight)
{
    auto& sum = paths_[path];
    sum.weight += weight;
    sum.reached = run.at_us > sum.seen_us ? flow.reached : sum.reached || flow.reached;
    sum.seen_us = run.at_us;
    Responders before{{Link::kAgent, 1}};
    std::int64_t probes = 0;
    for (const auto& step : flow.steps) {
        if (step.ttl > sum.pools.size()) break;  // asked, but not answered, beyond what the path is known to be
        std::int64_t sent = 0, received = 0;
        for (const auto& hop : step.hops) {
            sent += hop.sent;
            received += hop.received;
            if (step.ttl == sum.pools.size()) sum.delay.add(hop);
        }
        sum.pools[step.ttl - 1U].sent += sent;
        sum.pools[step.ttl - 1U].received += received;
        probes = std::max(probes, sent);
        auto responders = take_step(run, index, step, path, weight);
        link(before, responders, weight);
        before = std::move(responders);
    }
    for (auto i = flow.steps.size(); i < sum.pools.size(); ++i) sum.pools[i].sent += probes;
}

void Merger::walk(std::size_t index)
{
    const auto& run = runs_[index];
    const auto flows = flows_of(run.hops);
    if (flows.empty()) return;
    ++set_.runs;
    if (set_.runs == 1) set_.first_us = run.at_us;
    set_.last_us = run.at_us;
    if (!run.address.empty()) set_.address = run.address;
    set_.reached = std::ranges::any_of(flows, &Flow::reached);
    if (run.mtu) {
        set_.mtu = run.mtu;
        set_.black_hole_ttl = run.black_hole_ttl;
    }
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const auto path = patterns_.path_of(sighting_of(flows[i], i, flows.size(), addresses_));
        walk(run, index, flows[i], path, 1.0 / double(flows.size()));
    }
}

// What explains most of the answers that are missing. Of a router that did answer, silence in some runs is a limit, and
// what stops for good behind it is loss.
void Merger::judge(HopSum& sum)
{
    auto& hop = sum.hop;
    if (hop.lost() <= 0) {
        hop.verdict = HopVerdict::None;
        hop.confidence = sum.calm == 0 ? 0 : sum.sure / double(sum.calm);
        return;
    }
    auto& blame = sum.blame;
    const auto move = [&](HopVerdict from, HopVerdict to) {
        blame[std::size_t(to)] += std::exchange(blame[std::size_t(from)], 0);
        sum.certain[std::size_t(to)] += std::exchange(sum.certain[std::size_t(from)], 0);
    };
    if (hop.received > 0) {
        move(HopVerdict::Silent, HopVerdict::RateLimited);
        move(HopVerdict::Filtered, HopVerdict::Forwarding);
    }
    const auto worst = std::size_t(std::ranges::max_element(blame) - blame.begin());
    hop.verdict = HopVerdict(worst);
    hop.confidence = sum.certain[worst] / double(hop.lost());
}

// What was put down to loss, but does not go on to the end, is none.
void Merger::reconsider(Hop& hop)
{
    constexpr std::int64_t kStrayMax = 2;
    if (hop.verdict != HopVerdict::Forwarding || hop.received == 0) return;
    if (hop.forwarding_loss_ratio * 2 >= hop.loss_ratio()) return;
    hop.verdict = hop.lost() <= kStrayMax ? HopVerdict::None : HopVerdict::RateLimited;
    hop.confidence = 1 - hop.forwarding_loss_ratio / hop.loss_ratio();
}

// Rule 4 of the header, for each place of a path.
std::vector<double> Merger::losses_of(std::size_t path) const
{
    const auto& pools = paths_[path].pools;
    const auto has_say = [&](std::size_t i) {
        const auto found = places_.find({std::uint8_t(i + 1), patterns_.path(path)[i]});
        if (found == places_.end()) return false;
        const auto& hop = hops_[found->second].hop;
        return !hop.address.empty() && hop.verdict != HopVerdict::RateLimited;
    };
    std::vector<double> losses(pools.size(), 0);
    double behind = 1;
    for (auto i = pools.size(); i-- > 0;) {
        const bool end = i + 1 == pools.size();
        if (has_say(i)) losses[i] = behind = std::min(behind, pools[i].ratio());
        else if (end && pools[i].sent > 0 && pools[i].received == 0) losses[i] = 1;  // nothing arrives there
        else losses[i] = -1;
    }
    double before = 0;
    for (auto& loss : losses) before = loss = loss < 0 ? before : loss;
    return losses;
}

double Merger::forwarding_loss(const HopSum& sum, const std::vector<std::vector<double>>& losses)
{
    double lost = 0;
    std::int64_t sent = 0;
    for (const auto& [path, probes] : sum.sent_by_path) {
        if (sum.hop.ttl > losses[path].size()) continue;
        lost += losses[path][sum.hop.ttl - 1U] * double(probes);
        sent += probes;
    }
    return sent == 0 ? 0 : lost / double(sent);
}

void Merger::finish_hops()
{
    for (auto& sum : hops_) judge(sum);
    std::vector<std::vector<double>> losses;
    for (std::size_t path = 0; path < paths_.size(); ++path) losses.push_back(losses_of(path));
    std::vector<std::size_t> order(hops_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
        auto& hop = hops_[i].hop;
        hop.forwarding_loss_ratio = forwarding_loss(hops_[i], losses);
        reconsider(hop);
        hop.share /= double(set_.runs);
        hop.per_packet = hops_[i].several >= std::min<std::size_t>(2, set_.runs);
    }
    std::ranges::sort(order, {}, [&](std::size_t i) {
        const auto& hop = hops_[i].hop;
        return std::tuple(hop.ttl, -hop.share, hop.address);
    });
    std::vector<std::size_t> place(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        place[order[i]] = i;
        set_.hops.push_back(std::move(hops_[order[i]].hop));
    }
    for (auto& [key, index] : places_) index = place[index];
    for (const auto& [ends, weight] : links_) {
        const auto from = ends.first == Link::kAgent ? Link::kAgent : place[ends.first];
        set_.links.push_back({.from = from, .to = place[ends.second], .share = weight / double(set_.runs)});
    }
}

void Merger::finish_paths()
{
    for (std::size_t p = 0; p < paths_.size(); ++p) {
        const auto& sum = paths_[p];
        Path path{
            .share = sum.weight / double(set_.runs), .delay = sum.delay, .reached = sum.reached, .seen_us = sum.seen_us};
        const auto& sequence = patterns_.path(p);
        for (std::size_t i = 0; i < sequence.size(); ++i) {
            const auto found = places_.find({std::uint8_t(i + 1), sequence[i]});
            if (found != places_.end()) path.hops.push_back(found->second);
        }
        path.sent = sum.pools.back().sent;
        path.received = sum.pools.back().received;
        set_.paths.push_back(std::move(path));
    }
    std::ranges::sort(set_.paths, {}, [](const Path& path) { return std::tuple(-path.share, path.hops); });
    set_.paths_total = std::max(patterns_.distinct(), set_.paths.size());
    if (set_.paths.size() > kPathsListedMax) set_.paths.resize(kPathsListedMax);
}

PathSet Merger::merge()
{
    recent_from_ = runs_.size() - std::min(runs_.size(), kRecentMax);
    find_patterns();
    for (std::size_t i = 0; i < runs_.size(); ++i) walk(i);
    if (set_.runs == 0) return {};
    finish_hops();
    finish_paths();
    return std::move(set_);
}

}  // namespace

void Delay::add(const PathHop& hop)
{
    if (hop.received == 0) return;
    sum_us += hop.rtt_sum_us;
    sum_squares_us2 += hop.rtt_sum_squares_us2;
    count += hop.received;
    variation_sum_us += hop.ipdv_sum_us;
    variation_count += hop.ipdv_count;
    if (hop.rtt_min_us != kAbsent) min_us = min_us == kAbsent ? hop.rtt_min_us : std::min(min_us, hop.rtt_min_us);
    if (hop.rtt_max_us != kAbsent) max_us = std::max(max_us, hop.rtt_max_us);
}

std::optional<double> Delay::mean_us() const
{
    if (count == 0) return std::nullopt;
    return double(sum_us) / double(count);
}

std::optional<double> Delay::deviation_us() const
{
    if (count == 0) return std::nullopt;
    const auto mean = double(sum_us) / double(count);
    return std::sqrt(std::max(0.0, double(sum_squares_us2) / double(count) - mean * mean));
}

std::optional<double> Delay::jitter_us() const
{
    if (variation_count == 0) return std::nullopt;
    return double(variation_sum_us) / double(variation_count);
}

PathSet merge(std::span<const Run> runs) { return Merger(runs).merge(); }

Difference difference(const PathSet& before, const PathSet& after)
{
    Difference found;
    const auto find = [](const PathSet& in, const Hop& hop) {
        // At the same distance before at another one.
        std::optional<std::size_t> place;
        for (std::size_t i = 0; i < in.hops.size(); ++i) {
            if (in.hops[i].address != hop.address) continue;
            if (in.hops[i].ttl == hop.ttl) return std::optional(i);
            if (!place && !hop.address.empty()) place = i;
        }
        return place;
    };
    std::set<std::size_t> kept;
    bool moved = false;
    for (std::size_t i = 0; i < after.hops.size(); ++i) {
        const auto place = find(before, after.hops[i]);
        if (!place) {
            if (!after.hops[i].address.empty()) found.added.push_back(i);
            continue;
        }
        kept.insert(*place);
        found.kept.push_back({*place, i});
        moved = moved || before.hops[*place].ttl != after.hops[i].ttl;
    }
    for (std::size_t i = 0; i < before.hops.size(); ++i)
        if (!kept.contains(i) && !before.hops[i].address.empty() && !find(after, before.hops[i])) found.removed.push_back(i);
    found.same = found.added.empty() && found.removed.empty() && !moved;
    return found;
}

}  // namespace nw::topology
