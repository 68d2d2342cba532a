// Many agents on one controller: memory of idle TLS connections, and how long a reconnect storm takes to settle.
//
//   bench_agents CONTROLLER_BINARY [agents]
//
// Prepares a data directory with `agents` enrolled agents, starts the controller with TLS, holds one idle session for
// each, reads the controller's memory, kills it with SIGKILL, starts it again and waits until every agent is back.
// Prints one JSON line per figure.
#include "base/digest.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "net/tls.hpp"
#include "net/ws_client.hpp"
#include "store/metadata/metadata.hpp"
#include "wire/messages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <sodium/core.h>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

using namespace nw;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kMemoryBarMb = 200;
constexpr double kStormBarS = 20;

struct Agent {
    AgentId id{};
    std::string secret{};
};

std::vector<Agent> prepare(const fs::path& data, std::size_t count)
{
    fs::create_directories(data);
    auto metadata = *store::Metadata::open(data / "metadata.db");
    SystemRandom random;
    const SystemClock clock;
    std::vector<Agent> agents;
    const auto made = metadata->write_now([&](store::MetadataTx& tx) -> Status {
        NW_TRY(const auto workspace, tx.workspaces().add({.id = WorkspaceId{1}, .slug = "bench", .name = "Bench"}));
        for (std::size_t i = 0; i < count; ++i) {
            Agent agent{AgentId(1000 + i), random.hex(32)};
            NW_CHECK(tx.agents(workspace.id).add({.id = agent.id, .name = fmt::format("agent-{}", i)}));
            NW_CHECK(tx.agent_sessions().enrol(agent.id, "instance", sha256(agent.secret), {}, clock.wall()));
            agents.push_back(std::move(agent));
        }
        return {};
    });
    if (!made) fmt::print(stderr, "{}\n", made.error().what);
    return agents;
}

struct Controller {
    fs::path binary{};
    fs::path dir{};
    std::uint16_t port = 0;
    pid_t pid = 0;

    void start()
    {
        const auto listen = fmt::format("127.0.0.1:{}", port);
        pid = ::fork();
        if (pid != 0) return;
        if (!std::freopen("/dev/null", "w", stdout)) std::_Exit(1);
        const auto data = (dir / "data").string();
        const auto certificate = (dir / "cert.pem").string();
        const auto key = (dir / "key.pem").string();
        ::execl(binary.c_str(), binary.c_str(), "serve", "--data-dir", data.c_str(), "--listen", listen.c_str(),
                "--tls-certificate", certificate.c_str(), "--tls-key", key.c_str(), "--log-level", "error", nullptr);
        std::_Exit(127);
    }
    void kill_now()
    {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    double resident_mb() const
    {
        std::ifstream status(fmt::format("/proc/{}/status", pid));
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("VmRSS:")) return double(std::strtoull(line.c_str() + 6, nullptr, 10)) / 1024;
        return 0;
    }
};

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

Task<bool> converse_once(Fleet& fleet, const Agent& agent)
{
    net::WebSocketTarget target{.url = fleet.url, .tls = fleet.tls, .deadline = std::chrono::seconds(30)};
    target.headers.emplace_back("Authorization", "Bearer " + to_text(agent.id) + "." + agent.secret);
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
Task<void> live(Fleet& fleet, const Agent& agent)
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

std::uint16_t free_port()
{
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
}

void print_figure(std::string_view figure, double ours, double bar)
{
    fmt::print("{{\"bench\":\"agents\",\"figure\":\"{}\",\"ours\":{:.1f},\"bar\":{},\"ok\":{}}}\n", figure, ours, bar,
               ours <= bar);
    std::fflush(stdout);
}

int run(const fs::path& binary, std::size_t count)
{
    auto pattern = (fs::temp_directory_path() / "nw-bench-XXXXXX").string();
    const fs::path dir(::mkdtemp(pattern.data()));
    const auto agents = prepare(dir / "data", count);
    const auto make_certificate =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=bench -addext "
        "subjectAltName=IP:127.0.0.1 -keyout "
        + (dir / "key.pem").string() + " -out " + (dir / "cert.pem").string() + " 2>/dev/null";
    if (std::system(make_certificate.c_str()) != 0) return 1;
    Controller controller{.binary = binary, .dir = dir, .port = free_port()};
    controller.start();

    Loop loop(1);
    Pool pool(1);
    TaskGroup tasks(loop.get_executor(), {});
    Fleet fleet{.loop = loop,
                .pool = pool,
                .writers = tasks,
                .url = fmt::format("wss://127.0.0.1:{}/agent/v1/connect", controller.port),
                .tls = *net::make_tls_client({.ca_file = (dir / "cert.pem").string()})};
    for (const auto& agent : agents) tasks.spawn("agent", live(fleet, agent));
    seconds_until(fleet, count, std::chrono::seconds(120));
    if (fleet.connected != count) fmt::print(stderr, "only {} of {} agents connected\n", fleet.connected, count);
    print_figure(fmt::format("memory with {} idle secure agent connections (MB RSS)", count), controller.resident_mb(),
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
    fs::remove_all(dir, ignored);
    return settled <= kStormBarS ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 2 || sodium_init() < 0) {
        fmt::print(stderr, "usage: bench_agents CONTROLLER_BINARY [agents]\n");
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    return run(argv[1], argc > 2 ? std::size_t(std::strtoull(argv[2], nullptr, 10)) : 5000);
}
