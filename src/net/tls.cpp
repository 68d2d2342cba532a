#include "net/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

namespace nw::net {
namespace {

SslContext make_context(const SSL_METHOD* method)
{
    auto context = SslContext(SSL_CTX_new(method), SSL_CTX_free);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    return context;
}

std::unexpected<Error> tls_failure(const std::string& doing)
{
    char text[256] = "unknown error";
    if (const auto code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return fail(Errc::Invalid, doing + ": " + text);
}

Result<SslContext> load_server(const std::filesystem::path& certificate, const std::filesystem::path& key)
{
    auto context = make_context(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1)
        return tls_failure("TLS certificate " + certificate.string());
    if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1)
        return tls_failure("TLS key " + key.string());
    if (SSL_CTX_check_private_key(context.get()) != 1)
        return tls_failure("TLS key " + key.string() + " does not belong to " + certificate.string());
    // Forward-secret AEAD suites only; TLS 1.3's own are all fine.
    SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets need no memory here
    SSL_CTX_set_num_tickets(context.get(), 1);
    return context;
}

std::filesystem::file_time_type newest(const std::filesystem::path& a, const std::filesystem::path& b)
{
    std::error_code ignored;
    return std::max(std::filesystem::last_write_time(a, ignored), std::filesystem::last_write_time(b, ignored));
}

}  // namespace

TlsServer::TlsServer(std::filesystem::path certificate, std::filesystem::path key)
    : certificate_(std::move(certificate)), key_(std::move(key))
{}

Result<std::unique_ptr<TlsServer>> TlsServer::load(std::filesystem::path certificate, std::filesystem::path key)
{
    auto server = std::unique_ptr<TlsServer>(new TlsServer(std::move(certificate), std::move(key)));
    NW_CHECK(server->reload());
    return server;
}

Status TlsServer::reload()
{
    // Taken before reading: a change during the read is then seen as stale once more.
    const auto changed_at = newest(certificate_, key_);
    loaded_at_ = changed_at;
    NW_TRY(context_, load_server(certificate_, key_));
    return {};
}

bool TlsServer::is_stale() const { return newest(certificate_, key_) > loaded_at_; }

Result<SslContext> make_tls_client(const TlsClientOptions& options)
{
    auto context = make_context(TLS_client_method());
    SSL_CTX_set_verify(context.get(), options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    if (!options.verify) return context;
    SSL_CTX_set_default_verify_paths(context.get());
    if (!options.ca_file.empty() && SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr) != 1)
        return tls_failure("CA file " + options.ca_file);
    return context;
}

}  // namespace nw::net
