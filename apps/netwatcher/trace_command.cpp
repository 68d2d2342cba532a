#include "trace_command.hpp"

#include "probe/path/engine.hpp"
#include "probe/policy.hpp"
#include "trace_output.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace nw::cli {
namespace {

using probe::path::Settled;

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
    TraceRun(TraceOptions options, std::vector<std::string> targets)
        : options_(std::move(options)), pool_(4), resolver_(loop_, pool_, clock_),
          names_(loop_, pool_, clock_, probe::path::system_host_name),
          printer_(options_.format, options_.numeric ? nullptr : &names_), signals_(loop_, SIGINT, SIGTERM), redraw_(loop_),
          live_(options_.format == Format::Text && isatty(STDOUT_FILENO) == 1),
          engine_(probe::path::make_path_engine({.loop = loop_,
                                                 .pool = pool_,
                                                 .clock = clock_,
                                                 .random = random_,
                                                 .resolver = resolver_,
                                                 .policy = policy_,
                                                 .sink = {},
                                                 .log = Log(make_stderr_sink(), "trace", LogLevel::Warn)},
                                                *this)),
          tasks_(loop_.get_executor(), Log())
    {
        for (auto& target : targets) targets_.push_back({.name = std::move(target)});
    }

    Result<ExitCode> run()
    {
        const auto started = start_all();
        if (started) {
            signals_.async_wait([this](const boost::system::error_code& error, int) { done_ = done_ || !error; });
            tasks_.spawn("draw", draw_now_and_then());
            while (!done_) loop_.run_one();
        }
        signals_.cancel();
        bool closed = false;
        asio::co_spawn(loop_, close(), [&](std::exception_ptr) { closed = true; });
        while (!closed) loop_.run_one();
        if (!started) return std::unexpected(started.error());
        if (live_) write(kHomeAndClear + printer_.screen(views(), terminal_columns()));
        else write(printer_.report(views()));
        return exit_code();
    }

private:
    Status start_all()
    {
        auto settings = options_.settings;
        const auto cycles = options_.cycles != 0 ? options_.cycles : live_ ? 0 : kCyclesOffTerminal;
        settings.cycles = cycles == 0 ? kCyclesPerRun : std::uint32_t(cycles);
        cycles_per_run_ = settings.cycles;
        settings.interval = settings.spacing * settings.cycles;
        const probe::path::StartOptions start{.first = probe::path::FirstRun::OffBeat, .runs_max = cycles == 0 ? ~0ULL : 1};
        for (std::size_t i = 0; i < targets_.size(); ++i) {
            settings.target = targets_[i].name;
            if (auto status = engine_->start(ProbeId(i + 1), settings, start); !status)
                return std::unexpected(std::move(status).error().while_doing(settings.target));
        }
        return {};
    }

    TraceTarget& target_of(ProbeId probe) { return targets_[std::size_t(probe) - 1]; }

    void probe_settled(ProbeId probe, const Settled& settled) override
    {
        auto& target = target_of(probe);
        target.table.add(settled);
        if (settled.state == probe::path::ProbeState::Unsent) target.problem = settled.reason;
        pending_ +=
            printer_.probe(target, settled, settled.run * cycles_per_run_ + settled.cycle, engine_->to_wall(settled.sent));
    }
    void explored(ProbeId probe, const probe::path::Exploration& found) override
    {
        target_of(probe).branches = found;
        target_of(probe).table.keep_only(found.flows);
    }
    void run_finished(ProbeId probe, const probe::path::RunEnd& run) override
    {
        auto& target = target_of(probe);
        target.late += run.late;
        target.duplicates += run.duplicates;
        if (run.outcome == Outcome::Ok) target.problem.clear();
        else target.problem = run.reason;
        target.measured = target.measured || run.sent > 0;
    }
    void target_changed(ProbeId probe, const std::optional<packet::Address>& address, std::string_view problem) override
    {
        target_of(probe).address = address;
        target_of(probe).problem = problem;
    }
    void idle() override { done_ = true; }

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
        if (std::fflush(stdout) != 0) done_ = true;  // the reader has gone away
    }

    Task<void> draw_now_and_then()
    {
        const auto started = clock_.instant();
        for (;;) {
            const auto began = clock_.instant();
            const auto every = began - started < Seconds(1) ? kRedrawAtFirst : kRedrawEvery;
            if (live_) write(kHomeAndClear + printer_.screen(views(), terminal_columns()));
            else if (!pending_.empty()) write(std::exchange(pending_, {}));
            // Many hops that limit take a while to judge: no more than a tenth of the time goes into that.
            redraw_.expires_after(std::max<Nanos>(every, (clock_.instant() - began) * 10));
            co_await redraw_.async_wait(nothrow);
            if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) break;
        }
        write(std::exchange(pending_, {}));
    }

    Task<void> close()
    {
        co_await engine_->close();
        co_await tasks_.close();
        co_await names_.close();
    }

    ExitCode exit_code() const
    {
        auto code = ExitCode::Answered;
        for (const auto& target : targets_) {
            if (!target.measured && !target.problem.empty()) return ExitCode::NotMeasured;
            if (!target.table.reached()) code = ExitCode::Unanswered;
        }
        return code;
    }

    TraceOptions options_;
    Loop loop_{1};
    Pool pool_;
    SystemClock clock_{};
    SystemRandom random_{};
    probe::Resolver resolver_;
    probe::Policy policy_{};
    probe::path::HostNames names_;
    std::vector<TraceTarget> targets_{};
    TracePrinter printer_;
    asio::basic_signal_set<Executor> signals_;
    Timer redraw_;
    std::string pending_{};
    std::uint64_t cycles_per_run_ = 1;
    bool live_;
    bool done_ = false;
    std::unique_ptr<probe::path::PathEngine> engine_;
    TaskGroup tasks_;
};

}  // namespace

Result<ExitCode> run_trace(TraceOptions options)
{
    NW_TRY(auto targets, gather_targets(options.targets, options.list));
    std::signal(SIGPIPE, SIG_IGN);
    std::setvbuf(stdout, nullptr, _IOFBF, 64 << 10);
    return TraceRun(std::move(options), std::move(targets)).run();
}

}  // namespace nw::cli
