#include "atlas/atlas.hpp"

#include "atlas/path_probe.hpp"
#include "atlas/stored_runs.hpp"
#include "store/telemetry/telemetry.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace nw::atlas {
namespace {

constexpr auto kExpireEvery = std::chrono::seconds(5);
constexpr std::size_t kDrawnAtOnce = 4;  // about a millisecond
constexpr auto kRetryAfter = std::chrono::seconds(5);
constexpr std::size_t kRunsReadMax = 128;  // of a probe at the start
constexpr std::int64_t kReadBackMinUs = 15 * 60 * store::kSecondUs;
constexpr std::int64_t kReadBackMaxUs = 6 * store::kHourUs;

std::vector<store::PathChangeHop> hops_to_store(const std::vector<topology::HopName>& hops)
{
    std::vector<store::PathChangeHop> stored;
    for (const auto& hop : hops) stored.push_back({.ttl = hop.ttl, .address = ip_text(hop.address), .name = hop.name});
    return stored;
}

store::PathChange to_store(ProbeId probe, const topology::RouteChange& change)
{
    return {.probe = probe,
            .at_us = change.at_us,
            .confirmed_us = change.confirmed_us,
            .added = hops_to_store(change.added),
            .removed = hops_to_store(change.removed),
            .before = topology::encode_route(change.before),
            .after = topology::encode_route(change.after),
            .hops_before = change.hops_before,
            .hops_after = change.hops_after};
}

}  // namespace

Atlas::Atlas(Executor loop, store::Metadata& metadata, store::Telemetry& telemetry, const Kinds& kinds, const Clock& clock,
             std::string mark, Log log)
    : loop_(loop), metadata_(metadata), telemetry_(telemetry), kinds_(kinds), clock_(clock), mark_(std::move(mark)),
      log_(std::move(log)), behind_waiting_(loop), drawing_waiting_(loop), pending_waiting_(loop)
{}

Atlas::~Atlas() { pool_.join(); }

std::string Atlas::generation_text(std::uint64_t generation) const { return mark_ + "." + std::to_string(generation); }

Result<Atlas::Facts> Atlas::read(store::MetadataTx& tx, AgentId agent)
{
    Facts facts;
    NW_TRY(facts.agent, tx.agent_sessions().find(agent));
    if (facts.agent && !facts.agent->deleted_us) {
        NW_TRY(facts.probes, tx.agent_sessions().probes(agent));
    }
    return facts;
}

Task<Status> Atlas::load()
{
    auto read_all = co_await metadata_.read([&](store::MetadataTx& tx) -> Result<std::vector<Facts>> {
        std::vector<Facts> all;
        NW_TRY(const auto agents, tx.agent_sessions().all());
        for (const auto& agent : agents) {
            NW_TRY(auto facts, read(tx, agent.id));
            all.push_back(std::move(facts));
        }
        return all;
    });
    NW_CO_TRY(auto all, std::move(read_all));
    for (auto& facts : all)
        if (facts.agent) {
            const auto id = facts.agent->id;
            take_facts(id, std::move(facts));
        }
    co_return Status{};
}

void Atlas::start(TaskGroup& tasks)
{
    tasks.spawn("paths: up to date", bring_up_to_date());
    tasks.spawn("paths: drawing", draw());
    tasks.spawn("paths: changes", store_changes());
    tasks.spawn("paths: expiry", expire_now_and_then());
}

Task<Status> Atlas::refresh(AgentId agent)
{
    auto found = co_await metadata_.read([&](store::MetadataTx& tx) { return read(tx, agent); });
    NW_CO_TRY(auto facts, std::move(found));
    take_facts(agent, std::move(facts));
    co_return Status{};
}

// Nothing when it has no paths, or is not to be measured.
std::optional<Atlas::Tracked> Atlas::tracked_from(const store::Agent& agent, const store::Probe& probe) const
{
    if (!agent.enabled || agent.deleted_us || !probe.enabled || probe.deleted_us) return std::nullopt;
    auto known = path_probe(kinds_, probe);
    if (!known) return std::nullopt;
    Tracked tracked{.workspace = agent.workspace, .kind = known->kind, .since_us = probe.updated_us};
    tracked.ends = std::move(known->ends);
    tracked.ends.agent = agent.id;
    tracked.interval_us = known->interval_us;
    return tracked;
}

