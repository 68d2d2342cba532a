#include "net/stream.hpp"

#include "base/assert.hpp"

#include <boost/asio/ssl/error.hpp>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>

namespace nw::net {
namespace {

ErrorCode from_errno() { return ErrorCode(errno, boost::system::system_category()); }

}  // namespace

Stream::Stream(Socket socket) : socket_(std::move(socket))
{
    ErrorCode ignored;
    socket_.native_non_blocking(true, ignored);
}

Stream::Stream(Socket socket, SSL_CTX* context) : Stream(std::move(socket))
{
    ssl_.reset(SSL_new(context));
    NW_ASSERT(ssl_ != nullptr);
    SSL_set_fd(ssl_.get(), socket_.native_handle());
}

void Stream::close() noexcept
{
    ErrorCode ignored;
    socket_.close(ignored);
}

void Stream::shutdown() noexcept
{
    if (ssl_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
    ErrorCode ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    socket_.close(ignored);
}

Stream::Attempt Stream::read_now(asio::mutable_buffer buffer)
{
    if (buffer.size() == 0) return {};
    if (ssl_) {
        ERR_clear_error();
        Attempt done;
        const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &done.bytes);
        return result == 1 ? done : failed_tls(result);
    }
    const auto got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    if (got > 0) return {.bytes = std::size_t(got)};
    if (got == 0) return {.error = asio::error::eof};
    if (errno == EAGAIN || errno == EINTR) return {.wait = Wait::Readable};
    return {.error = from_errno()};
}

Stream::Attempt Stream::write_now(asio::const_buffer buffer)
{
    if (buffer.size() == 0) return {};
    if (ssl_) {
        ERR_clear_error();
        Attempt done;
        const int result = SSL_write_ex(ssl_.get(), buffer.data(), buffer.size(), &done.bytes);
        if (result != 1) return failed_tls(result);
        gather_.reset();
        return done;
    }
    const auto put = ::send(socket_.native_handle(), buffer.data(), buffer.size(), MSG_NOSIGNAL);
    if (put >= 0) {
        gather_.reset();
        return {.bytes = std::size_t(put)};
    }
    if (errno == EAGAIN || errno == EINTR) return {.wait = Wait::Writable};
    return {.error = from_errno()};
}

Stream::Attempt Stream::handshake_now()
{
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    return result == 1 ? Attempt{} : failed_tls(result);
}

Stream::Attempt Stream::failed_tls(int result) const
{
    switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return {.wait = Wait::Readable};
    case SSL_ERROR_WANT_WRITE: return {.wait = Wait::Writable};
    case SSL_ERROR_ZERO_RETURN: return {.error = asio::error::eof};
    case SSL_ERROR_SYSCALL: return {.error = errno != 0 ? from_errno() : ErrorCode(asio::error::eof)};
    default: break;
    }
    const auto code = ERR_get_error();
    if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return {.error = asio::ssl::error::stream_truncated};
    return {.error = ErrorCode(int(code), asio::error::get_ssl_category())};
}

void Stream::prepare_client(const std::string& server_name)
{
    SSL_set_connect_state(ssl_.get());
    in6_addr address{};
    const bool is_address =
        inet_pton(AF_INET, server_name.c_str(), &address) == 1 || inet_pton(AF_INET6, server_name.c_str(), &address) == 1;
    if (is_address) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), server_name.c_str());
    } else {
        SSL_set_tlsext_host_name(ssl_.get(), server_name.c_str());
        SSL_set1_host(ssl_.get(), server_name.c_str());
    }
}

}  // namespace nw::net
