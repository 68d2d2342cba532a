#include "commands.hpp"

#include "agent/agent.hpp"
#include "model/kinds/all.hpp"
#include "net/json.hpp"
#include "net/local_socket.hpp"
#include "system_port.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>

namespace nw::app {
namespace {

int complain(const Error& error)
{
    std::fprintf(stderr, "netwatcher-agent: %s\n", error.what.c_str());
    return 1;
}

Task<void> keep_watchdog(Loop& loop, std::uint64_t every_us)
{
    Timer timer(loop);
    for (;;) {
        notify_service_manager("WATCHDOG=1");
        timer.expires_after(Micros(every_us / 2));
        const auto [error] = co_await timer.async_wait(nothrow);
        if (error) co_return;
    }
}

Task<std::string> status_text(agent::Agent& agent) { co_return agent.status_json(); }

using Signals = asio::basic_signal_set<Executor>;

// The end of standard input is the end of whoever runs this program: then it stops as on a signal.
Task<void> watch_stdin(Loop& loop)
{
    asio::posix::basic_stream_descriptor<Executor> input(loop, ::dup(STDIN_FILENO));
    std::array<char, 64> ignored{};
    for (;;) {
        const auto [error, count] = co_await input.async_read_some(asio::buffer(ignored), nothrow);
        if (error == asio::error::operation_aborted) co_return;
        if (error) break;
    }
    std::raise(SIGTERM);
}

Task<void> run_until_signal(Loop& loop, Signals& signals, agent::Agent& agent, net::LocalServer& status,
                            bool stop_with_stdin, const Log& log)
{
    TaskGroup tasks(loop.get_executor(), log);
    if (const auto every = watchdog_us()) tasks.spawn("watchdog", keep_watchdog(loop, *every));
    if (stop_with_stdin) tasks.spawn("standard input", watch_stdin(loop));
    agent.start();
    notify_service_manager("READY=1");
    const auto [error, number] = co_await signals.async_wait(nothrow);
    log.info("stopping on signal {}", number);
    notify_service_manager("STOPPING=1");
    co_await status.close();
    co_await agent.stop();
    co_await tasks.close();
}

void drive(Loop& loop, Task<void> task)
{
    bool done = false;
    asio::co_spawn(loop, std::move(task), [&](const std::exception_ptr&) { done = true; });
    while (!done) loop.run_one();
}

std::string ago(std::int64_t then_us, std::int64_t now_us)
{
    if (then_us == 0) return "never";
    const auto seconds = (now_us - then_us) / 1'000'000;
    if (seconds < 120) return std::to_string(seconds) + " s ago";
    if (seconds < 7200) return std::to_string(seconds / 60) + " min ago";
    return std::to_string(seconds / 3600) + " h ago";
}

std::int64_t number_at(const net::Json& json, std::string_view name)
{
    const auto* number = json.at(name).integer();
    return number ? *number : 0;
}

std::string text_at(const net::Json& json, std::string_view name)
{
    const auto* text = json.at(name).text();
    return text ? *text : std::string();
}

void print_probes(const net::Json::Array& probes, std::int64_t now)
{
    for (const auto& probe : probes) {
        const auto problem = text_at(probe, "problem");
        std::printf("  %-8s %-32s every %5lld s  ", text_at(probe, "kind").c_str(), text_at(probe, "target").c_str(),
                    static_cast<long long>(number_at(probe, "interval_ms") / 1000));
        if (!problem.empty()) std::printf("cannot be measured: %s\n", problem.c_str());
        else if (number_at(probe, "last_us") == 0) std::printf("no result yet\n");
        else
            std::printf("%s, %s %s\n", text_at(probe, "last_outcome").c_str(), ago(number_at(probe, "last_us"), now).c_str(),
                        text_at(probe, "last_reason").c_str());
    }
}

void print_status(const net::Json& status)
{
    const auto& link = status.at("link");
    const auto& health = status.at("health");
    const auto now = number_at(status, "now_us");
    const auto* measuring = status.at("measuring").boolean();
    std::printf("agent      %s (%s), version %s, up since %s\n", text_at(status, "name").c_str(),
                text_at(status, "agent_id").c_str(), text_at(status, "version").c_str(),
                ago(number_at(status, "started_us"), now).c_str());
    std::printf("controller %s: %s, %s", text_at(status, "controller").c_str(), text_at(link, "state").c_str(),
                ago(number_at(link, "since_us"), now).c_str());
    if (const auto what = text_at(link, "what"); !what.empty()) std::printf(" (%s)", what.c_str());
    if (const auto retry = number_at(link, "retry_in_ms"); retry > 0)
        std::printf(", next attempt after %lld s", static_cast<long long>(retry / 1000));
    std::printf("\nresults    %lld waiting to be sent (%lld kB), acknowledged up to %lld\n",
                static_cast<long long>(number_at(health, "spool_rows")),
                static_cast<long long>(number_at(health, "spool_bytes") / 1024),
                static_cast<long long>(number_at(link, "acked_seq")));
    if (!link.at("clock_offset_us").is_null())
        std::printf("clock      controller is %+.3f ms ahead, +- %.3f ms\n",
                    double(number_at(link, "clock_offset_us")) / 1e3, double(number_at(link, "clock_uncertainty_us")) / 1e3);
    std::printf("health     lateness p99 %lld us, %lld packets/s, %lld socket drops, %.1f MB of memory\n",
                static_cast<long long>(number_at(health, "lateness_p99_us")),
                static_cast<long long>(number_at(health, "packets_per_second")),
                static_cast<long long>(number_at(health, "socket_drops")), double(number_at(health, "rss_bytes")) / 1e6);
    const auto* probes = status.at("probes").array();
    std::printf("probes     %zu in state %lld%s\n", probes ? probes->size() : 0,
                static_cast<long long>(number_at(status, "state_number")),
                measuring && !*measuring ? "; not measuring: the controller does not want this agent" : "");
    if (probes) print_probes(*probes, now);
}

}  // namespace

int enroll_command(const Config& config, agent::EnrolRequest request)
{
    drop_privileges();
    if (auto locked = lock_directory(config.data_dir); !locked)
        return complain(std::move(locked).error().while_doing("enroll (stop the running agent first)"));
    Loop loop(1);
    Pool pool(1);
    SystemRandom random;
    std::optional<Result<agent::Identity>> result;
    request.version = NW_VERSION;
    drive(loop,
          [](Pool& names, Random& chance, agent::EnrolRequest what, std::filesystem::path file,
             std::optional<Result<agent::Identity>>& out) -> Task<void> {
              out = co_await agent::enrol(names, chance, std::move(what), std::move(file));
          }(pool, random, std::move(request), config.data_dir / "identity.json", result));
    if (!result || !*result)
        return complain(result ? result->error() : Error{Errc::Unavailable, "enrolment was interrupted"});
    const auto& identity = **result;
    std::printf("enrolled as %s (%s) with %s\n", identity.name.c_str(), identity.agent_id.c_str(),
                identity.controller.c_str());
    return 0;
}

int run_command(const Config& config, bool stop_with_stdin)
{
    drop_privileges();
    std::signal(SIGPIPE, SIG_IGN);
    // Before anything is opened: a service manager that changes its mind during the start gets a clean stop.
    Loop loop(1);
    Signals signals(loop, SIGINT, SIGTERM);
    if (auto locked = lock_directory(config.data_dir); !locked) return complain(locked.error());
    auto identity = agent::load_identity(config.data_dir / "identity.json");
    if (identity && !identity->enrolled()) identity = fail(Errc::NotFound, "enrolment has not been finished");
    if (!identity)
        return complain(std::move(identity).error().while_doing(
            "not enrolled (netwatcher-agent enroll --controller URL --token TOKEN)"));
    const Log log(make_stderr_sink(), "agent", config.log_level);
    if (auto checked = agent::check_controller(identity->controller, identity->insecure); !checked)
        return complain(checked.error());
    if (identity->insecure) log.warn("the controller's certificate is not verified");
    SystemClock clock;
    SystemRandom random;
    const auto kinds = all_kinds();
    agent::AgentOptions options{.data_dir = config.data_dir,
                                .identity = *identity,
                                .spool = config.spool,
                                .policy = config.policy,
                                .packets_per_second_max = config.packets_per_second,
                                .version = NW_VERSION};
    auto agent = agent::Agent::open(std::move(options), loop, kinds, clock, random, log, probe::make_engines);
    if (!agent) return complain(agent.error());
    net::LocalServer status(
        loop, config.data_dir / "status.sock", [&](const std::string&) { return status_text(**agent); },
        log.named("status"));
    if (auto started = status.start(); !started) log.warn("no status: {}", started.error().what);
    drive(loop, run_until_signal(loop, signals, **agent, status, stop_with_stdin, log));
    return 0;
}

int status_command(const Config& config, bool json)
{
    const auto answer = net::ask_local(config.data_dir / "status.sock", "status", Seconds(2));
    if (!answer) return complain(answer.error());
    if (json) {
        std::fputs(answer->c_str(), stdout);
        return 0;
    }
    const auto parsed = net::parse_json(*answer);
    if (!parsed) return complain(parsed.error());
    print_status(*parsed);
    return 0;
}

}  // namespace nw::app
