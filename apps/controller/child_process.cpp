#include "child_process.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

// glibc 2.36 forgot to say in this header that it is C.
extern "C" {
#include <sys/pidfd.h>
}

extern char** environ;

namespace nw::controller {
namespace {

using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

std::unexpected<Error> refused(const std::filesystem::path& program, int error)
{
    return fail(Errc::Unavailable, "start " + program.string() + ": " + std::strerror(error));
}

// What the service manager says to this process is not said to its child.
std::vector<char*> child_environment()
{
    std::vector<char*> kept;
    for (char** entry = environ; *entry; ++entry) {
        const std::string_view text(*entry);
        const bool ours = text.starts_with("NOTIFY_SOCKET=") || text.starts_with("WATCHDOG_") || text.starts_with("LISTEN_")
                          || text.starts_with("NETWATCHER_");
        if (!ours) kept.push_back(*entry);
    }
    kept.push_back(nullptr);
    return kept;
}

struct SpawnActions {
    posix_spawn_file_actions_t files{};
    posix_spawnattr_t attributes{};

    SpawnActions()
    {
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attributes);
    }
    ~SpawnActions()
    {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;

    // Standard input is `life_line`, standard output goes where the errors go, everything else stays closed.
    int prepare(int life_line)
    {
        sigset_t signals;
        sigemptyset(&signals);
        int error = posix_spawn_file_actions_adddup2(&files, life_line, STDIN_FILENO);
        if (!error) error = posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
        if (!error) error = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
        if (!error) error = posix_spawnattr_setsigmask(&attributes, &signals);
        for (const int number : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&signals, number);
        if (!error) error = posix_spawnattr_setsigdefault(&attributes, &signals);
        if (!error) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        return error;
    }
};

}  // namespace

struct ChildProcess::Impl {
    pid_t pid = 0;
    Descriptor process;    // a pidfd: readable when it has ended
    Descriptor life_line;  // the end of the pipe that nobody else has
    Timer limit;
    bool reaped = false;
};

ChildProcess::ChildProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(Executor loop, const std::filesystem::path& program,
                                                          std::vector<std::string> arguments)
{
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return refused(program, errno);
    Descriptor theirs(loop, pipe[0]);
    Descriptor life_line(loop, pipe[1]);
    SpawnActions actions;
    if (const int error = actions.prepare(pipe[0])) return refused(program, error);
    std::string name = program.string();
    std::vector<char*> argv{name.data()};
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    auto environment = child_environment();
    pid_t pid = 0;
    if (const int error =
            posix_spawn(&pid, name.c_str(), &actions.files, &actions.attributes, argv.data(), environment.data()))
        return refused(program, error);
    const int process = pidfd_open(pid, 0);
    if (process < 0) {
        const int error = errno;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return refused(program, error);
    }
    return std::unique_ptr<ChildProcess>(new ChildProcess(std::unique_ptr<Impl>(new Impl{
        .pid = pid, .process = Descriptor(loop, process), .life_line = std::move(life_line), .limit = Timer(loop)})));
}

ChildProcess::~ChildProcess()
{
    if (impl_->reaped) return;
    ::kill(impl_->pid, SIGKILL);
    ::waitpid(impl_->pid, nullptr, 0);
}

Task<std::string> ChildProcess::ended(std::chrono::steady_clock::time_point deadline)
{
    auto& child = *impl_;
    child.limit.expires_at(deadline);
    child.limit.async_wait([&child](boost::system::error_code error) {
        if (!error) child.process.cancel();
    });
    const auto [error] = co_await child.process.async_wait(Descriptor::wait_read, nothrow);
    child.limit.cancel();
    if (error) co_return std::string();
    int status = 0;
    if (::waitpid(child.pid, &status, WNOHANG) != child.pid) co_return std::string();
    child.reaped = true;
    if (WIFSIGNALED(status)) co_return "signal " + std::to_string(WTERMSIG(status));
    co_return "exit code " + std::to_string(WEXITSTATUS(status));
}

void ChildProcess::interrupt() { impl_->process.cancel(); }

void ChildProcess::signal(int number)
{
    if (!impl_->reaped) (void)pidfd_send_signal(impl_->process.native_handle(), number, nullptr, 0);
}

}  // namespace nw::controller
