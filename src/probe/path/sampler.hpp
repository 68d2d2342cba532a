// Path probes as the agent sees them: the path engine (engine.hpp), and what it settles put together to one sample per
// run. A single run that somebody waits for goes the same way.
//
// 1. Every run gives one sample, whatever happened: runs that were missed or could not be sent have no columns.
// 2. Counts and delays of a run are of its own probes; what the missing answers mean is judged from the last 300 probes
//    to each hop, over several runs (evidence.hpp).
//    It is judged anew when a tenth of them are new, or the path has changed: it takes milliseconds where much is lost.
// 3. What was found of the path MTU is told by the next run that ends.
// 4. Names of hops are looked up beside, by threads of their own, and are there when they are known by the end of a run.
//    For a probe that is bound to an interface nothing is looked up: the question would leave elsewhere.
#pragma once

#include "probe/engine.hpp"
#include "probe/path/engine.hpp"
#include "probe/path/evidence.hpp"
#include "probe/path/host_names.hpp"
#include "probe/path/run_record.hpp"

#include <memory>
#include <unordered_map>
#include <vector>

namespace nw::probe::path {

class PathSampler final : public Engine, private PathObserver {
public:
    PathSampler(const EngineContext& context, std::unique_ptr<Port> port, HostNames::Lookup lookup);
    ~PathSampler() override;

    const Kind& kind() const override { return kind_; }
    Status start(const ProbeSpec& spec) override;
    // Tells its progress with each cycle, and now and then between.
    Status measure_once(const ProbeSpec& spec, ProgressSink sink) override;
    void stop(ProbeId probe) override;
    EngineHealth health() override { return engine_.health(); }
    Task<void> close() override;

    void run() { engine_.run(); }
    void turn() { engine_.turn(); }
    bool is_idle() const { return engine_.idle(); }
    // In bytes, of what is kept of a probe beside the engine; 0: not running.
    std::size_t memory_of(ProbeId probe) const;

private:
    struct Run {
        RunRecord record;
        std::string address{};
    };
    // What is known of one target of the engine.
    struct Watched {
        std::uint32_t cycles = 0;
        std::string device{};  // that its packets are bound to
        std::optional<packet::Address> address{};
        std::string problem{};
        Evidence evidence{};
        Verdicts verdicts{};
        std::uint64_t judged_at = 0;  // the evidence's newest round and number of hops then
        std::size_t judged_hops = 0;
        std::vector<Run> runs{};
        RunTail tail{};
        std::optional<MtuFound> mtu{};  // that the next run to end reports
        ProbeId probe{};
    };
    // Somebody who waits for a run.
    struct Waiting {
        ProgressSink sink{};
        std::uint32_t cycles_told = 0;
        Instant told{};
    };

    void begun(TraceRef trace, const PathSettings& settings) override;
    void target_changed(TraceRef trace, const std::optional<packet::Address>& address, std::string_view problem) override;
    void explored(TraceRef trace, const Exploration& found) override;
    void mtu_searched(TraceRef trace, const MtuFound& found) override { by_slot_[trace.slot]->mtu = found; }
    void run_begun(TraceRef trace, const RunStart& run) override;
    void probe_settled(TraceRef trace, const Settled& settled) override;
    void run_finished(TraceRef trace, const RunEnd& run, std::optional<Micros> resolved_in) override;
    void ended(TraceRef trace) override;
    void idle() override {}

    Sample sample_of(TraceRef trace, const RunEnd& end, const Run* run);
    const Verdicts& judge(TraceRef trace) const;
    std::vector<PathHop> hops_of(TraceRef trace, const RunRecord& record) const;
    void tell_progress(TraceRef trace, Waiting& waiting);
    void conclude(const RunEnd& end, const RunTotals& totals, Sample& sample) const;

    EngineContext context_;
    const Kind& kind_;
    Pool name_pool_{2};
    mutable HostNames names_;
    PathEngine engine_;
    std::vector<std::unique_ptr<Watched>> by_slot_{};
    std::unordered_map<ProbeId, Waiting> waiting_{};
};

// The engine on the real network, turning.
std::unique_ptr<PathSampler> make_path_sampler(const EngineContext& context);

}  // namespace nw::probe::path
