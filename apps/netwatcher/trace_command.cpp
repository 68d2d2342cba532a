#include "trace_command.hpp"

#include "probe/path/engine.hpp"
#include "session.hpp"
#include "trace_output.hpp"

#include <algorithm>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace nw::cli {
namespace {

using probe::path::Settled;
using probe::path::TraceRef;

constexpr std::uint64_t kCyclesOffTerminal = 10;
// Without an end, a run is as long as that: at its beginning, a target that does not answer is looked for anew.
constexpr std::uint32_t kCyclesPerRun = 60;
constexpr Nanos kRedrawEvery = Millis(250);
// In the first second, while the path is being found.
constexpr Nanos kRedrawAtFirst = Millis(50);
constexpr auto kHomeAndClear = "\x1b[H\x1b[J";

std::size_t terminal_columns()
{
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 120;
}

class TraceRun final : private probe::path::PathObserver {
public:
    explicit TraceRun(TraceOptions options)
        : options_(std::move(options)),
          names_(session_.loop(), session_.pool(), session_.clock(), probe::path::look_up_host_name),
          printer_(options_.format, options_.numeric ? nullptr : &names_, options_.settings.device),
          redraw_(session_.loop()), live_(options_.format == Format::Text && isatty(STDOUT_FILENO) == 1),
          engine_(probe::path::make_path_engine(session_.context({}, 10'000), *this))
    {}

    Result<ExitCode> run(const std::vector<std::string>& targets)
    {
        for (const auto& target : targets) targets_.push_back({.name = target});
        session_.beside("draw", draw_now_and_then());
        auto settings = options_.settings;
        const auto cycles = options_.cycles != 0 ? options_.cycles : live_ ? 0 : kCyclesOffTerminal;
        settings.cycles = cycles == 0 ? kCyclesPerRun : std::uint32_t(cycles);
        settings.interval = settings.spacing * settings.cycles;
        const probe::StartOptions start{.first = probe::FirstRun::OffBeat, .runs_max = cycles == 0 ? ~0ULL : 1};
        const auto started = session_.run(
            targets,
            [&](std::size_t index, const std::string& target) {
                settings.target = target;
                return engine_->start(ProbeId(index + 1), settings, start);
            },
            [this] { return close(); });
        if (!started) return std::unexpected(started.error());
        write(std::exchange(pending_, {}));
        if (live_) write(kHomeAndClear + printer_.screen(views(), terminal_columns()));
        else write(printer_.report(views()));
        std::vector<TargetEnd> ends;
        for (const auto& target : targets_) ends.push_back(end_of(target));
        return exit_code(ends);
    }

private:
    TraceTarget& target_of(TraceRef trace) { return targets_[std::size_t(trace.probe) - 1]; }

    void begun(TraceRef, const probe::path::PathSettings&) override {}
    void run_begun(TraceRef, const probe::path::RunStart&) override {}
    void ended(TraceRef) override {}
    void mtu_searched(TraceRef trace, const probe::path::MtuFound& found) override { target_of(trace).mtu = found; }
    void probe_settled(TraceRef probe, const Settled& settled) override
    {
        auto& target = target_of(probe);
        target.table.add(settled);
        if (settled.state == probe::path::ProbeState::Unsent) target.problem = settled.reason;
        pending_ += printer_.probe(target, settled, engine_->to_wall(settled.sent));
    }
    void explored(TraceRef probe, const probe::path::Exploration& found) override
    {
        target_of(probe).branches = found;
        target_of(probe).table.keep_only(found.flows);
    }
    void run_finished(TraceRef probe, const probe::path::RunEnd& run, std::optional<Micros>) override
    {
        auto& target = target_of(probe);
        target.late += run.late;
        target.duplicates += run.duplicates;
        if (run.outcome == Outcome::Ok) target.problem.clear();
        else target.problem = run.reason;
        target.measured = target.measured || run.sent > 0;
    }
    void target_changed(TraceRef probe, const std::optional<packet::Address>& address, std::string_view problem) override
    {
        target_of(probe).address = address;
        target_of(probe).problem = problem;
    }
    void idle() override { session_.finish(); }

    std::vector<TraceView> views() const
    {
        std::vector<TraceView> all;
        for (std::size_t i = 0; i < targets_.size(); ++i)
            all.push_back({targets_[i], targets_[i].table.rows(engine_->frontier(ProbeId(i + 1)))});
        return all;
    }

    void write(const std::string& text)
    {
        std::fwrite(text.data(), 1, text.size(), stdout);
        if (std::fflush(stdout) != 0) session_.finish();  // the reader has gone away
    }

    Task<void> draw_now_and_then()
    {
        const auto& clock = session_.clock();
        const auto started = clock.instant();
        for (;;) {
            const auto began = clock.instant();
            const auto every = began - started < Seconds(1) ? kRedrawAtFirst : kRedrawEvery;
            if (live_) write(kHomeAndClear + printer_.screen(views(), terminal_columns()));
            else if (!pending_.empty()) write(std::exchange(pending_, {}));
            // Many hops that limit take a while to judge: no more than a tenth of the time goes into that.
            redraw_.expires_after(std::max<Nanos>(every, (clock.instant() - began) * 10));
            co_await redraw_.async_wait(nothrow);
            if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
        }
    }

    Task<void> close()
    {
        co_await engine_->close();
        co_await names_.close();
    }

    static TargetEnd end_of(const TraceTarget& target)
    {
        if (!target.measured && !target.problem.empty()) return TargetEnd::NotMeasured;
        return target.table.reached() ? TargetEnd::Answered : TargetEnd::Unanswered;
    }

    TraceOptions options_;
    Session session_{"trace"};
    probe::path::HostNames names_;
    std::vector<TraceTarget> targets_{};
    TracePrinter printer_;
    Timer redraw_;
    std::string pending_{};
    bool live_;
    std::unique_ptr<probe::path::PathEngine> engine_;
};

}  // namespace

Result<ExitCode> run_trace(TraceOptions options)
{
    NW_TRY(const auto targets, open_session(options.targets, options.list));
    return TraceRun(std::move(options)).run(targets);
}

}  // namespace nw::cli
