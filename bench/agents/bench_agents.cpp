// Many agents on one controller: memory of idle TLS connections, and how long a reconnect storm takes to settle.
//
//   bench_agents CONTROLLER_BINARY [agents]
//
// Prepares a data directory with `agents` enrolled agents, starts the controller with TLS, holds one idle session for
// each, reads the controller's memory, kills it with SIGKILL, starts it again and waits until every agent is back.
// Prints one JSON line per figure.
#include "installation.hpp"

#include "base/random.hpp"
#include "base/task_group.hpp"
#include "net/tls.hpp"
#include "net/ws_client.hpp"
#include "wire/messages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace {

using namespace nw;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kMemoryBarMb = 200;
constexpr double kStormBarS = 20;

struct Fleet {
    Loop& loop;
    Pool& pool;
    TaskGroup& writers;
    std::string url;
    net::SslContext tls;
    SystemRandom random{};
    std::size_t connected = 0;
    bool ended = false;
};

Task<bool> converse_once(Fleet& fleet, const bench::EnrolledAgent& agent)
{
    net::WebSocketTarget target{.url = fleet.url, .tls = fleet.tls, .deadline = std::chrono::seconds(30)};
    target.headers.emplace_back("Authorization", agent.authorization());
    auto channel = co_await net::connect_websocket(fleet.pool, fleet.writers, std::move(target));
    if (!channel) co_return false;
    const wire::Hello hello{.version = "bench", .stream = StreamId(std::uint64_t(agent.id)), .boot = 1};
    if (!(*channel)->post(wire::encode(wire::AgentMessage(hello)))) co_return false;
    const auto welcome = co_await (*channel)->receive();
    if (!welcome) co_return false;
    ++fleet.connected;
    while (!fleet.ended) {
        const auto message = co_await (*channel)->receive();
        if (!message) break;
    }
    --fleet.connected;
    co_return true;
}

// Comes back at once after a lost session, later and later after failures: as agents do, with a smaller ceiling.
Task<void> live(Fleet& fleet, const bench::EnrolledAgent& agent)
{
    Timer pause(fleet.loop.get_executor());
    std::chrono::milliseconds wait{50};
    while (!fleet.ended) {
        const bool was_connected = co_await converse_once(fleet, agent);
        wait = was_connected ? std::chrono::milliseconds(50) : std::min(2 * wait, std::chrono::milliseconds(4000));
        pause.expires_after(std::chrono::milliseconds(fleet.random.below(std::uint64_t(wait.count()) + 1)));
        (void)co_await pause.async_wait(nothrow);
    }
}

double seconds_until(Fleet& fleet, std::size_t wanted, std::chrono::seconds limit)
{
    const auto start = Clock::now();
    while (fleet.connected != wanted && Clock::now() - start < limit) fleet.loop.run_one_for(std::chrono::milliseconds(50));
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// What the controller takes when nothing has happened for a while: it gives back what the handshakes took.
double settled_mb(Fleet& fleet, const bench::ControllerProcess& controller)
{
    const auto start = Clock::now();
    auto lowest = controller.resident_mb();
    for (auto since = start;
         Clock::now() - since < std::chrono::seconds(5) && Clock::now() - start < std::chrono::seconds(30);) {
        fleet.loop.run_one_for(std::chrono::milliseconds(50));
        if (const auto now = controller.resident_mb(); now < lowest) {
            lowest = now;
            since = Clock::now();
        }
    }
    return controller.resident_mb();
}

void print_figure(std::string_view figure, double ours, double bar)
{
    fmt::print("{{\"bench\":\"agents\",\"figure\":\"{}\",\"ours\":{:.1f},\"bar\":{},\"ok\":{}}}\n", figure, ours, bar,
               ours <= bar);
    std::fflush(stdout);
}

int run(const fs::path& binary, std::size_t count)
{
    const auto installation = bench::make_installation(count, 0);
    if (installation.agents.size() != count) return 1;
    bench::ControllerProcess controller(binary, installation, true);
    controller.start();

    Loop loop(1);
    Pool pool(1);
    TaskGroup tasks(loop.get_executor(), {});
    Fleet fleet{.loop = loop,
                .pool = pool,
                .writers = tasks,
                .url = controller.connect_url(),
                .tls = *net::make_tls_client({.ca_file = installation.certificate().string()})};
    for (const auto& agent : installation.agents) tasks.spawn("agent", live(fleet, agent));
    seconds_until(fleet, count, std::chrono::seconds(120));
    if (fleet.connected != count) fmt::print(stderr, "only {} of {} agents connected\n", fleet.connected, count);
    print_figure(fmt::format("memory with {} idle secure agent connections (MB RSS)", count), settled_mb(fleet, controller),
                 kMemoryBarMb);

    controller.kill_now();
    seconds_until(fleet, 0, std::chrono::seconds(30));
    controller.start();
    const auto settled = seconds_until(fleet, count, std::chrono::seconds(120));
    print_figure(fmt::format("reconnect storm of {} agents settles (s)", count), settled, kStormBarS);

    fleet.ended = true;
    controller.kill_now();
    bool closed = false;
    asio::co_spawn(loop, tasks.close(), [&](std::exception_ptr) { closed = true; });
    while (!closed) loop.run_one();
    std::error_code ignored;
    fs::remove_all(installation.dir, ignored);
    return settled <= kStormBarS ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_agents CONTROLLER_BINARY [agents]\n");
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    bench::raise_file_limit();
    return run(argv[1], argc > 2 ? std::size_t(std::strtoull(argv[2], nullptr, 10)) : 5000);
}
