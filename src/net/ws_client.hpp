// Opens a WebSocket to a server: resolve, connect, TLS with certificate verification, upgrade.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"
#include "base/task_group.hpp"
#include "net/channel.hpp"
#include "net/tls.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nw::net {

struct WebSocketTarget {
    std::string url{};  // ws://, wss://, http:// or https://
    SslContext tls{};   // needed for wss and https: make_tls_client
    std::vector<std::pair<std::string, std::string>> headers{};
    std::chrono::milliseconds deadline{15'000};  // for everything up to the finished upgrade
    std::size_t message_bytes_max = 4 << 20;
    std::size_t queue_bytes_max = 16 << 20;
    bool binary = true;
};

// Errors: Invalid (URL), Denied (401 or 403), Timeout, Unavailable (everything else of the network). Names are
// resolved on `pool`; `writers` owns the channel's writer and outlives it.
Task<Result<std::unique_ptr<MessageChannel>>> connect_websocket(Pool& pool, TaskGroup& writers, WebSocketTarget target);

}  // namespace nw::net
