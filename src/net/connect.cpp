#include "net/connect.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/x509.h>

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace nw::net {
namespace {

Result<std::vector<asio::ip::tcp::endpoint>> resolve(const Url& url, const std::string& literal)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV | (literal.empty() ? 0 : AI_NUMERICHOST);
    addrinfo* list = nullptr;
    const auto& host = literal.empty() ? url.host : literal;
    const int code = ::getaddrinfo(host.c_str(), std::to_string(url.port).c_str(), &hints, &list);
    if (code != 0) return fail(Errc::Unavailable, "resolve " + url.host + ": " + ::gai_strerror(code));
    std::vector<asio::ip::tcp::endpoint> endpoints;
    for (const auto* entry = list; entry; entry = entry->ai_next) {
        asio::ip::tcp::endpoint endpoint;
        if (entry->ai_addrlen > endpoint.capacity()) continue;
        endpoint.resize(entry->ai_addrlen);
        std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
        endpoints.push_back(endpoint);
    }
    ::freeaddrinfo(list);
    if (endpoints.empty()) return fail(Errc::Unavailable, "resolve " + url.host + ": no address");
    return endpoints;
}

Error handshake_error(const Stream& stream, const ErrorCode& error)
{
    if (const auto verdict = SSL_get_verify_result(stream.ssl()); verdict != X509_V_OK)
        return {Errc::Unavailable, std::string("TLS certificate refused: ") + X509_verify_cert_error_string(verdict), {}};
    return {Errc::Unavailable, "TLS handshake: " + error.message(), {}};
}

ErrorCode bind_to(Socket& socket, const asio::ip::tcp::endpoint& endpoint, const std::string& device)
{
    ErrorCode error;
    socket.open(endpoint.protocol(), error);
    if (!error
        && ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_BINDTODEVICE, device.data(), socklen_t(device.size())) != 0)
        error.assign(errno, boost::system::system_category());
    return error;
}

}  // namespace

Deadline::Deadline(Executor loop, std::chrono::steady_clock::duration after) : timer_(loop, after)
{
    timer_.async_wait([this, state = state_](ErrorCode) {
        // Stopped: `this` may be gone.
        if (state->stopped) return;
        state->passed = true;
        ErrorCode ignored;
        if (socket_) socket_->close(ignored);
        if (stream_) stream_->close();
    });
}

void Deadline::stop()
{
    state_->stopped = true;
    timer_.cancel();
}

Task<Result<Stream>> connect_stream(Pool& pool, Url url, SslContext tls, Deadline& deadline, Via via)
{
    const auto loop = co_await asio::this_coro::executor;
    if (url.tls && !tls) co_return fail(Errc::Invalid, "a TLS connection needs a TLS context");
    NW_CO_TRY(const auto endpoints, co_await run_on(pool, [&] { return resolve(url, via.address); }));
    Error last{Errc::Unavailable, "connect to " + url.authority() + ": no address", {}};
    for (const auto& endpoint : endpoints) {
        if (deadline.passed()) break;
        Socket socket(loop);
        if (!via.device.empty()) {
            if (const auto refused = bind_to(socket, endpoint, via.device)) {
                last.what = "interface " + via.device + ": " + refused.message();
                continue;
            }
        }
        deadline.watch(socket);
        const auto [error] = co_await socket.async_connect(endpoint, nothrow);
        deadline.watch_nothing();
        if (error) {
            last.what = "connect to " + endpoint.address().to_string() + " port " + std::to_string(url.port) + ": "
                        + error.message();
            continue;
        }
        ErrorCode ignored;
        socket.set_option(asio::ip::tcp::no_delay(true), ignored);
        Stream stream = url.tls ? Stream(std::move(socket), tls.get()) : Stream(std::move(socket));
        deadline.watch(stream);
        if (url.tls) {
            const auto [failed, none] = co_await stream.async_handshake_client(url.host, nothrow);
            deadline.watch_nothing();
            if (failed) {
                if (deadline.passed()) break;
                co_return std::unexpected(handshake_error(stream, failed));
            }
        }
        co_return stream;
    }
    if (deadline.passed()) co_return fail(Errc::Timeout, "connect to " + url.authority() + ": timed out");
    co_return std::unexpected(last);
}

}  // namespace nw::net
