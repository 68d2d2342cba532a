#include "net/http_server.hpp"

#include "base/task_group.hpp"
#include "base/text.hpp"
#include "net/websocket.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <list>
#include <memory>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace nw::net {
namespace {

namespace http = boost::beast::http;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Parser = http::request_parser<http::string_body>;

constexpr int kBacklog = 4096;
constexpr auto kSweepEvery = std::chrono::milliseconds(500);
constexpr std::size_t kReadBufferBytes = 4096;
constexpr std::uint64_t kHandshakesToClearUp = 256;
constexpr auto kQuietAfterHandshakes = std::chrono::seconds(2);

Method method_of(http::verb verb)
{
    switch (verb) {
    case http::verb::get: return Method::Get;
    case http::verb::head: return Method::Head;
    case http::verb::post: return Method::Post;
    case http::verb::put: return Method::Put;
    case http::verb::patch: return Method::Patch;
    case http::verb::delete_: return Method::Delete;
    case http::verb::options: return Method::Options;
    default: return Method::Other;
    }
}

Params header_values(const http::request<http::string_body>& message)
{
    Params headers;
    for (const auto& field : message) {
        const auto name = field.name_string();
        auto [at, fresh] = headers.try_emplace(lower(std::string_view(name.data(), name.size())), field.value());
        if (!fresh) at->second += ", " + std::string(field.value());
    }
    return headers;
}

int status_of_read_error(const ErrorCode& error)
{
    if (error == http::error::body_limit) return 413;
    if (error == http::error::header_limit) return 431;
    return 400;
}

// Whether the peer broke the protocol, as opposed to having gone away: only then is there somebody to answer.
bool is_protocol_error(const ErrorCode& error)
{
    return error.category() == http::make_error_code(http::error::end_of_stream).category()
           && error != http::error::end_of_stream && error != http::error::partial_message;
}

}  // namespace

class HttpServer::Impl {
public:
    Impl(Loop& loop, const Clock& clock, Log log, HttpServerOptions options, Handler handler)
        : loop_(loop.get_executor()), clock_(clock), log_(std::move(log)), options_(std::move(options)),
          handler_(std::move(handler)), tasks_(loop_, log_), sweep_timer_(loop_)
    {
        tasks_.spawn("connection sweep", sweep());
    }

    Result<std::uint16_t> listen(const std::string& address, std::uint16_t port, const TlsServer* tls);
    Task<void> close();
    HttpServerStats stats() const { return stats_; }

private:
    // What the sweep needs to know about a connection.
    struct Connection {
        Stream* stream = nullptr;  // null while a WebSocket, which has its own timeouts
        Instant deadline{};
        std::string remote{};
    };
    using Entry = std::list<Connection>::iterator;
    struct Upgrade {
        http::request<http::string_body> request{};
        Response response{};
    };
    // How a connection goes on after a request.
    struct Next {
        bool again = false;
        std::unique_ptr<Upgrade> upgrade{};
    };

    Task<void> accept_loop(std::shared_ptr<Acceptor> acceptor, const TlsServer* tls);
    Task<void> serve(Socket socket, const TlsServer* tls, std::string remote);
    Task<void> serve_requests(Stream& stream, Entry entry);
    Task<Next> serve_one(Stream& stream, boost::beast::flat_buffer& buffer, Entry entry);
    Task<void> serve_websocket(Stream& stream, std::unique_ptr<Upgrade> upgrade, Entry entry);
    Task<ErrorCode> write(Stream& stream, const Response& response, bool keep_alive, bool head_only);
    Task<ErrorCode> write_stream(Stream& stream, const Response& response);
    Task<void> refuse(Stream& stream, const ErrorCode& error);
    Task<void> sweep();
    Result<Request> to_request(http::request<http::string_body>& message, const Connection& connection, bool tls);
    void apply_proxy(Request& request) const;
    std::string head(const Response& response, bool keep_alive, std::optional<std::size_t> length) const;
    std::string next_request_id() { return fmt::format("{}-{:x}", request_prefix_, ++request_count_); }
    void give_back_memory(Instant now);
    void set_deadline(Entry entry, std::chrono::seconds after) { entry->deadline = clock_.instant() + after; }

