#include "ping_command.hpp"

#include "session.hpp"

#include <unistd.h>

namespace nw::cli {
namespace {

using probe::ping::PacketReport;
using probe::ping::PingEngine;

class PingRun {
public:
    explicit PingRun(PingOptions options)
        : options_(std::move(options)), printer_(options_.format, !options_.quiet, stdout), flusher_(session_.loop()),
          interactive_(isatty(STDOUT_FILENO) == 1),
          engine_(probe::ping::make_ping_engine(session_.context(
              [this](const Sample& sample) { summaries_[std::size_t(sample.probe) - 1].add(sample); }, 1'000'000'000)))
    {}

    Result<ExitCode> run(const std::vector<std::string>& targets)
    {
        for (const auto& target : targets) summaries_.push_back({.name = target});
        engine_->observe_packets([this](const PacketReport& packet) { take(packet); });
        engine_->when_idle([this] { session_.finish(); });
        if (!interactive_) session_.beside("flush", flush_now_and_then());
        auto [settings, start] = plan();
        const auto started = session_.run(
            targets,
            [&](std::size_t index, const std::string& target) {
                settings.target = target;
                return engine_->start(ProbeId(index + 1), settings, start);
            },
            [this] { return engine_->close(); });
        if (!started) return std::unexpected(started.error());
        printer_.summaries(summaries_);
        printer_.flush();
        std::vector<TargetEnd> ends;
        for (const auto& target : summaries_) ends.push_back(end_of(target));
        return exit_code(ends);
    }

private:
    std::pair<probe::ping::PingSettings, probe::StartOptions> plan() const
    {
        auto settings = options_.settings;
        settings.packets = 1;
        settings.spacing = settings.interval;
        if (options_.unpaced) {  // one run, all of it due at once: the state machine hands it out in turns
            settings.packets = std::uint32_t(options_.count);
            settings.spacing = Nanos(0);
            settings.stamp_sends = false;
            return {settings, {.runs_max = 1}};
        }
        return {settings,
                {.first = summaries_.size() > 10 ? probe::FirstRun::OnPhase : probe::FirstRun::AtOnce,
                 .runs_max = options_.count == 0 ? ~0ULL : options_.count}};
    }

    void take(const PacketReport& packet)
    {
        auto& summary = summaries_[std::size_t(packet.probe) - 1];
        summary.add(packet);
        printer_.packet(summary, packet);
        if (interactive_ && !printer_.flush()) session_.finish();
    }

    Task<void> flush_now_and_then()
    {
        while (!session_.finished()) {
            flusher_.expires_after(Millis(250));
            co_await flusher_.async_wait(nothrow);
            if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
            if (!printer_.flush()) session_.finish();
        }
    }

    static TargetEnd end_of(const TargetSummary& target)
    {
        if (target.received > 0) return TargetEnd::Answered;
        const bool own_trouble = target.sent == 0 && target.unsent > 0 && !is_about_target(target.trouble_outcome);
        return own_trouble ? TargetEnd::NotMeasured : TargetEnd::Unanswered;
    }

    PingOptions options_;
    Session session_{"ping"};
    std::vector<TargetSummary> summaries_{};
    Printer printer_;
    Timer flusher_;
    bool interactive_;
    std::unique_ptr<PingEngine> engine_;
};

}  // namespace

Result<ExitCode> run_ping(PingOptions options)
{
    NW_TRY(const auto targets, open_session(options.targets, options.list));
    return PingRun(std::move(options)).run(targets);
}

}  // namespace nw::cli