void Atlas::take_facts(AgentId agent, Facts facts)
{
    auto before = std::exchange(by_agent_[agent], {});
    for (const auto& probe : facts.probes) {
        auto fresh = tracked_from(*facts.agent, probe);
        if (!fresh) continue;
        before.erase(probe.id);
        by_agent_[agent].insert(probe.id);
        const auto known = probes_.find(probe.id);
        // Of another target, nothing of what was seen before holds.
        if (known != probes_.end() && known->second.ends.target_name == fresh->ends.target_name) {
            known->second.ends = std::move(fresh->ends);
            known->second.interval_us = fresh->interval_us;
            continue;
        }
        if (known != probes_.end()) forget(probe.id);
        probes_.emplace(probe.id, *std::move(fresh));
        behind_.push_back(probe.id);
    }
    for (const auto probe : before) forget(probe);
    if (by_agent_[agent].empty()) by_agent_.erase(agent);
    behind_waiting_.cancel();
}

void Atlas::forget(ProbeId probe)
{
    const auto found = probes_.find(probe);
    if (found == probes_.end()) return;
    if (const auto graph = graphs_.find(found->second.workspace); graph != graphs_.end()) graph->second.remove(probe);
    probes_.erase(found);
}

void Atlas::take(std::span<const Rows> batches)
{
    for (const auto& rows : batches) {
        if (!topology::has_paths(*rows.kind)) continue;
        for (std::size_t i = 0; i < rows.size(); ++i) take_row(rows, i);
    }
    if (!to_draw_.empty()) drawing_waiting_.cancel();
}

// Of many runs of a probe that came at once, its part is drawn once.
Task<void> Atlas::draw()
{
    for (;;) {
        while (to_draw_.empty()) {
            drawing_waiting_.expires_at(std::chrono::steady_clock::time_point::max());
            (void)co_await drawing_waiting_.async_wait(nothrow);
        }
        for (std::size_t i = 0; i < kDrawnAtOnce && !to_draw_.empty(); ++i) {
            const auto probe = to_draw_.extract(to_draw_.begin()).value();
            if (const auto found = probes_.find(probe); found != probes_.end()) redraw(probe, found->second);
        }
        co_await asio::post(loop_, use_task);  // let others have their turn
    }
}

void Atlas::take_row(const Rows& rows, std::size_t row)
{
    const auto found = probes_.find(rows.probe[row]);
    if (found == probes_.end() || rows.at_us[row] < found->second.since_us) return;
    auto& [probe, tracked] = *found;
    auto run = topology::run_of(rows, row);
    if (!run) {
        ++stats_.runs_corrupt;
        log_.warn("{}: a run cannot be read: {}", to_text(probe), run.error().what);
        return;
    }
    ++stats_.runs;
    if (tracked.recent.add(*run)) to_draw_.insert(probe);
    if (tracked.ready) {
        follow(probe, tracked, *run);
        return;
    }
    tracked.waiting.push_back(*std::move(run));
    if (tracked.waiting.size() > kWaitingMax) tracked.waiting.pop_front();  // the store has it
}

topology::RouteTracker& Atlas::tracker_of(Tracked& tracked, const std::string& address)
{
    auto& trackers = tracked.trackers;
    const auto found = trackers.try_emplace(address).first;
    if (trackers.size() > kDestinationsMax) {
        // The one that was just made has seen nothing yet, and stays.
        auto oldest = trackers.end();
        for (auto one = trackers.begin(); one != trackers.end(); ++one)
            if (one != found && (oldest == trackers.end() || one->second.last_us() < oldest->second.last_us())) oldest = one;
        trackers.erase(oldest);
    }
    return found->second;
}

void Atlas::follow(ProbeId probe, Tracked& tracked, const topology::Run& run)
{
    if (run.hops.empty()) return;
    const auto change = tracker_of(tracked, run.address).add(run);
    if (!change || change->at_us <= tracked.told_us) return;
    tracked.told_us = change->confirmed_us;
    if (pending_.size() == kChangesPendingMax) {
        ++stats_.changes_dropped;
        log_.error("{}: a route change is not stored: too many wait", to_text(probe));
        return;
    }
    pending_.push_back({tracked.workspace, to_store(probe, *change)});
    pending_waiting_.cancel();
}

// Runs that began before are no longer part of what is now.
std::int64_t Atlas::horizon_us(const Tracked& tracked) const
{
    return to_us(clock_.wall()) - std::max<std::int64_t>(Micros(kWindow).count(), tracked.interval_us * 5 / 2);
}

void Atlas::redraw(ProbeId probe, const Tracked& tracked)
{
    auto& graph = graphs_[tracked.workspace];
    if (tracked.recent.newest_us() <= horizon_us(tracked)) graph.remove(probe);
    else graph.replace(probe, tracked.ends, tracked.recent.merged());
}

