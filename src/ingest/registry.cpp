#include "ingest/registry.hpp"

#include "base/digest.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "ingest/twins.hpp"
#include "store/metadata/settings_json.hpp"

#include <algorithm>
#include <utility>

namespace nw::ingest {
namespace {

constexpr std::chrono::seconds kSeenEvery{30};
constexpr std::size_t kWritesPerTransaction = 500;

// Stored settings that this program refuses (an older or newer one wrote them) are left out and logged: the others
// go on measuring.
std::optional<ProbeSpec> spec_of(const store::Probe& probe, const Kinds& kinds, const Log& log)
{
    const auto* kind = kinds.by_name(probe.kind);
    if (!kind) {
        log.warn("{}: this controller does not know the kind {}", to_text(probe.id), probe.kind);
        return std::nullopt;
    }
    auto given = store::settings_from_text(probe.settings);
    auto settings = given ? validated(*kind, *given) : std::move(given);
    if (!settings) {
        log.warn("{}: {}", to_text(probe.id), settings.error().what);
        return std::nullopt;
    }
    return ProbeSpec{
        .id = probe.id, .revision = std::uint32_t(probe.revision), .kind = kind, .settings = *std::move(settings)};
}

}  // namespace

Registry::Registry(Executor loop, store::Metadata& metadata, const Kinds& kinds, const Clock& clock, Log log)
    : loop_(loop), metadata_(metadata), kinds_(kinds), clock_(clock), log_(std::move(log)), writes_waiting_(loop)
{}

void Registry::start(TaskGroup& tasks)
{
    tasks.spawn("agent registry writer", write_loop());
    tasks.spawn("agent silence watch", watch_silence());
}

Result<Registry::Loaded> Registry::read(store::MetadataTx& tx, AgentId id)
{
    Loaded loaded;
    NW_TRY(loaded.agent, tx.agent_sessions().find(id));
    NW_TRY(loaded.probes, tx.agent_sessions().probes(id));
    NW_TRY(loaded.ever, tx.agent_sessions().probes_ever(id));
    NW_TRY(loaded.former, tx.agent_sessions().former_credentials(id));
    NW_TRY(loaded.network, tx.agent_sessions().network_mark(id));
    return loaded;
}

Task<Status> Registry::load()
{
    auto all = co_await metadata_.write([&](store::MetadataTx& tx) -> Result<std::vector<Loaded>> {
        NW_CHECK(tx.agent_sessions().close_all_connections("the controller ended"));
        NW_TRY(const auto agents, tx.agent_sessions().all());
        std::vector<Loaded> result;
        for (const auto& agent : agents) {
            NW_TRY(auto loaded, read(tx, agent.id));
            result.push_back(std::move(loaded));
        }
        return result;
    });
    NW_CO_TRY(auto loaded, std::move(all));
    for (auto& one : loaded) {
        const auto id = one.agent->id;
        take(id, std::move(one));
    }
    co_return Status{};
}

Registry::Entry Registry::make_entry(const Loaded& loaded) const
{
    const auto& agent = *loaded.agent;
    Entry entry{.workspace = agent.workspace,
                .credential_hash = agent.credential_hash,
                .former_hashes = loaded.former,
                .network = loaded.network,
                .network_stored = loaded.network};
    // Deleted agents are kept, so that who has their credential is told that it is revoked, not that it is unknown.
    if (agent.deleted_us) return entry;
    entry.may_report.insert(loaded.ever.begin(), loaded.ever.end());
    auto desired = std::make_shared<DesiredState>();
    desired->number = agent.state_number;
    for (const auto& probe : loaded.probes) {
        if (!agent.enabled || !probe.enabled) continue;
        if (auto spec = spec_of(probe, kinds_, log_)) desired->probes.push_back(*std::move(spec));
    }
    std::ranges::sort(desired->probes, {}, &ProbeSpec::id);
    entry.desired = std::move(desired);
    return entry;
}

void Registry::take(AgentId id, Loaded loaded)
{
    if (!loaded.agent) return;
    auto fresh = make_entry(loaded);
    auto& entry = agents_[id];
    fresh.live = std::move(entry.live);
    fresh.seen_written = entry.seen_written;
    // What is on its way to the store is newer than what was read from there.
    if (entry.network != store::NetworkMark{}) {
        fresh.network = entry.network;
        fresh.network_stored = entry.network_stored;
    }
    entry = std::move(fresh);
}

Task<Status> Registry::refresh(AgentId agent)
{
    const auto before = desired(agent);
    auto loaded = co_await metadata_.read([&](store::MetadataTx& tx) { return read(tx, agent); });
    NW_CO_TRY(auto fresh, std::move(loaded));
    take(agent, std::move(fresh));
    const auto after = desired(agent);
    const bool differs = !before != !after || (before && after && before->number != after->number);
    if (differs && state_changed_) state_changed_(agent);
    co_return Status{};
}

Standing Registry::standing(AgentId claimed, std::string_view secret) const
{
    const auto hash = sha256(secret);
    const auto found = agents_.find(claimed);
    if (found == agents_.end()) return Standing::Unknown;
    const auto& entry = found->second;
    if (equal_secrets(entry.credential_hash, hash)) return entry.desired ? Standing::Valid : Standing::Revoked;
    const bool former = std::ranges::any_of(entry.former_hashes, [&](const auto& old) { return equal_secrets(old, hash); });
    return former ? Standing::Revoked : Standing::Unknown;
}

AgentLive Registry::live(AgentId agent) const
{
    const auto found = agents_.find(agent);
    if (found == agents_.end()) return {};
    auto live = found->second.live;
    if (live.twin && clock_.wall() - live.twin->at > kTwinWindow) live.twin.reset();
    return live;
}

std::optional<WorkspaceId> Registry::workspace_of(AgentId agent) const
{
    const auto found = agents_.find(agent);
    if (found == agents_.end() || !found->second.desired) return std::nullopt;
    return found->second.workspace;
}

RegistryStats Registry::stats() const
{
    RegistryStats stats{.writes_pending = writes_.size(), .writes_dropped = writes_dropped_};
    for (const auto& [id, entry] : agents_) {
        stats.agents += entry.desired != nullptr;
        stats.connected += entry.live.connected;
    }
    return stats;
}

std::shared_ptr<const DesiredState> Registry::desired(AgentId agent)
{
    const auto found = agents_.find(agent);
    return found == agents_.end() ? nullptr : found->second.desired;
}

bool Registry::may_report(AgentId agent, ProbeId probe)
{
    const auto found = agents_.find(agent);
    return found != agents_.end() && found->second.may_report.contains(probe);
}

void Registry::on_connected(const SessionFacts& facts)
{
    auto& entry = agents_[facts.agent];
    entry.live.connected = true;
    entry.live.silent = false;
    entry.live.last_seen = facts.since;
    entry.live.applied_state_number = facts.state_number;
    entry.seen_written = facts.since;
    write_behind([facts](store::MetadataTx& tx) -> Status {
        auto sessions = tx.agent_sessions();
        NW_CHECK(sessions.record_facts(facts.agent, {.hostname = facts.hostname,
                                                     .os = facts.os,
                                                     .arch = facts.arch,
                                                     .version = facts.version,
                                                     .address = facts.remote,
                                                     .gateway = facts.gateway,
                                                     .resolver = facts.resolver}));
        NW_CHECK(sessions.record_seen(facts.agent, facts.since, std::nullopt, std::nullopt));
        NW_CHECK(sessions.close_connection(facts.agent, facts.since, "replaced by a newer connection"));
        return sessions.open_connection(facts.agent, facts.since, facts.remote, facts.version, facts.boot);
    });
    changed(facts.agent, entry);
}

void Registry::on_disconnected(AgentId agent, std::string_view why, bool replaced)
{
    auto& entry = agents_[agent];
    if (!replaced) entry.live.connected = false;
    const auto now = clock_.wall();
    if (!replaced) {
        write_behind([agent, now, why = std::string(why)](store::MetadataTx& tx) -> Status {
            NW_CHECK(tx.agent_sessions().record_seen(agent, now, std::nullopt, std::nullopt));
            return tx.agent_sessions().close_connection(agent, now, why);
        });
    }
    changed(agent, entry);
}

void Registry::on_health(AgentId agent, const AgentHealth& health, std::int64_t clock_offset_us,
                         std::uint64_t clock_uncertainty_us, WallTime received_at)
{
    auto& entry = agents_[agent];
    entry.live.health = health;
    entry.live.silent = false;
    entry.live.last_seen = received_at;
    if (clock_uncertainty_us > 0) {
        entry.live.clock_offset_us = clock_offset_us;
        entry.live.clock_uncertainty_us = clock_uncertainty_us;
    }
    changed(agent, entry);
    if (entry.seen_written && received_at - *entry.seen_written < kSeenEvery) return;
    entry.seen_written = received_at;
    write_behind([agent, received_at, offset = entry.live.clock_offset_us,
                  uncertainty = entry.live.clock_uncertainty_us](store::MetadataTx& tx) {
        const auto bound = uncertainty ? std::optional(std::int64_t(*uncertainty)) : std::nullopt;
        return tx.agent_sessions().record_seen(agent, received_at, offset, bound);
    });
}

void Registry::on_state_applied(AgentId agent, std::uint64_t number, std::span<const wire::ProbeProblem> problems)
{
    auto& entry = agents_[agent];
    entry.live.applied_state_number = number;
    entry.live.problems.clear();
    for (const auto& problem : problems) entry.live.problems.emplace_back(problem.probe, problem.what);
    changed(agent, entry);
}

void Registry::on_twin(AgentId agent, std::string_view one, std::string_view other, WallTime at)
{
    auto& entry = agents_[agent];
    const bool known = entry.live.twin && at - entry.live.twin->at < kTwinWindow;
    entry.live.twin = AgentTwin{std::string(one), std::string(other), at};
    log_.warn("{}: processes at {} and {} use the same credential", to_text(agent), one, other);
    changed(agent, entry);
    if (known) return;
    // Once, and not at every turn of theirs.
    JsonWriter detail;
    detail.object().key("addresses").array().text(one).text(other).end_array().end_object();
    write_behind([agent, workspace = entry.workspace, at, address = std::string(one),
                  text = std::move(detail).str()](store::MetadataTx& tx) -> Status {
        NW_TRY(const auto row, tx.agent_sessions().find(agent));
        return tx.audit().add({.workspace = workspace,
                               .at_us = to_us(at),
                               .actor = "system",
                               .action = "agent.credential_shared",
                               .subject_type = "agent",
                               .subject = to_text(agent),
                               .subject_name = row ? row->name : "",
                               .detail = text,
                               .address = address});
    });
}

void Registry::on_event(AgentId agent, std::string_view what) { log_.warn("{}: {}", to_text(agent), what); }

void Registry::changed(AgentId agent, const Entry& entry)
{
    if (agent_changed_ && entry.workspace != WorkspaceId{}) agent_changed_(entry.workspace, agent);
}

std::uint64_t Registry::interfaces_number(AgentId agent, StreamId stream)
{
    const auto& mark = agents_[agent].network_stored;
    return mark.stream == stream ? mark.number : 0;
}

// What is not stored in the end is asked for again at the next greeting.
void Registry::on_interfaces(AgentId agent, StreamId stream, wire::Interfaces report)
{
    auto& entry = agents_[agent];
    const store::NetworkMark mark{.stream = stream, .number = report.number};
    if (entry.network.stream == stream && report.number <= entry.network.number) return;
    entry.network = mark;
    const bool queued =
        write_behind([agent, mark, report = std::move(report)](
                         store::MetadataTx& tx) { return tx.agent_sessions().record_network(agent, mark, report); },
                     [this, agent, mark](bool stored) { interfaces_written(agent, mark, stored); });
    if (!queued) entry.network = entry.network_stored;
}

void Registry::interfaces_written(AgentId agent, store::NetworkMark mark, bool stored)
{
    auto& entry = agents_[agent];
    if (!stored) {
        entry.network = entry.network_stored;
    } else if (entry.network.stream == mark.stream && mark.number <= entry.network.number) {
        // Otherwise one before it was not stored, and both are asked for again.
        entry.network_stored = mark;
        if (interfaces_stored_) interfaces_stored_(agent, mark.stream, mark.number);
    }
    changed(agent, entry);
}

bool Registry::write_behind(std::function<Status(store::MetadataTx&)> work, std::function<void(bool)> done)
{
    if (writes_.size() >= kWritesPendingMax) {
        ++writes_dropped_;
        return false;
    }
    writes_.push_back({std::move(work), std::move(done)});
    writes_waiting_.cancel();
    return true;
}

// Many agents that come back at once cost few transactions: all that waits goes into the next one.
Task<void> Registry::write_loop()
{
    for (;;) {
        while (writes_.empty()) {
            writes_waiting_.expires_at(std::chrono::steady_clock::time_point::max());
            (void)co_await writes_waiting_.async_wait(nothrow);
        }
        std::vector<Write> batch;
        while (!writes_.empty() && batch.size() < kWritesPerTransaction) {
            batch.push_back(std::move(writes_.front()));
            writes_.pop_front();
        }
        const auto written = co_await metadata_.write([&](store::MetadataTx& tx) -> Status {
            for (auto& write : batch) NW_CHECK(write.work(tx));
            return {};
        });
        if (!written) log_.error("what agents said of themselves could not be stored: {}", written.error().what);
        for (auto& write : batch)
            if (write.done) write.done(written.has_value());
    }
}

Task<void> Registry::watch_silence()
{
    Timer timer(loop_);
    for (;;) {
        timer.expires_after(std::chrono::seconds(5));
        co_await timer.async_wait(use_task);
        const auto now = clock_.wall();
        for (auto& [id, entry] : agents_) {
            const bool silent = entry.live.connected && entry.live.last_seen && now - *entry.live.last_seen > kSilentAfter;
            if (silent == entry.live.silent) continue;
            entry.live.silent = silent;
            changed(id, entry);
        }
    }
}

}  // namespace nw::ingest