    Executor loop_;
    const Clock& clock_;
    Log log_;
    HttpServerOptions options_;
    Handler handler_;
    TaskGroup tasks_;
    Timer sweep_timer_;
    std::vector<std::shared_ptr<Acceptor>> acceptors_{};
    std::list<Connection> connections_{};
    HttpServerStats stats_{};
    std::uint64_t request_count_ = 0;
    std::uint64_t handshakes_ = 0;  // since memory was given back
    Instant handshake_at_{};
    std::string request_prefix_ = fmt::format("{:x}", to_us(clock_.wall()) / 1'000'000);
};

Result<std::uint16_t> HttpServer::Impl::listen(const std::string& address, std::uint16_t port, const TlsServer* tls)
{
    ErrorCode error;
    const auto ip = asio::ip::make_address(address, error);
    if (error) return fail(Errc::Invalid, "listen address '" + address + "' is not an IP address");
    const asio::ip::tcp::endpoint endpoint(ip, port);
    auto acceptor = std::make_shared<Acceptor>(loop_);
    acceptor->open(endpoint.protocol(), error);
    if (!error) acceptor->set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor->bind(endpoint, error);
    if (!error) acceptor->listen(kBacklog, error);
    if (error) return fail(Errc::Unavailable, fmt::format("listen on {} port {}: {}", address, port, error.message()));
    const auto bound = acceptor->local_endpoint(error).port();
    acceptors_.push_back(acceptor);
    tasks_.spawn("accept", accept_loop(std::move(acceptor), tls));
    return bound;
}

Task<void> HttpServer::Impl::close()
{
    ErrorCode ignored;
    for (auto& acceptor : acceptors_) acceptor->close(ignored);
    co_await tasks_.close();
}

Task<void> HttpServer::Impl::accept_loop(std::shared_ptr<Acceptor> acceptor, const TlsServer* tls)
{
    Timer pause(loop_);
    while (acceptor->is_open()) {
        auto [error, socket] = co_await acceptor->async_accept(nothrow);
        if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) co_return;
        if (error) {  // out of file descriptors, most likely: let some connections end
            pause.expires_after(std::chrono::milliseconds(100));
            (void)co_await pause.async_wait(nothrow);
            continue;
        }
        ++stats_.accepted;
        if (connections_.size() >= options_.connections_max) {
            ++stats_.refused;
            continue;
        }
        ErrorCode ignored;
        socket.set_option(asio::ip::tcp::no_delay(true), ignored);
        auto remote = socket.remote_endpoint(ignored).address();
        if (remote.is_v6() && remote.to_v6().is_v4_mapped())
            remote = asio::ip::make_address_v4(asio::ip::v4_mapped, remote.to_v6());
        tasks_.spawn("connection", serve(std::move(socket), tls, remote.to_string()));
    }
}

Task<void> HttpServer::Impl::serve(Socket socket, const TlsServer* tls, std::string remote)
{
    auto stream = tls ? Stream(std::move(socket), tls->context().get()) : Stream(std::move(socket));
    // Keeps the context of this connection alive when a reload replaces it: SSL objects hold their own reference.
    const auto entry = connections_.insert(connections_.end(), {.stream = &stream, .remote = std::move(remote)});
    ++stats_.connections;
    struct Leave {
        Impl& server;
        Entry entry;
        ~Leave()
        {
            server.connections_.erase(entry);
            --server.stats_.connections;
        }
    } leave{*this, entry};

    if (tls) {
        set_deadline(entry, options_.request);
        const auto [error, none] = co_await stream.async_handshake_server(nothrow);
        ++handshakes_;
        handshake_at_ = clock_.instant();
        if (error) co_return;
    }
    co_await serve_requests(stream, entry);
}

