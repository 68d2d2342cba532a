#include "session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace nw::cli {

ExitCode exit_code(std::span<const TargetEnd> targets)
{
    const auto worst = targets.empty() ? TargetEnd::Answered : *std::ranges::max_element(targets);
    if (worst == TargetEnd::Answered) return ExitCode::Answered;
    return worst == TargetEnd::Unanswered ? ExitCode::Unanswered : ExitCode::NotMeasured;
}

Session::Session(std::string_view command)
    : log_(make_stderr_sink(), std::string(command), LogLevel::Warn), tasks_(loop_.get_executor(), Log())
{}

probe::EngineContext Session::context(probe::SampleSink sink, std::uint32_t packets_per_second_max)
{
    return {.loop = loop_,
            .pool = pool_,
            .clock = clock_,
            .random = random_,
            .resolver = resolver_,
            .policy = policy_,
            .sink = std::move(sink),
            .log = log_,
            .packets_per_second_max = packets_per_second_max,
            .devices = &devices_};
}

Status Session::run(std::span<const std::string> targets,
                    const std::function<Status(std::size_t index, const std::string& target)>& start,
                    const std::function<Task<void>()>& close)
{
    Status started;
    for (std::size_t i = 0; i < targets.size() && started; ++i)
        if (auto status = start(i, targets[i]); !status)
            started = std::unexpected(std::move(status).error().while_doing(targets[i]));
    asio::basic_signal_set<Executor> signals(loop_, SIGINT, SIGTERM);
    if (started) {
        signals.async_wait([this](const boost::system::error_code& error, int) { done_ = done_ || !error; });
        while (!done_) loop_.run_one();
    }
    signals.cancel();
    bool closed = false;
    asio::co_spawn(loop_, close_all(close()), [&](std::exception_ptr) { closed = true; });
    while (!closed) loop_.run_one();
    return started;
}

Task<void> Session::close_all(Task<void> engine)
{
    co_await tasks_.close();
    co_await std::move(engine);
}

Result<std::vector<std::string>> open_session(const std::vector<std::string>& named, const std::string& list)
{
    NW_TRY(auto targets, gather_targets(named, list));
    std::signal(SIGPIPE, SIG_IGN);
    std::setvbuf(stdout, nullptr, _IOFBF, 64 << 10);
    return targets;
}

}  // namespace nw::cli
