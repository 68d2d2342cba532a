// A small HTTP/1.1 client for the controller's own API (enrolment, the command line): one request per connection.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"
#include "net/http.hpp"
#include "net/tls.hpp"
#include "net/via.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace nw::net {

struct ClientRequest {
    Method method = Method::Get;
    std::string url{};  // http:// or https://
    SslContext tls{};   // needed for https: make_tls_client
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};
    std::chrono::milliseconds deadline{15'000};
    std::size_t body_bytes_max = 16 << 20;
    Via via{};
};

struct ClientResponse {
    int status = 0;
    Params headers{};  // names in lower case
    std::string body{};
};

// Errors: Invalid (URL), Timeout, Unavailable. A status of any kind is an answer, not an error.
Task<Result<ClientResponse>> fetch(Pool& pool, ClientRequest request);

}  // namespace nw::net