Task<void> HttpServer::Impl::serve_requests(Stream& stream, Entry entry)
{
    boost::beast::flat_buffer buffer(options_.header_bytes_max + options_.body_bytes_max);
    buffer.reserve(kReadBufferBytes);
    Next next;
    do next = co_await serve_one(stream, buffer, entry);
    while (next.again);
    if (next.upgrade) {
        // Agents are many and idle: neither the buffer nor the parser of requests stays with them.
        buffer.clear();
        buffer.shrink_to_fit();
        co_await serve_websocket(stream, std::move(next.upgrade), entry);
    }
    if (entry->stream) stream.shutdown();
}

// One request and its answer.
Task<HttpServer::Impl::Next> HttpServer::Impl::serve_one(Stream& stream, boost::beast::flat_buffer& buffer, Entry entry)
{
    Parser parser;
    parser.header_limit(std::uint32_t(options_.header_bytes_max));
    parser.body_limit(options_.body_bytes_max);
    set_deadline(entry, options_.idle);
    auto [head_error, head_bytes] = co_await http::async_read_header(stream, buffer, parser, nothrow);
    if (head_error) {
        if (is_protocol_error(head_error)) co_await refuse(stream, head_error);
        co_return Next{};
    }
    if (!parser.is_done()) {
        set_deadline(entry, options_.request);
        auto [body_error, body_bytes] = co_await http::async_read(stream, buffer, parser, nothrow);
        if (body_error) {
            if (is_protocol_error(body_error)) co_await refuse(stream, body_error);
            co_return Next{};
        }
    }
    ++stats_.requests;
    auto message = parser.release();
    const bool keep_alive = message.keep_alive();
    const bool head_only = message.method() == http::verb::head;
    auto request = to_request(message, *entry, stream.is_tls());
    if (!request) {
        const auto answer = problem(400, request.error().what, "");
        co_await write(stream, answer, false, head_only);
        co_return Next{};
    }
    set_deadline(entry, options_.response);
    auto response = co_await handler_(*std::move(request));
    if (response.websocket) co_return Next{.upgrade = std::make_unique<Upgrade>(std::move(message), std::move(response))};
    set_deadline(entry, options_.response);
    const auto error = co_await write(stream, response, keep_alive, head_only);
    co_return Next{.again = keep_alive && !error};
}

Task<void> HttpServer::Impl::serve_websocket(Stream& stream, std::unique_ptr<Upgrade> upgrade, Entry entry)
{
    auto response = std::move(upgrade->response);
    const ChannelLimits limits{.message_bytes_max = response.message_bytes_max, .binary = response.binary_messages};
    auto socket = std::make_unique<WebSocket>(std::move(stream));
    entry->stream = nullptr;
    configure(*socket, limits);
    const auto [error] = co_await socket->async_accept(upgrade->request, nothrow);
    if (error) co_return;
    upgrade.reset();
    co_await response.websocket(std::make_unique<WebSocketChannel>(std::move(socket), limits, tasks_));
}

std::string HttpServer::Impl::head(const Response& response, bool keep_alive, std::optional<std::size_t> length) const
{
    auto out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
    if (!response.content_type.empty()) out += "Content-Type: " + response.content_type + "\r\n";
    for (const auto& [name, value] : options_.headers) out += name + ": " + value + "\r\n";
    for (const auto& [name, value] : response.headers) out += name + ": " + value + "\r\n";
    if (!length) out += "Transfer-Encoding: chunked\r\n";
    else if (response.status != 204 && response.status != 304) out += fmt::format("Content-Length: {}\r\n", *length);
    if (!keep_alive) out += "Connection: close\r\n";
    return out + "\r\n";
}

Task<ErrorCode> HttpServer::Impl::write(Stream& stream, const Response& response, bool keep_alive, bool head_only)
{
    if (response.source) {
        const auto start = head(response, keep_alive, std::nullopt);
        auto [error, bytes] = co_await asio::async_write(stream, asio::buffer(start), nothrow);
        if (error || head_only) co_return error;
        co_return co_await write_stream(stream, response);
    }
    const auto body = response.static_body.empty() ? std::string_view(response.body) : response.static_body;
    const auto start = head(response, keep_alive, body.size());
    std::array<asio::const_buffer, 2> parts{asio::buffer(start), asio::buffer(body.data(), head_only ? 0 : body.size())};
    auto [error, bytes] = co_await asio::async_write(stream, parts, nothrow);
    co_return error;
}

