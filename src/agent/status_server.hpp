// Answers on a Unix socket in the agent's directory with its status, one JSON document per connection. Who may read
// the directory may read the status; nothing is ever read from the connection.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/task_group.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <filesystem>
#include <functional>
#include <string>

namespace nw::agent {

class StatusServer {
public:
    using Protocol = asio::local::stream_protocol;
    using Acceptor = asio::basic_socket_acceptor<Protocol, Executor>;
    using Socket = asio::basic_stream_socket<Protocol, Executor>;

    StatusServer(Loop& loop, std::filesystem::path file, std::function<std::string()> status, Log log);
    ~StatusServer();

    Status start();
    Task<void> close();

private:
    Task<void> accept_loop();
    Task<void> answer(Socket socket);

    Loop& loop_;
    std::filesystem::path file_;
    std::function<std::string()> status_;
    Acceptor acceptor_;
    TaskGroup tasks_;
};

// The other end. Unavailable when no agent is running there. Blocks for at most two seconds.
Result<std::string> ask_status(const std::filesystem::path& file);

}  // namespace nw::agent
