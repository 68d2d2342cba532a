// A two-way channel of whole messages: what agents' sessions and the panel's live stream speak through. The
// WebSocket behind it is net/websocket.cpp; tests script one.
//
// Belongs to one loop. One reader at a time; any number of senders.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace nw::net {

// What a closed WebSocket tells its peer (RFC 6455, section 7.4; from 4000 on an application's own).
enum class CloseCode : std::uint16_t {
    Normal = 1000,
    SignedOut = 4401,  // the session has ended: coming back is no use without signing in
};

class MessageChannel {
public:
    virtual ~MessageChannel() = default;

    // The next message. Errors: Unavailable when the peer has gone or the channel was closed, Invalid when the
    // peer broke a limit (the channel is then closed).
    virtual Task<Result<std::string>> receive() = 0;

    // Queues a message without waiting. False when the peer is too slow for its queue or the channel is closed;
    // a channel that overflows is closed: a client that cannot keep up is better reconnected than held in memory.
    virtual bool post(std::string message) = 0;

    // Queues a message and waits while the queue is above half of its capacity.
    virtual Task<Status> send(std::string message) = 0;

    // Sends what is queued, says goodbye and closes; later receives return Unavailable. Safe to repeat.
    virtual void close(std::string why, CloseCode code) = 0;
    void close(std::string why) { close(std::move(why), CloseCode::Normal); }

    virtual std::size_t queued_bytes() const = 0;
};

}  // namespace nw::net