// Chunked transfer coding (RFC 9112 section 7.1). An error in the middle ends the connection without the last
// chunk, which tells the client that the body is incomplete.
Task<ErrorCode> HttpServer::Impl::write_stream(Stream& stream, const Response& response)
{
    for (;;) {
        auto piece = co_await response.source();
        if (!piece) {
            log_.warn("a streamed answer broke off: {}", piece.error().what);
            co_return asio::error::connection_aborted;
        }
        const auto chunk = fmt::format("{:x}\r\n", piece->size()) + *piece + "\r\n";
        auto [error, bytes] = co_await asio::async_write(stream, asio::buffer(chunk), nothrow);
        if (error || piece->empty()) co_return error;
    }
}

Task<void> HttpServer::Impl::refuse(Stream& stream, const ErrorCode& error)
{
    const auto answer = problem(status_of_read_error(error), error.message(), next_request_id());
    co_await write(stream, answer, false, false);
}

Result<Request> HttpServer::Impl::to_request(http::request<http::string_body>& message, const Connection& connection,
                                             bool tls)
{
    NW_TRY(auto target, parse_target({message.target().data(), message.target().size()}));
    Request request{.method = method_of(message.method()),
                    .path = std::move(target.path),
                    .query = std::move(target.query),
                    .headers = header_values(message),
                    .body = std::move(message.body()),
                    .remote = connection.remote,
                    .secure = tls,
                    .id = next_request_id(),
                    .wants_websocket = boost::beast::websocket::is_upgrade(message)};
    apply_proxy(request);
    return request;
}

void HttpServer::Impl::apply_proxy(Request& request) const
{
    if (std::ranges::find(options_.trusted_proxies, request.remote) == options_.trusted_proxies.end()) return;
    if (request.header("x-forwarded-proto") == "https") request.secure = true;
    // The last entry is what our proxy saw; those before it are what its client claimed.
    const auto forwarded = request.header("x-forwarded-for");
    const auto last = trimmed(forwarded.substr(forwarded.rfind(',') + 1));
    ErrorCode error;
    const auto address = asio::ip::make_address(std::string(last), error);
    if (!error) request.remote = address.to_string();
}

Task<void> HttpServer::Impl::sweep()
{
    for (;;) {
        sweep_timer_.expires_after(kSweepEvery);
        co_await sweep_timer_.async_wait(nothrow);
        const auto now = clock_.instant();
        for (auto& connection : connections_) {
            if (!connection.stream || connection.deadline > now) continue;
            connection.deadline = now + std::chrono::hours(1);
            ++stats_.timeouts;
            connection.stream->close();
        }
        give_back_memory(now);
    }
}

// A TLS handshake takes some 50 KB for a moment. When thousands of agents come back together, what is left between the
// memory that stays is half as large as that, and the allocator keeps it: 34 of 95 MB with 2,000 connections.
void HttpServer::Impl::give_back_memory(Instant now)
{
    if (handshakes_ < kHandshakesToClearUp || now - handshake_at_ < kQuietAfterHandshakes) return;
    handshakes_ = 0;
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
}

HttpServer::HttpServer(Loop& loop, const Clock& clock, Log log, HttpServerOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(loop, clock, std::move(log), std::move(options), std::move(handler)))
{}
HttpServer::~HttpServer() = default;

Result<std::uint16_t> HttpServer::listen(const std::string& address, std::uint16_t port, const TlsServer* tls)
{
    return impl_->listen(address, port, tls);
}
Task<void> HttpServer::close() { return impl_->close(); }
HttpServerStats HttpServer::stats() const { return impl_->stats(); }

}  // namespace nw::net
