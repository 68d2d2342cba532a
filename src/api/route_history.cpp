#include "api/route_history.hpp"

#include <algorithm>

namespace nw::api {
namespace {

constexpr std::uint32_t kRareOneIn = 200;  // as in topology/route_tracker

}  // namespace

topology::Route RouteHistory::Epoch::route() const
{
    topology::Route route;
    route.hops.resize(length);
    for (const auto& [hop, count] : seen)
        if (count * kRareOneIn >= answered.at(hop.first)) topology::add(route, hop.first, hop.second);
    return route;
}

RouteHistory::RouteHistory(std::vector<store::PathChange> changes, std::int64_t interval_us)
    : changes_(std::move(changes)), interval_us_(interval_us), epochs_(changes_.size() + 1)
{}

void RouteHistory::count_time(std::int64_t us)
{
    const auto counted = std::clamp<std::int64_t>(us, 0, 2 * interval_us_);
    epochs_[epoch_].time_us += counted;
    time_us_ += counted;
}

void RouteHistory::add(const topology::Run& run)
{
    auto flows = topology::flows_of(run.hops);
    std::erase_if(flows, [](const topology::Flow& flow) { return !flow.reached; });
    if (flows.empty()) return;
    if (runs_ > 0) count_time(run.at_us - last_us_);
    last_us_ = run.at_us;
    while (epoch_ < changes_.size() && run.at_us >= changes_[epoch_].at_us) ++epoch_;
    auto& epoch = epochs_[epoch_];
    if (epoch.runs++ == 0) epoch.first_us = run.at_us;
    epoch.last_us = run.at_us;
    ++runs_;
    for (const auto& flow : flows) {
        epoch.length = std::max(epoch.length, std::uint8_t(flow.steps.size()));
        for (const auto& step : flow.steps) {
            if (!step.answered()) continue;
            ++epoch.answered[step.ttl];
            for (const auto& hop : step.hops)
                if (!hop.address.empty()) ++epoch.seen[{step.ttl, hop.address}];
        }
    }
}

void RouteHistory::finish()
{
    if (runs_ > 0) count_time(interval_us_);
    std::vector<std::size_t> known(epochs_.size(), SIZE_MAX);
    for (std::size_t i = 0; i < epochs_.size(); ++i) {
        const auto& epoch = epochs_[i];
        if (epoch.runs == 0) continue;
        auto route = epoch.route();
        auto same = std::ranges::find_if(routes_, [&](const Known& one) { return topology::agree(one.route, route); });
        if (same == routes_.end()) same = routes_.insert(same, {.route = {}, .first_us = epoch.first_us});
        topology::unite(same->route, route);
        same->runs += epoch.runs;
        same->time_us += epoch.time_us;
        same->last_us = epoch.last_us;
        known[i] = std::size_t(same - routes_.begin());
    }
    for (auto& route : routes_) route.id = topology::digest(route.route);
    // Of an epoch without runs in what was read, the change itself knows the route.
    for (std::size_t i = 0; i < epochs_.size(); ++i) {
        if (known[i] != SIZE_MAX) ids_.push_back(routes_[known[i]].id);
        else if (i > 0) ids_.push_back(topology::digest(topology::decode_route(changes_[i - 1].after)));
        else if (!changes_.empty()) ids_.push_back(topology::digest(topology::decode_route(changes_[0].before)));
        else ids_.emplace_back();
    }
    std::ranges::sort(routes_, {}, [](const Known& one) { return std::pair(-one.time_us, one.first_us); });
}

}  // namespace nw::api
