// MessageChannel over a Beast WebSocket. Heavy to compile: included by http_server.cpp and ws_client.cpp only.
#pragma once

#include "base/task_group.hpp"
#include "net/channel.hpp"
#include "net/stream.hpp"

#include <boost/beast/websocket/stream.hpp>

#include <memory>

namespace nw::net {

using WebSocket = boost::beast::websocket::stream<Stream, false>;  // false: no permessage-deflate

struct ChannelLimits {
    std::size_t message_bytes_max = 64 << 10;
    std::size_t queue_bytes_max = 4 << 20;
    bool binary = false;
};

// Applies timeouts and buffer sizes; before accept or handshake.
void configure(WebSocket& socket, const ChannelLimits& limits);

class WebSocketChannel final : public MessageChannel {
public:
    // `socket` is past its handshake. `writers` owns the writer coroutines and outlives the channel.
    WebSocketChannel(std::unique_ptr<WebSocket> socket, ChannelLimits limits, TaskGroup& writers);
    ~WebSocketChannel() override;

    Task<Result<std::string>> receive() override;
    bool post(std::string message) override;
    Task<Status> send(std::string message) override;
    using MessageChannel::close;
    void close(std::string why, CloseCode code) override;
    std::size_t queued_bytes() const override;

private:
    struct State;
    static Task<void> write_loop(std::shared_ptr<State> state);

    std::shared_ptr<State> state_;  // shared with the writer, which may outlive the channel by one write
};

}  // namespace nw::net
