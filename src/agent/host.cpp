#include "agent/host.hpp"

#include <algorithm>

namespace nw::agent {

probe::Engine* Host::engine_of(const Kind& kind)
{
    const auto found =
        std::ranges::find_if(engines_, [&](const auto& engine) { return engine->kind().number == kind.number; });
    return found == engines_.end() ? nullptr : found->get();
}

std::vector<wire::ProbeProblem> Host::apply(const Change& change)
{
    for (const auto probe : change.stop) {
        const auto running = by_probe_.find(probe);
        if (running == by_probe_.end()) continue;
        running->second->stop(probe);
        by_probe_.erase(running);
    }
    std::vector<wire::ProbeProblem> problems;
    for (const auto& spec : change.start) {
        auto* engine = engine_of(*spec.kind);
        const auto running = by_probe_.find(spec.id);
        if (running != by_probe_.end() && running->second != engine) {
            running->second->stop(spec.id);
            by_probe_.erase(running);
        }
        auto status = engine ? engine->start(spec) : Status(fail(Errc::Invalid, "this agent has no engine for it"));
        if (status) {
            by_probe_[spec.id] = engine;
            continue;
        }
        problems.push_back({spec.id, std::move(status).error().what});
        // An edit that cannot be measured ends what was measured before: it is not wanted any more.
        if (const auto old = by_probe_.find(spec.id); old != by_probe_.end()) {
            old->second->stop(spec.id);
            by_probe_.erase(old);
        }
    }
    return problems;
}

Status Host::measure_once(const ProbeSpec& spec, probe::ProgressSink sink)
{
    auto* engine = engine_of(*spec.kind);
    if (!engine) return fail(Errc::Invalid, "this agent has no engine for it");
    NW_CHECK(engine->measure_once(spec, [this, id = spec.id, sink = std::move(sink)](const probe::Progress& progress) {
        if (progress.done) once_.erase(id);
        sink(progress);
    }));
    once_[spec.id] = engine;
    return {};
}

void Host::stop_once(ProbeId probe)
{
    const auto running = once_.find(probe);
    if (running == once_.end()) return;
    running->second->stop(probe);
    once_.erase(running);
}

void Host::stop_all()
{
    for (const auto& [probe, engine] : once_) engine->stop(probe);
    once_.clear();
    for (const auto& [probe, engine] : by_probe_) engine->stop(probe);
    by_probe_.clear();
}

std::vector<std::uint32_t> Host::kinds() const
{
    std::vector<std::uint32_t> numbers;
    for (const auto& engine : engines_) numbers.push_back(engine->kind().number);
    return numbers;
}

probe::EngineHealth Host::health()
{
    probe::EngineHealth total;
    for (const auto& engine : engines_) {
        const auto health = engine->health();
        total.packets_sent += health.packets_sent;
        total.socket_drops += health.socket_drops;
        total.lateness_p99 = std::max(total.lateness_p99, health.lateness_p99);
    }
    return total;
}

Task<void> Host::close()
{
    for (const auto& engine : engines_) co_await engine->close();
}

}  // namespace nw::agent
