// HTTP/1.1 and WebSocket server: turns connections into Request values for one handler.
//
// Belongs to one loop. Every phase of a connection has a deadline, every length a limit; what exceeds one is
// answered with its status and the connection ends.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "net/http.hpp"
#include "net/tls.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nw::net {

struct HttpServerOptions {
    std::size_t header_bytes_max = 16 << 10;
    std::size_t body_bytes_max = 1 << 20;
    std::size_t connections_max = 20'000;
    std::chrono::seconds idle{75};       // between requests
    std::chrono::seconds request{30};    // from the first byte of a body to its last, and for the TLS handshake
    std::chrono::seconds response{120};  // for writing an answer
    // Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.
    std::vector<std::string> trusted_proxies{};
    // Sent with every answer.
    std::vector<std::pair<std::string, std::string>> headers{};
};

struct HttpServerStats {
    std::uint64_t connections = 0;  // open now
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;  // over connections_max
    std::uint64_t requests = 0;
    std::uint64_t timeouts = 0;
};

class HttpServer {
public:
    using Handler = std::function<Task<Response>(Request)>;

    HttpServer(Loop& loop, const Clock& clock, Log log, HttpServerOptions options, Handler handler);
    ~HttpServer();

    // Listens on `address` ("127.0.0.1", "::"); port 0 takes a free one. Returns the port. `tls` may be null and
    // outlives the server.
    Result<std::uint16_t> listen(const std::string& address, std::uint16_t port, const TlsServer* tls);

    // Stops accepting, tells WebSockets goodbye by cancelling their handlers, and waits for every connection.
    Task<void> close();
    HttpServerStats stats() const;

    class Impl;

private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace nw::net
