#include "net/http_client.hpp"

#include "base/text.hpp"
#include "net/connect.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace nw::net {
namespace {

namespace http = boost::beast::http;

http::request<http::string_body> to_beast(const ClientRequest& request, const Url& url)
{
    http::request<http::string_body> out{http::string_to_verb(std::string(name_of(request.method))), url.target, 11};
    out.set(http::field::host, url.authority());
    out.set(http::field::user_agent, "netwatcher");
    out.set(http::field::connection, "close");
    for (const auto& [name, value] : request.headers) out.set(name, value);
    out.body() = request.body;
    out.prepare_payload();
    return out;
}

}  // namespace

Task<Result<ClientResponse>> fetch(Pool& pool, ClientRequest request)
{
    NW_CO_TRY(const auto url, parse_url(request.url));
    Deadline deadline(co_await asio::this_coro::executor, request.deadline);
    NW_CO_TRY(auto stream, co_await connect_stream(pool, url, request.tls, deadline, request.via));
    deadline.watch(stream);

    const auto message = to_beast(request, url);
    http::request_serializer<http::string_body> serializer(message);
    auto [write_error, written] = co_await http::async_write(stream, serializer, nothrow);
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(request.body_bytes_max);
    if (request.method == Method::Head) parser.skip(true);
    // A server may answer and close before it has read everything: the answer counts.
    auto [read_error, got] = co_await http::async_read(stream, buffer, parser, nothrow);
    deadline.watch_nothing();
    if (deadline.passed())
        co_return fail(Errc::Timeout, name_of(request.method).data() + (" " + request.url) + ": timed out");
    if (read_error) {
        const auto& cause = write_error ? write_error : read_error;
        co_return fail(Errc::Unavailable, std::string(name_of(request.method)) + " " + request.url + ": " + cause.message());
    }
    ClientResponse response{.status = int(parser.get().result_int())};
    for (const auto& field : parser.get())
        response.headers.insert_or_assign(lower(std::string_view(field.name_string().data(), field.name_string().size())),
                                          std::string(field.value()));
    response.body = std::move(parser.get().body());
    co_return response;
}

}  // namespace nw::net
