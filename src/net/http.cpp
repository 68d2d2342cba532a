#include "net/http.hpp"

#include "base/json_writer.hpp"
#include "base/text.hpp"

#include <array>

namespace nw::net {
namespace {

int hex_value(char c)
{
    const auto byte = from_hex(std::string("0") + c);
    return byte ? std::to_integer<int>(byte->front()) : -1;
}

// '+' is a space in queries (application/x-www-form-urlencoded) and itself in paths.
Result<std::string> percent_decoded(std::string_view text, bool plus_is_space)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            if (i + 2 >= text.size()) return fail(Errc::Invalid, "malformed percent escape in the request target");
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return fail(Errc::Invalid, "malformed percent escape in the request target");
            out += char(high * 16 + low);
            i += 2;
        }
    }
    return out;
}

}  // namespace

std::string_view name_of(Method method)
{
    constexpr std::array<std::string_view, 8> names{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "?"};
    return names[std::size_t(method)];
}

std::string_view Request::header(std::string_view name) const
{
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::string> Request::cookie(std::string_view name) const
{
    for (const auto part : split(header("cookie"), ';')) {
        const auto pair = trimmed(part);
        if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
            return std::string(pair.substr(name.size() + 1));
    }
    return std::nullopt;
}

int status_of(Errc code)
{
    switch (code) {
    case Errc::Invalid: return 422;
    case Errc::Denied: return 403;
    case Errc::NotFound: return 404;
    case Errc::Conflict: return 409;
    case Errc::Unavailable: return 503;
    case Errc::Timeout: return 504;
    case Errc::Corrupt: return 500;
    }
    return 500;
}

std::string_view reason_phrase(int status)
{
    switch (status) {
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Status";
    }
}

namespace {

Response problem_response(int status, std::string_view detail, const std::vector<FieldProblem>& fields,
                          std::string_view request_id)
{
    JsonWriter json;
    json.object()
        .field("type", "about:blank")
        .field("title", reason_phrase(status))
        .field("status", status)
        .field("detail", detail)
        .field("request_id", request_id)
        .key("errors")
        .array();
    for (const auto& problem : fields)
        json.object().field("field", problem.field).field("message", problem.what).end_object();
    json.end_array().end_object();
    return {.status = status, .content_type = "application/problem+json", .body = std::move(json).str()};
}

}  // namespace

Response problem(const Error& error, std::string_view request_id)
{
    // What is stored or how it broke is for the log, not for the client.
    const auto detail = error.code == Errc::Corrupt ? "internal error" : std::string_view(error.what);
    return problem_response(status_of(error.code), detail, error.fields, request_id);
}

Response problem(int status, std::string_view detail, std::string_view request_id)
{
    return problem_response(status, detail, {}, request_id);
}

Result<Target> parse_target(std::string_view target)
{
    Target out;
    const auto mark = target.find('?');
    NW_TRY(out.path, percent_decoded(target.substr(0, mark), false));
    if (out.path.empty() || out.path.front() != '/') return fail(Errc::Invalid, "the request target must be a path");
    if (mark == std::string_view::npos) return out;
    for (const auto part : split(target.substr(mark + 1), '&')) {
        if (part.empty()) continue;
        const auto equals = part.find('=');
        NW_TRY(auto name, percent_decoded(part.substr(0, equals), true));
        std::string value;
        if (equals != std::string_view::npos) {
            NW_TRY(value, percent_decoded(part.substr(equals + 1), true));
        }
        out.query.insert_or_assign(std::move(name), std::move(value));
    }
    return out;
}

std::string percent_encoded(std::string_view text)
{
    constexpr std::string_view safe = "-._~";
    std::string out;
    for (const char c : text) {
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || safe.find(c) != safe.npos)
            out += c;
        else out += "%" + to_hex(bytes_of(std::string_view(&c, 1)));
    }
    return out;
}

}  // namespace nw::net
