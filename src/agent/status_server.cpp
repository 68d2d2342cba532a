#include "agent/status_server.hpp"

#include <boost/asio/write.hpp>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace nw::agent {
namespace {

constexpr std::size_t kAnswersMax = 8;
constexpr std::size_t kStatusBytesMax = 64 << 20;

}  // namespace

StatusServer::StatusServer(Loop& loop, std::filesystem::path file, std::function<std::string()> status, Log log)
    : loop_(loop), file_(std::move(file)), status_(std::move(status)), acceptor_(loop),
      tasks_(loop.get_executor(), std::move(log))
{}

StatusServer::~StatusServer() = default;

Status StatusServer::start()
{
    ::unlink(file_.c_str());  // left by a process that was killed; the directory's lock says that it is gone
    boost::system::error_code error;
    if (file_.native().size() >= sizeof(sockaddr_un::sun_path))
        return fail(Errc::Invalid, "too long for a socket: " + file_.string());
    acceptor_.open(Protocol(), error);
    if (!error) acceptor_.bind(Protocol::endpoint(file_.string()), error);
    if (!error) acceptor_.listen(8, error);
    if (error) return fail(Errc::Unavailable, file_.string() + ": " + error.message());
    tasks_.spawn("status", accept_loop());
    return {};
}

Task<void> StatusServer::accept_loop()
{
    for (;;) {
        Socket socket(loop_);
        const auto [error] = co_await acceptor_.async_accept(socket, nothrow);
        if (error == asio::error::operation_aborted) co_return;
        if (!error && tasks_.size() <= kAnswersMax) tasks_.spawn("status answer", answer(std::move(socket)));
    }
}

Task<void> StatusServer::answer(Socket socket)
{
    const auto text = status_() + "\n";
    // A reader who does not read is cut off by the next one's turn at the latest: at most kAnswersMax wait.
    co_await asio::async_write(socket, asio::buffer(text), nothrow);
}

Task<void> StatusServer::close()
{
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    ::unlink(file_.c_str());
    co_await tasks_.close();
}

Result<std::string> ask_status(const std::filesystem::path& file)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (file.native().size() >= sizeof address.sun_path)
        return fail(Errc::Invalid, "too long for a socket: " + file.string());
    std::memcpy(address.sun_path, file.c_str(), file.native().size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 2, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string answer;
    auto result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (result == 0) {
        std::array<char, 65'536> piece{};
        ssize_t size = 0;
        while (answer.size() < kStatusBytesMax && (size = ::read(fd, piece.data(), piece.size())) > 0)
            answer.append(piece.data(), std::size_t(size));
    }
    const int error = errno;
    ::close(fd);
    if (result != 0)
        return fail(error == EACCES ? Errc::Denied : Errc::Unavailable,
                    "no running agent at " + file.string() + ": " + std::strerror(error));
    if (answer.empty()) return fail(Errc::Timeout, "the agent at " + file.string() + " does not answer");
    return answer;
}

}  // namespace nw::agent
