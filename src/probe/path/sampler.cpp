#include "probe/path/sampler.hpp"

#include "model/kinds/path.hpp"
#include "probe/path/linux_port.hpp"

#include <algorithm>
#include <utility>

namespace nw::probe::path {
namespace {

constexpr std::size_t kReasonBytesMax = 512;

// Between two words of progress within a cycle.
constexpr Nanos kTellEvery = Millis(250);

}  // namespace

PathSampler::PathSampler(const EngineContext& context, std::unique_ptr<Port> port, HostNames::Lookup lookup)
    : context_(context), kind_(kinds::path), names_(context.loop, name_pool_, context.clock, std::move(lookup)),
      engine_(context, std::move(port), *this)
{}

PathSampler::~PathSampler() = default;

Status PathSampler::start(const ProbeSpec& spec)
{
    NW_TRY(const auto settings, settings_of(spec));
    return engine_.start(spec.id, settings, {});
}

Task<void> PathSampler::close()
{
    co_await engine_.close();
    co_await names_.close();
}

Status PathSampler::measure_once(const ProbeSpec& spec, ProgressSink sink)
{
    NW_TRY(const auto settings, settings_of(spec));
    waiting_[spec.id] = {.sink = std::move(sink), .told = context_.clock.instant()};
    auto status = engine_.start(spec.id, settings, {.first = FirstRun::OffBeat, .runs_max = 1});
    if (!status) waiting_.erase(spec.id);
    return status;
}

void PathSampler::stop(ProbeId probe)
{
    waiting_.erase(probe);
    engine_.stop(probe);
}

void PathSampler::tell_progress(TraceRef trace, Waiting& waiting)
{
    const auto& watched = *by_slot_[trace.slot];
    const auto now = context_.clock.instant();
    const auto cycles = watched.runs.empty() ? 0 : watched.runs.front().record.cycles_seen();
    if (cycles == waiting.cycles_told && now - waiting.told < kTellEvery) return;
    waiting.cycles_told = cycles;
    waiting.told = now;
    Progress progress{
        .steps_done = cycles, .steps = watched.cycles, .sample = make_sample(kind_, trace.probe, context_.clock.wall())};
    progress.sample.reason = watched.problem;
    if (!watched.runs.empty()) {
        const auto& run = watched.runs.front();
        progress.sample.address = run.address;
        fill_columns(run.record.totals(), hops_of(trace, run.record), run.record.paths(), progress.sample);
    }
    waiting.sink(progress);
}

std::size_t PathSampler::memory_of(ProbeId probe) const
{
    std::size_t bytes = 0;
    for (const auto& watched : by_slot_) {
        if (!watched || watched->probe != probe) continue;
        bytes += sizeof *watched + watched->evidence.memory();
        for (const auto& run : watched->runs) bytes += run.record.memory();
    }
    return bytes;
}

void PathSampler::begun(TraceRef trace, const PathSettings& settings)
{
    if (trace.slot >= by_slot_.size()) by_slot_.resize(trace.slot + 1);
    by_slot_[trace.slot] =
        std::make_unique<Watched>(Watched{.cycles = settings.cycles, .device = settings.device, .probe = trace.probe});
}

void PathSampler::target_changed(TraceRef trace, const std::optional<packet::Address>& address, std::string_view problem)
{
    auto& watched = *by_slot_[trace.slot];
    // Another destination is another path: what was seen on the way to the old one says nothing about it.
    if (address && watched.address && *address != *watched.address) watched.evidence = {};
    if (address) watched.address = address;
    watched.problem = problem;
}

void PathSampler::explored(TraceRef trace, const Exploration& found)
{
    by_slot_[trace.slot]->evidence.keep_only(found.flows);
}

void PathSampler::run_begun(TraceRef trace, const RunStart& run)
{
    auto& watched = *by_slot_[trace.slot];
    auto& begun = watched.runs.emplace_back(RunRecord(run.number, run.flows, watched.cycles));
    if (watched.address) begun.address = watched.address->view();
}

void PathSampler::probe_settled(TraceRef trace, const Settled& settled)
{
    auto& watched = *by_slot_[trace.slot];
    if (settled.purpose == Purpose::Measure) {
        watched.evidence.add(settled);
        const auto run = std::ranges::find(watched.runs, settled.run, [](const Run& each) { return each.record.number(); });
        if (run != watched.runs.end()) run->record.add(settled);
    }
    if (const auto waiting = waiting_.find(trace.probe); waiting != waiting_.end()) tell_progress(trace, waiting->second);
}

void PathSampler::run_finished(TraceRef trace, const RunEnd& end, std::optional<Micros> resolved_in)
{
    auto& watched = *by_slot_[trace.slot];
    const auto run = std::ranges::find(watched.runs, end.number, [](const Run& each) { return each.record.number(); });
    if (run != watched.runs.end()) run->record.follow(watched.tail);
    auto sample = sample_of(trace, end, run == watched.runs.end() ? nullptr : &*run);
    if (resolved_in) sample.numbers[*kind_.column_index("resolve_us")] = resolved_in->count();
    if (run != watched.runs.end()) {
        watched.tail = run->record.tail();
        watched.runs.erase(run);
    }
    const auto waiting = waiting_.find(trace.probe);
    if (waiting == waiting_.end()) return context_.sink(std::move(sample));
    const auto who = std::move(waiting->second);
    waiting_.erase(waiting);
    who.sink({.steps_done = watched.cycles, .steps = watched.cycles, .sample = std::move(sample), .done = true});
}

void PathSampler::ended(TraceRef trace) { by_slot_[trace.slot].reset(); }

const Verdicts& PathSampler::judge(TraceRef trace) const
{
    auto& watched = *by_slot_[trace.slot];
    const auto newest = watched.evidence.newest();
    const auto hops = watched.evidence.hops();
    const auto tenth = std::min<std::uint64_t>(newest, kRoundsMax) / 10;
    if (watched.verdicts.empty() || hops != watched.judged_hops || newest - watched.judged_at >= tenth) {
        watched.verdicts = watched.evidence.judge(engine_.frontier(trace));
        watched.judged_at = newest;
        watched.judged_hops = hops;
    }
    return watched.verdicts;
}

std::vector<PathHop> PathSampler::hops_of(TraceRef trace, const RunRecord& record) const
{
    const auto& watched = *by_slot_[trace.slot];
    auto hops = record.hops(judge(trace));
    for (auto& hop : hops) {
        const auto address =
            packet::address_from({reinterpret_cast<const std::uint8_t*>(hop.address.data()), hop.address.size()});
        if (address) hop.name = names_.name_of(*address, watched.device);
    }
    return hops;
}

Sample PathSampler::sample_of(TraceRef trace, const RunEnd& end, const Run* run)
{
    auto sample = make_sample(kind_, trace.probe, engine_.to_wall(end.start));
    const auto totals = run ? run->record.totals() : RunTotals{};
    conclude(end, totals, sample);
    sample.reason.resize(std::min(sample.reason.size(), kReasonBytesMax));
    if (!run) return sample;
    sample.address = run->address;
    if (end.sent == 0) return sample;
    auto hops = hops_of(trace, run->record);
    if (const auto mtu = std::exchange(by_slot_[trace.slot]->mtu, std::nullopt); mtu && totals.trips.received() > 0) {
        place_mtu(*mtu, hops);
        if (mtu->mtu) sample.numbers[*kind_.column_index("mtu")] = *mtu->mtu;
        if (mtu->black_hole_after) sample.numbers[*kind_.column_index("black_hole_ttl")] = *mtu->black_hole_after;
    }
    fill_columns(totals, hops, run->record.paths(), sample);
    return sample;
}

void PathSampler::conclude(const RunEnd& end, const RunTotals& totals, Sample& sample) const
{
    sample.outcome = end.outcome;
    sample.reason = end.reason;
    if (totals.trips.received() > 0) {
        sample.outcome = Outcome::Ok;
        sample.reason.clear();
    } else if (totals.trips.sent() == 0 && end.trouble) {
        // Of what was sent, nothing counts for the destination.
        sample.outcome = end.trouble->outcome;
        sample.reason = end.trouble->why;
    }
}

std::unique_ptr<PathSampler> make_path_sampler(const EngineContext& context)
{
    auto sampler = std::make_unique<PathSampler>(context, std::make_unique<LinuxPort>(context.random, context.devices),
                                                 look_up_host_name);
    sampler->run();
    return sampler;
}

}  // namespace nw::probe::path
