#include "installation.hpp"

#include "base/digest.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "store/metadata/metadata.hpp"

#include <fmt/format.h>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

namespace nw::bench {
namespace {

namespace fs = std::filesystem;

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

Status add_agents(store::MetadataTx& tx, std::size_t agents, std::size_t probes_each, std::vector<EnrolledAgent>& made)
{
    SystemRandom random;
    const SystemClock clock;
    NW_TRY(const auto workspace, tx.workspaces().add({.id = WorkspaceId{1}, .slug = "bench", .name = "Bench"}));
    for (std::size_t i = 0; i < agents; ++i) {
        EnrolledAgent agent{AgentId(1 + i), random.hex(32)};
        NW_CHECK(tx.agents(workspace.id).add({.id = agent.id, .name = fmt::format("agent-{}", i)}));
        NW_CHECK(tx.agent_sessions().enrol(agent.id, "instance", sha256(agent.secret), {}, clock.wall()));
        for (std::size_t k = 0; k < probes_each; ++k)
            NW_CHECK(tx.probes(workspace.id)
                         .add({.id = ProbeId(i * probes_each + k + 1),
                               .agent = agent.id,
                               .kind = "ping",
                               .settings = R"({"target":"192.0.2.1"})"}));
        made.push_back(std::move(agent));
    }
    return {};
}

}  // namespace

Installation make_installation(std::size_t agents, std::size_t probes_each)
{
    auto pattern = (fs::temp_directory_path() / "nw-bench-XXXXXX").string();
    Installation installation{.dir = ::mkdtemp(pattern.data())};
    fs::create_directories(installation.dir / "data");
    const auto make_certificate =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=bench -addext "
        "subjectAltName=IP:127.0.0.1 -keyout "
        + (installation.dir / "key.pem").string() + " -out " + installation.certificate().string() + " 2>/dev/null";
    if (std::system(make_certificate.c_str()) != 0) fmt::print(stderr, "openssl made no certificate\n");
    auto metadata = store::Metadata::open(installation.dir / "data/metadata.db");
    if (!metadata) {
        fmt::print(stderr, "{}\n", metadata.error().what);
        return {};
    }
    const auto added = (*metadata)->write_now(
        [&](store::MetadataTx& tx) { return add_agents(tx, agents, probes_each, installation.agents); });
    if (added) return installation;
    fmt::print(stderr, "{}\n", added.error().what);
    return {};
}

ControllerProcess::ControllerProcess(fs::path binary, const Installation& installation, bool tls)
    : binary_(std::move(binary)), installation_(installation), tls_(tls), port_(free_port())
{}

ControllerProcess::~ControllerProcess() { kill_now(); }

void ControllerProcess::start()
{
    const auto listen = fmt::format("127.0.0.1:{}", port_);
    std::fflush(stdout);  // what is buffered would be written by the child too
    pid_ = ::fork();
    if (pid_ != 0) return;
    if (!std::freopen("/dev/null", "w", stdout)) std::_Exit(1);
    const auto data = (installation_.dir / "data").string();
    const auto certificate = installation_.certificate().string();
    const auto key = (installation_.dir / "key.pem").string();
    std::vector<const char*> arguments{binary_.c_str(), "serve",        "--data-dir",  data.c_str(),
                                       "--listen",      listen.c_str(), "--log-level", "error"};
    if (tls_) arguments.insert(arguments.end(), {"--tls-certificate", certificate.c_str(), "--tls-key", key.c_str()});
    arguments.push_back(nullptr);
    ::execv(binary_.c_str(), const_cast<char* const*>(arguments.data()));
    std::_Exit(127);
}

void ControllerProcess::kill_now()
{
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
}

std::string ControllerProcess::connect_url() const
{
    return fmt::format("{}://127.0.0.1:{}/agent/v1/connect", tls_ ? "wss" : "ws", port_);
}

double ControllerProcess::resident_mb() const
{
    std::ifstream status(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:")) return double(std::strtoull(line.c_str() + 6, nullptr, 10)) / 1024;
    return 0;
}

double ControllerProcess::cpu_s() const
{
    std::ifstream file(fmt::format("/proc/{}/stat", pid_));
    std::string text;
    std::getline(file, text);
    // Behind the name, which may have blanks: state is field 3, utime and stime are 14 and 15.
    auto rest = text.substr(text.rfind(')') + 2);
    double ticks = 0;
    for (int field = 3; field <= 15; ++field) {
        const auto end = rest.find(' ');
        if (field >= 14) ticks += std::strtod(rest.c_str(), nullptr);
        rest.erase(0, end + 1);
    }
    return ticks / double(::sysconf(_SC_CLK_TCK));
}

void raise_file_limit()
{
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace nw::bench
