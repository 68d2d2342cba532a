// Resolve, connect and shake hands: the common beginning of both clients. Private to net/.
#pragma once

#include "base/run_on.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"
#include "net/url.hpp"
#include "net/via.hpp"

#include <chrono>
#include <memory>

namespace nw::net {

// Closes what it watches when the deadline passes; the operation in flight then fails.
class Deadline {
public:
    Deadline(Executor loop, std::chrono::steady_clock::duration after);
    // While `socket` is watched it must not move.
    void watch(Socket& socket)
    {
        socket_ = &socket;
        stream_ = nullptr;
    }
    void watch(Stream& stream)
    {
        stream_ = &stream;
        socket_ = nullptr;
    }
    void watch_nothing()
    {
        socket_ = nullptr;
        stream_ = nullptr;
    }
    void stop();
    bool passed() const { return state_->passed; }
    ~Deadline() { stop(); }

private:
    struct State {
        bool passed = false;
        bool stopped = false;
    };
    Timer timer_;
    std::shared_ptr<State> state_ = std::make_shared<State>();
    Socket* socket_ = nullptr;
    Stream* stream_ = nullptr;
};

Task<Result<Stream>> connect_stream(Pool& pool, Url url, SslContext tls, Deadline& deadline, Via via = {});

}  // namespace nw::net
