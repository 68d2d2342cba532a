// One TCP connection, plain or TLS, as a Beast AsyncStream. OpenSSL does its own non-blocking socket I/O
// (SSL_set_fd) and Asio only waits for readiness: without the BIO pair and its two 17 KiB staging buffers an idle
// connection costs little more than its SSL object. Private to net/.
#pragma once

#include "base/async.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

namespace nw::net {

using ErrorCode = boost::system::error_code;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

class Stream {
public:
    using executor_type = Executor;

    explicit Stream(Socket socket);           // plain
    Stream(Socket socket, SSL_CTX* context);  // TLS; handshake before anything else
    Stream(Stream&&) = default;
    Stream& operator=(Stream&&) = default;

    executor_type get_executor() noexcept { return socket_.get_executor(); }
    bool is_tls() const { return ssl_ != nullptr; }
    SSL* ssl() const { return ssl_.get(); }
    void close() noexcept;
    void shutdown() noexcept;

    // Completes with (error, 0). As a client it sends `server_name` (RFC 6066) and checks the certificate against it.
    template <class Token>
    auto async_handshake_server(Token&& token)
    {
        SSL_set_accept_state(ssl_.get());
        return async_handshake(std::forward<Token>(token));
    }
    template <class Token>
    auto async_handshake_client(const std::string& server_name, Token&& token)
    {
        prepare_client(server_name);
        return async_handshake(std::forward<Token>(token));
    }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token)
    {
        const auto buffer = first_of<asio::mutable_buffer>(buffers);
        return drive([buffer](Stream& stream) { return stream.read_now(buffer); }, std::forward<Token>(token));
    }
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token)
    {
        const auto buffer = gathered(buffers);
        return drive([buffer](Stream& stream) { return stream.write_now(buffer); }, std::forward<Token>(token));
    }

private:
    enum class Wait : std::uint8_t { None, Readable, Writable };
    struct Attempt {
        Wait wait = Wait::None;
        ErrorCode error{};
        std::size_t bytes = 0;
    };

    Attempt read_now(asio::mutable_buffer buffer);
    Attempt write_now(asio::const_buffer buffer);
    Attempt handshake_now();
    Attempt failed_tls(int result) const;
    void prepare_client(const std::string& server_name);

    template <class Token>
    auto async_handshake(Token&& token)
    {
        return drive([](Stream& stream) { return stream.handshake_now(); }, std::forward<Token>(token));
    }

    template <class Buffer, class Sequence>
    static Buffer first_of(const Sequence& sequence)
    {
        for (auto it = asio::buffer_sequence_begin(sequence); it != asio::buffer_sequence_end(sequence); ++it)
            if (const Buffer buffer(*it); buffer.size() > 0) return buffer;
        return {};
    }

    // Small gather lists (a header and its payload) leave as one write and one TLS record.
    template <class Sequence>
    asio::const_buffer gathered(const Sequence& sequence)
    {
        constexpr std::size_t kGatherMax = 16 * 1024;
        const auto first = first_of<asio::const_buffer>(sequence);
        const auto total = asio::buffer_size(sequence);
        if (first.size() == total || first.size() >= kGatherMax) return first;
        const auto size = std::min(total, kGatherMax);
        gather_ = std::make_unique<char[]>(size);
        asio::buffer_copy(asio::buffer(gather_.get(), size), sequence);
        return {gather_.get(), size};
    }

    // Tries `attempt`, waiting for the readiness it asks for, until it is done.
    template <class AttemptNow>
    struct Drive {
        Stream& stream;
        AttemptNow attempt;
        bool suspended = false;
        bool finished = false;
        Attempt result{};

        template <class Self>
        void operator()(Self& self, ErrorCode error = {}, std::size_t = 0)
        {
            if (finished) return self.complete(result.error, result.bytes);
            if (error) return self.complete(error, 0);
            result = attempt(stream);
            if (result.wait != Wait::None) {
                suspended = true;
                const auto what = result.wait == Wait::Readable ? Socket::wait_read : Socket::wait_write;
                return stream.socket_.async_wait(what, std::move(self));
            }
            if (suspended) return self.complete(result.error, result.bytes);
            finished = true;  // an initiating function must not complete inline
            asio::post(stream.get_executor(), std::move(self));
        }
    };
    template <class AttemptNow, class Token>
    auto drive(AttemptNow attempt, Token&& token)
    {
        return asio::async_compose<Token, void(ErrorCode, std::size_t)>(Drive<AttemptNow>{*this, std::move(attempt)}, token,
                                                                        socket_);
    }

    struct SslFree {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };

    Socket socket_;
    std::unique_ptr<SSL, SslFree> ssl_{};
    std::unique_ptr<char[]> gather_{};
};

template <class Handler>
void async_teardown(boost::beast::role_type, Stream& stream, Handler&& handler)
{
    stream.shutdown();
    asio::post(stream.get_executor(), [handler = std::forward<Handler>(handler)]() mutable { handler(ErrorCode{}); });
}
inline void teardown(boost::beast::role_type, Stream& stream, ErrorCode&) { stream.close(); }
inline void beast_close_socket(Stream& stream) { stream.close(); }

}  // namespace nw::net