const topology::Graph* Atlas::graph(WorkspaceId workspace) const
{
    const auto found = graphs_.find(workspace);
    return found == graphs_.end() ? nullptr : &found->second;
}

// One probe after the other: this is in nobody's way.
Task<void> Atlas::bring_up_to_date()
{
    for (;;) {
        while (behind_.empty()) {
            behind_waiting_.expires_at(std::chrono::steady_clock::time_point::max());
            (void)co_await behind_waiting_.async_wait(nothrow);
        }
        const auto probe = behind_.front();
        behind_.pop_front();
        if (const auto done = co_await bring_up_to_date(probe); !done)
            log_.warn("{}: the paths of its last hours cannot be read: {}", to_text(probe), done.error().what);
    }
}

Task<Status> Atlas::bring_up_to_date(ProbeId probe)
{
    auto found = probes_.find(probe);
    if (found == probes_.end() || found->second.ready) co_return Status{};
    const auto now = to_us(clock_.wall());
    const auto workspace = found->second.workspace;
    const auto* kind = found->second.kind;
    const auto since = found->second.since_us;
    const auto back = std::clamp(found->second.interval_us * std::int64_t{kRunsReadMax}, kReadBackMinUs, kReadBackMaxUs);
    const auto last = co_await metadata_.read(
        [&](store::MetadataTx& tx) { return tx.path_changes(workspace).last(probe, store::kTimeMaxUs); });
    const auto runs = co_await read_runs(telemetry_, pool_, probe, *kind,
                                         {std::max({std::int64_t{0}, since, now - back}), store::kTimeMaxUs}, kRunsReadMax);
    // It may have been deleted, or changed its target, meanwhile.
    found = probes_.find(probe);
    if (found == probes_.end() || found->second.ready) co_return Status{};
    auto& tracked = found->second;
    tracked.ready = true;
    if (last && *last) tracked.told_us = (*last)->confirmed_us;
    if (runs) {
        stats_.runs_corrupt += runs->corrupt;
        for (const auto& run : runs->runs) {
            tracked.recent.add(run);
            follow(probe, tracked, run);
        }
    }
    for (const auto& run : std::exchange(tracked.waiting, {})) follow(probe, tracked, run);
    if (!tracked.recent.empty()) redraw(probe, tracked);
    if (!last) co_return std::unexpected(last.error());
    if (!runs) co_return std::unexpected(runs.error());
    co_return Status{};
}

Task<void> Atlas::store_changes()
{
    for (;;) {
        while (pending_.empty()) {
            pending_waiting_.expires_at(std::chrono::steady_clock::time_point::max());
            (void)co_await pending_waiting_.async_wait(nothrow);
        }
        const auto next = pending_.front();
        const auto added = co_await metadata_.write(
            [&](store::MetadataTx& tx) { return tx.path_changes(next.workspace).add(next.change); });
        if (!added && added.error().code != Errc::NotFound) {
            log_.error("a route change cannot be stored: {}", added.error().what);
            Timer pause(loop_);
            pause.expires_after(kRetryAfter);
            co_await pause.async_wait(use_task);
            continue;
        }
        pending_.pop_front();
        if (!added || !*added) continue;  // the probe is gone, or the change was known
        ++stats_.changes;
        if (listener_) listener_(next.workspace, next.change);
    }
}

void Atlas::expire()
{
    for (const auto& [probe, tracked] : probes_) {
        const auto graph = graphs_.find(tracked.workspace);
        if (graph != graphs_.end() && tracked.recent.newest_us() <= horizon_us(tracked)) graph->second.remove(probe);
    }
}

Task<void> Atlas::expire_now_and_then()
{
    Timer timer(loop_);
    for (;;) {
        timer.expires_after(kExpireEvery);
        co_await timer.async_wait(use_task);
        expire();
    }
}

AtlasStats Atlas::stats() const
{
    auto stats = stats_;
    stats.probes = probes_.size();
    stats.probes_to_draw = to_draw_.size();
    stats.changes_pending = pending_.size();
    for (const auto& [probe, tracked] : probes_) stats.probes_waiting += !tracked.ready;
    for (const auto& [workspace, graph] : graphs_) {
        stats.nodes += graph.node_count();
        stats.edges += graph.edge_count();
        stats.graphs_truncated += graph.truncated();
    }
    return stats;
}

}  // namespace nw::atlas
