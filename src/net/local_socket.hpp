// A Unix socket in a program's own directory, for its own command line: one line is asked, one answer given, and the
// connection ends. Who may use the directory may ask.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/task_group.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

namespace nw::net {

class LocalServer {
public:
    using Protocol = asio::local::stream_protocol;
    using Acceptor = asio::basic_socket_acceptor<Protocol, Executor>;
    using Socket = asio::basic_stream_socket<Protocol, Executor>;
    using Answer = std::function<Task<std::string>(std::string question)>;

    LocalServer(Loop& loop, std::filesystem::path file, Answer answer, Log log);
    ~LocalServer();

    Status start();
    Task<void> close();

private:
    Task<void> accept_loop();
    Task<void> serve(Socket socket);
    Task<Result<std::string>> read_question(Socket& socket);

    Loop& loop_;
    std::filesystem::path file_;
    Answer answer_;
    Acceptor acceptor_;
    TaskGroup tasks_;
};

// The other end. NotFound when no program is running there, Timeout when it does not answer in time. Blocks.
Result<std::string> ask_local(const std::filesystem::path& file, std::string_view question, std::chrono::seconds patience);

}  // namespace nw::net
