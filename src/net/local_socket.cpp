#include "net/local_socket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace nw::net {
namespace {

constexpr std::size_t kAnswersMax = 8;
constexpr std::size_t kQuestionBytesMax = 8 << 10;
constexpr std::size_t kAnswerBytesMax = 64 << 20;
constexpr std::chrono::seconds kQuestionWithin{2};

struct Fd {
    explicit Fd(int number_in) : number(number_in) {}
    ~Fd() { ::close(number); }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    int number;
};

std::string read_all(int fd)
{
    std::string answer;
    std::array<char, 65'536> piece{};
    ssize_t size = 0;
    while (answer.size() < kAnswerBytesMax && (size = ::read(fd, piece.data(), piece.size())) > 0)
        answer.append(piece.data(), std::size_t(size));
    return answer;
}

}  // namespace

LocalServer::LocalServer(Loop& loop, std::filesystem::path file, Answer answer, Log log)
    : loop_(loop), file_(std::move(file)), answer_(std::move(answer)), acceptor_(loop),
      tasks_(loop.get_executor(), std::move(log))
{}

LocalServer::~LocalServer() = default;

Status LocalServer::start()
{
    ::unlink(file_.c_str());  // left by a process that was killed
    boost::system::error_code error;
    if (file_.native().size() >= sizeof(sockaddr_un::sun_path))
        return fail(Errc::Invalid, "too long for a socket: " + file_.string());
    acceptor_.open(Protocol(), error);
    if (!error) acceptor_.bind(Protocol::endpoint(file_.string()), error);
    if (!error) acceptor_.listen(8, error);
    if (error) return fail(Errc::Unavailable, file_.string() + ": " + error.message());
    tasks_.spawn("local socket", accept_loop());
    return {};
}

Task<void> LocalServer::accept_loop()
{
    for (;;) {
        Socket socket(loop_);
        const auto [error] = co_await acceptor_.async_accept(socket, nothrow);
        if (error == asio::error::operation_aborted) co_return;
        if (!error && tasks_.size() <= kAnswersMax) tasks_.spawn("local answer", serve(std::move(socket)));
    }
}

Task<Result<std::string>> LocalServer::read_question(Socket& socket)
{
    Timer deadline(loop_.get_executor(), kQuestionWithin);
    deadline.async_wait([&socket](const boost::system::error_code& error) {
        if (!error) socket.cancel();
    });
    std::string line;
    const auto [error, size] =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(line, kQuestionBytesMax), '\n', nothrow);
    if (error) co_return fail(Errc::Invalid, "no question: " + error.message());
    line.resize(size - 1);
    co_return line;
}

Task<void> LocalServer::serve(Socket socket)
{
    auto question = co_await read_question(socket);
    if (!question) co_return;
    const auto text = co_await answer_(*std::move(question)) + "\n";
    // A reader who does not read is one of at most kAnswersMax.
    co_await asio::async_write(socket, asio::buffer(text), nothrow);
}

Task<void> LocalServer::close()
{
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    ::unlink(file_.c_str());
    co_await tasks_.close();
}

Result<std::string> ask_local(const std::filesystem::path& file, std::string_view question, std::chrono::seconds patience)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (file.native().size() >= sizeof address.sun_path)
        return fail(Errc::Invalid, "too long for a socket: " + file.string());
    std::memcpy(address.sun_path, file.c_str(), file.native().size());
    const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
    ::setsockopt(fd.number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd.number, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(fd.number, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
        return fail(nobody            ? Errc::NotFound
                    : errno == EACCES ? Errc::Denied
                                      : Errc::Unavailable,
                    "nothing runs at " + file.string() + ": " + std::strerror(errno));
    }
    const auto line = std::string(question) + "\n";
    if (::send(fd.number, line.data(), line.size(), MSG_NOSIGNAL) != ssize_t(line.size()))
        return fail(Errc::Unavailable, file.string() + ": " + std::strerror(errno));
    auto answer = read_all(fd.number);
    if (answer.empty()) return fail(Errc::Timeout, "no answer at " + file.string());
    return answer;
}

}  // namespace nw::net
