#include "net/websocket.hpp"

#include <boost/beast/websocket/error.hpp>

#include <algorithm>
#include <list>
#include <utility>

namespace nw::net {
namespace {

namespace ws = boost::beast::websocket;

constexpr auto kHandshakeTimeout = std::chrono::seconds(10);
constexpr auto kIdleTimeout = std::chrono::seconds(60);  // a ping goes out after half of it
constexpr std::size_t kWriteBufferBytes = 512;
constexpr std::size_t kMessageOverhead = 64;
constexpr std::size_t kWaitingBytes = 128;  // what an idle connection holds to read into
constexpr std::size_t kReadMoreBytes = 4096;

Error gone(const ErrorCode& error)
{
    if (error == ws::error::message_too_big || error == ws::error::buffer_overflow)
        return {Errc::Invalid, "message larger than allowed", {}};
    return {Errc::Unavailable, "connection closed: " + error.message(), {}};
}

}  // namespace

struct WebSocketChannel::State {
    State(std::unique_ptr<WebSocket> socket_in, ChannelLimits limits_in, TaskGroup& writers_in)
        : socket(std::move(socket_in)), limits(limits_in), writers(writers_in), drained(socket->get_executor())
    {}

    std::unique_ptr<WebSocket> socket;
    ChannelLimits limits;
    TaskGroup& writers;
    std::list<std::string> queue{};  // empty most of the time, and then without memory of its own
    std::size_t queued = 0;
    Timer drained;  // cancelled when the queue has shrunk or the channel has ended
    std::string goodbye{};
    CloseCode code = CloseCode::Normal;
    bool writing = false;
    bool closing = false;  // no more messages; what is queued still leaves
    bool ended = false;

    void end()
    {
        ended = true;
        closing = true;
        queue.clear();
        queued = 0;
        socket->next_layer().close();
        drained.cancel();
    }
};

void configure(WebSocket& socket, const ChannelLimits& limits)
{
    socket.set_option(ws::stream_base::timeout{kHandshakeTimeout, kIdleTimeout, true});
    socket.write_buffer_bytes(kWriteBufferBytes);
    socket.auto_fragment(false);
    socket.read_message_max(limits.message_bytes_max);
    socket.binary(limits.binary);
}

WebSocketChannel::WebSocketChannel(std::unique_ptr<WebSocket> socket, ChannelLimits limits, TaskGroup& writers)
    : state_(std::make_shared<State>(std::move(socket), limits, writers))
{}

WebSocketChannel::~WebSocketChannel() { state_->end(); }

Task<Result<std::string>> WebSocketChannel::receive()
{
    const auto state = state_;
    if (state->ended) co_return fail(Errc::Unavailable, "connection closed");
    // Into the message itself, so that it is not copied; the first bytes tell how large the rest is.
    auto& socket = *state->socket;
    std::string message;
    std::size_t size = 0;
    do {
        const auto room = size == 0 ? kWaitingBytes : socket.read_size_hint(kReadMoreBytes);
        message.resize_and_overwrite(size + room, [](char*, std::size_t length) { return length; });
        const auto [error, bytes] = co_await socket.async_read_some(asio::buffer(message.data() + size, room), nothrow);
        if (error) {
            state->end();
            co_return std::unexpected(gone(error));
        }
        size += bytes;
    } while (!socket.is_message_done());
    message.resize(size);
    co_return message;
}

bool WebSocketChannel::post(std::string message)
{
    auto& state = *state_;
    if (state.closing) return false;
    if (state.queued + message.size() > state.limits.queue_bytes_max) {
        state.end();
        return false;
    }
    state.queued += message.size() + kMessageOverhead;
    state.queue.push_back(std::move(message));
    if (!std::exchange(state.writing, true)) state.writers.spawn("websocket writer", write_loop(state_));
    return true;
}

Task<Status> WebSocketChannel::send(std::string message)
{
    const auto state = state_;
    if (!post(std::move(message))) co_return fail(Errc::Unavailable, "connection closed or too slow");
    while (!state->ended && state->queued > state->limits.queue_bytes_max / 2) {
        state->drained.expires_after(kIdleTimeout);
        co_await state->drained.async_wait(nothrow);
    }
    if (state->ended) co_return fail(Errc::Unavailable, "connection closed");
    co_return Status{};
}

// The connection's one writer: lives while there is something to write, holds the state alive, and ends when the
// queue is empty, so that an idle connection has no second coroutine.
Task<void> WebSocketChannel::write_loop(std::shared_ptr<State> state)
{
    while (!state->ended && !state->queue.empty()) {
        const auto message = std::move(state->queue.front());
        state->queue.pop_front();
        const auto [error, size] = co_await state->socket->async_write(asio::buffer(message), nothrow);
        if (error) {
            state->end();
            co_return;
        }
        if (state->ended) co_return;
        state->queued -= message.size() + kMessageOverhead;
        if (state->queued <= state->limits.queue_bytes_max / 2) state->drained.cancel();
    }
    if (state->closing && !state->ended) {
        ws::close_reason reason(ws::close_code(std::to_underlying(state->code)));
        reason.reason.assign(state->goodbye.data(), std::min<std::size_t>(state->goodbye.size(), 120));
        (void)co_await state->socket->async_close(reason, nothrow);
        state->end();
    }
    state->writing = false;
}

void WebSocketChannel::close(std::string why, CloseCode code)
{
    auto& state = *state_;
    if (std::exchange(state.closing, true)) return;
    state.goodbye = std::move(why);
    state.code = code;
    if (!std::exchange(state.writing, true)) state.writers.spawn("websocket writer", write_loop(state_));
}

std::size_t WebSocketChannel::queued_bytes() const { return state_->queued; }

}  // namespace nw::net
