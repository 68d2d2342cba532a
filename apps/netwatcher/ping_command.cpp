#include "ping_command.hpp"

#include "probe/policy.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>

#include <unistd.h>

namespace nw::cli {
namespace {

using probe::ping::PacketReport;
using probe::ping::PingEngine;

class PingRun {
public:
    PingRun(PingOptions options, std::vector<std::string> targets)
        : options_(std::move(options)), pool_(4), resolver_(loop_, pool_, clock_),
          printer_(options_.format, !options_.quiet, stdout), signals_(loop_, SIGINT, SIGTERM), flusher_(loop_),
          interactive_(isatty(STDOUT_FILENO) == 1),
          engine_(probe::ping::make_ping_engine(
              {.loop = loop_,
               .pool = pool_,
               .clock = clock_,
               .random = random_,
               .resolver = resolver_,
               .policy = policy_,
               .sink = [this](const Sample& sample) { summaries_[std::size_t(sample.probe) - 1].add(sample); },
               .log = Log(make_stderr_sink(), "ping", LogLevel::Warn),
               .packets_per_second_max = 1'000'000'000})),
          tasks_(loop_.get_executor(), Log())
    {
        for (auto& target : targets) summaries_.push_back({.name = std::move(target)});
    }

    Result<ExitCode> run()
    {
        engine_->observe_packets([this](const PacketReport& packet) { take(packet); });
        engine_->when_idle([this] { done_ = true; });
        const auto started = start_all();
        if (started) {
            signals_.async_wait([this](const boost::system::error_code& error, int) { done_ = done_ || !error; });
            if (!interactive_) tasks_.spawn("flush", flush_now_and_then());
            while (!done_) loop_.run_one();
        }
        signals_.cancel();
        bool closed = false;
        asio::co_spawn(loop_, close(), [&](std::exception_ptr) { closed = true; });
        while (!closed) loop_.run_one();
        if (!started) return std::unexpected(started.error());
        printer_.summaries(summaries_);
        printer_.flush();
        return exit_code();
    }

private:
    Status start_all()
    {
        auto settings = options_.settings;
        probe::ping::StartOptions start{.first = summaries_.size() > 10 ? probe::ping::FirstRun::OnPhase
                                                                        : probe::ping::FirstRun::AtOnce,
                                        .runs_max = options_.count == 0 ? ~0ULL : options_.count};
        settings.packets = 1;
        settings.spacing = settings.interval;
        if (options_.unpaced) {  // one run, all of it due at once: the state machine hands it out in turns
            settings.packets = std::uint32_t(options_.count);
            settings.spacing = Nanos(0);
            settings.stamp_sends = false;
            start = {.first = probe::ping::FirstRun::AtOnce, .runs_max = 1};
        }
        for (std::size_t i = 0; i < summaries_.size(); ++i) {
            settings.target = summaries_[i].name;
            if (auto status = engine_->start(ProbeId(i + 1), settings, start); !status)
                return std::unexpected(std::move(status).error().while_doing(settings.target));
        }
        return {};
    }

    void take(const PacketReport& packet)
    {
        auto& summary = summaries_[std::size_t(packet.probe) - 1];
        summary.add(packet);
        printer_.packet(summary, packet);
        if (interactive_ && !printer_.flush()) done_ = true;
    }

    Task<void> flush_now_and_then()
    {
        while (!done_) {
            flusher_.expires_after(Millis(250));
            co_await flusher_.async_wait(nothrow);
            if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
            if (!printer_.flush()) done_ = true;
        }
    }

    Task<void> close()
    {
        co_await engine_->close();
        co_await tasks_.close();
    }

    ExitCode exit_code() const
    {
        auto code = ExitCode::Answered;
        for (const auto& target : summaries_) {
            if (target.received > 0) continue;
            if (target.sent == 0 && target.unsent > 0 && !is_about_target(target.trouble_outcome))
                return ExitCode::NotMeasured;
            code = ExitCode::Unanswered;
        }
        return code;
    }

    PingOptions options_;
    Loop loop_{1};
    Pool pool_;
    SystemClock clock_{};
    SystemRandom random_{};
    probe::Resolver resolver_;
    probe::Policy policy_{};
    std::vector<TargetSummary> summaries_{};
    Printer printer_;
    asio::basic_signal_set<Executor> signals_;
    Timer flusher_;
    bool interactive_;
    bool done_ = false;
    std::unique_ptr<PingEngine> engine_;
    TaskGroup tasks_;
};

}  // namespace

Result<ExitCode> run_ping(PingOptions options)
{
    NW_TRY(auto targets, gather_targets(options.targets, options.list));
    std::signal(SIGPIPE, SIG_IGN);
    std::setvbuf(stdout, nullptr, _IOFBF, 64 << 10);
    return PingRun(std::move(options), std::move(targets)).run();
}

}  // namespace nw::cli
