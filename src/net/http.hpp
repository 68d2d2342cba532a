// Requests and responses as values. The server in net/http_server.cpp is the only code that knows how they
// travel, so handlers are tested by calling them.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "net/channel.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nw::net {

enum class Method : std::uint8_t { Get, Head, Post, Put, Patch, Delete, Options, Other };
std::string_view name_of(Method method);

using Params = std::map<std::string, std::string, std::less<>>;

struct Request {
    Method method = Method::Get;
    std::string path{};  // percent-decoded, without the query
    Params query{};      // percent-decoded; of a repeated name the last
    Params headers{};    // names in lower case; repeated values joined by ", "
    std::string body{};
    std::string remote{};  // the client's address; a trusted proxy's X-Forwarded-For is already applied
    bool secure = false;   // TLS here or at a trusted proxy
    std::string id{};      // for logs, errors and the audit log
    bool wants_websocket = false;

    std::string_view header(std::string_view name) const;
    std::optional<std::string> cookie(std::string_view name) const;
};

// Produces the next piece of a long body; an empty piece ends it.
using BodySource = std::function<Task<Result<std::string>>()>;
// Serves an upgraded connection until it returns.
using ChannelHandler = std::function<Task<void>(std::unique_ptr<MessageChannel>)>;

struct Response {
    int status = 200;
    std::string content_type{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};
    std::string_view static_body{};            // instead of `body`: bytes that live as long as the program
    BodySource source{};                       // instead of `body`: streamed in chunks
    ChannelHandler websocket{};                // accept the upgrade and serve it
    std::size_t message_bytes_max = 64 << 10;  // of the WebSocket
    bool binary_messages = false;              // what the WebSocket sends
};

// The one place where an error becomes an HTTP status.
int status_of(Errc code);
// RFC 9457 problem details: {type, title, status, detail, request_id, errors: [{field, message}]}.
Response problem(const Error& error, std::string_view request_id);
Response problem(int status, std::string_view detail, std::string_view request_id);
std::string_view reason_phrase(int status);

// Splits a request target into a decoded path and query; Invalid for malformed percent escapes.
struct Target {
    std::string path{};
    Params query{};
};
Result<Target> parse_target(std::string_view target);
std::string percent_encoded(std::string_view text);

}  // namespace nw::net
