#include "net/ws_client.hpp"

#include "net/connect.hpp"
#include "net/websocket.hpp"

#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/error.hpp>

namespace nw::net {

namespace ws = boost::beast::websocket;

Task<Result<std::unique_ptr<MessageChannel>>> connect_websocket(Pool& pool, TaskGroup& writers, WebSocketTarget target)
{
    NW_CO_TRY(const auto url, parse_url(target.url));
    Deadline deadline(co_await asio::this_coro::executor, target.deadline);
    NW_CO_TRY(auto stream, co_await connect_stream(pool, url, target.tls, deadline));

    const ChannelLimits limits{
        .message_bytes_max = target.message_bytes_max, .queue_bytes_max = target.queue_bytes_max, .binary = target.binary};
    auto socket = std::make_unique<WebSocket>(std::move(stream));
    configure(*socket, limits);
    socket->set_option(ws::stream_base::decorator([&](ws::request_type& request) {
        request.set(boost::beast::http::field::user_agent, "netwatcher");
        for (const auto& [name, value] : target.headers) request.set(name, value);
    }));
    deadline.watch(socket->next_layer());
    ws::response_type response;
    const auto [error] = co_await socket->async_handshake(response, url.authority(), url.target, nothrow);
    deadline.watch_nothing();
    if (deadline.passed()) co_return fail(Errc::Timeout, "connect to " + url.authority() + ": timed out");
    if (error) {
        const auto status = response.result_int();
        if (error == ws::error::upgrade_declined && (status == 401 || status == 403))
            co_return fail(Errc::Denied, "the server refused the credential (" + std::to_string(status) + ")");
        if (error == ws::error::upgrade_declined)
            co_return fail(Errc::Unavailable, "the server answered " + std::to_string(status) + " to the upgrade");
        co_return fail(Errc::Unavailable, "WebSocket handshake: " + error.message());
    }
    co_return std::make_unique<WebSocketChannel>(std::move(socket), limits, writers);
}

}  // namespace nw::net
