// The panel's live connections: WebSockets of signed-in users, with their subscriptions.
#pragma once

#include "api/call.hpp"
#include "net/channel.hpp"

#include <map>
#include <optional>

namespace nw::api {

// Every open live connection and whose it is. When what a user may do changes, his connections are closed: the panel
// comes back at once, is checked like anybody, and goes on from its cursors.
class LiveConnections {
public:
    void add(net::MessageChannel& channel, UserId user) { channels_.emplace(&channel, user); }
    void remove(net::MessageChannel& channel) { channels_.erase(&channel); }
    // Nothing: of everybody.
    void close(std::optional<UserId> user, const std::string& why);
    std::size_t size() const { return channels_.size(); }

private:
    std::map<net::MessageChannel*, UserId> channels_{};
};

}  // namespace nw::api
