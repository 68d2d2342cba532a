#include "ping_command.hpp"

#include "base/text.hpp"
#include "model/probe_spec.hpp"
#include "probe/policy.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iostream>

#include <unistd.h>

namespace nw::cli {
namespace {

using probe::ping::PacketReport;
using probe::ping::PingEngine;

constexpr std::size_t kTargetsMax = 1'000'000;

Result<std::vector<std::string>> read_list(const std::string& file)
{
    std::ifstream opened;
    if (file != "-") {
        opened.open(file);
        if (!opened) return fail(Errc::NotFound, "cannot read " + file + ": " + std::strerror(errno));
    }
    std::istream& in = file == "-" ? std::cin : opened;
    std::vector<std::string> targets;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        const auto target = trimmed(std::string_view(line).substr(0, line.find('#')));
        if (target.empty()) continue;
        if (!is_host(target))
            return fail(Errc::Invalid, file + " line " + std::to_string(number) + ": \"" + std::string(target)
                                           + "\" is neither a host name nor an address");
        if (targets.size() == kTargetsMax) return fail(Errc::Invalid, file + ": more than a million targets");
        targets.emplace_back(target);
    }
    return targets;
}

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

Result<Nanos> parse_duration(std::string_view text)
{
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto unit = text.substr(std::size_t(end - text.data()));
    double factor = 0;
    for (const auto& [name, seconds] : {std::pair{"", 1.0}, std::pair{"s", 1.0}, std::pair{"ms", 1e-3},
                                        std::pair{"us", 1e-6}, std::pair{"m", 60.0}, std::pair{"h", 3600.0}})
        if (unit == name) factor = seconds;
    if (error != std::errc{} || factor == 0 || !(number >= 0) || number * factor > 86'400)
        return fail(Errc::Invalid, "\"" + std::string(text) + "\" is not a duration up to a day, such as 1s, 200ms or 5m");
    return Nanos(std::int64_t(number * factor * 1e9 + 0.5));
}

Result<ExitCode> run_ping(PingOptions options)
{
    auto targets = options.targets;
    for (const auto& target : targets)
        if (!is_host(target)) return fail(Errc::Invalid, "\"" + target + "\" is neither a host name nor an address");
    if (!options.list.empty()) {
        NW_TRY(auto listed, read_list(options.list));
        targets.insert(targets.end(), std::make_move_iterator(listed.begin()), std::make_move_iterator(listed.end()));
    }
    if (targets.empty()) return fail(Errc::Invalid, "no target given");
    std::signal(SIGPIPE, SIG_IGN);
    std::setvbuf(stdout, nullptr, _IOFBF, 64 << 10);
    return PingRun(std::move(options), std::move(targets)).run();
}

}  // namespace nw::cli
