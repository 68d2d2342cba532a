// TLS contexts (TLS 1.2 and later). OpenSSL's headers stay out of this one.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <memory>
#include <string>

struct ssl_ctx_st;

namespace nw::net {

using SslContext = std::shared_ptr<ssl_ctx_st>;

// A server's certificate. Connections made before a reload keep the old one. Used on one loop.
class TlsServer {
public:
    static Result<std::unique_ptr<TlsServer>> load(std::filesystem::path certificate, std::filesystem::path key);

    // Reads both files again; on an error the present certificate stays in use.
    Status reload();
    // Whether a file is newer than what is loaded.
    bool is_stale() const;
    const SslContext& context() const { return context_; }

private:
    TlsServer(std::filesystem::path certificate, std::filesystem::path key);

    std::filesystem::path certificate_;
    std::filesystem::path key_;
    std::filesystem::file_time_type loaded_at_{};
    SslContext context_{};
};

struct TlsClientOptions {
    std::string ca_file{};  // besides the system's roots; PEM
    bool verify = true;     // off only by an explicit flag of the user
};

Result<SslContext> make_tls_client(const TlsClientOptions& options);

}  // namespace nw::net
