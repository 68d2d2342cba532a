// The panel's live connections: WebSockets of signed-in users, with their subscriptions.
#pragma once

#include "api/call.hpp"
#include "net/channel.hpp"

#include <map>
#include <string>

namespace nw::api {

// Every open live connection and whose it is. When what a user may do changes, his connections are closed: the panel
// comes back at once, is checked like anybody, and goes on from its cursors. When a session ends, its connections are
// closed as signed out, and the panel does not come back.
class LiveConnections {
public:
    void add(net::MessageChannel& channel, const identity::Principal& who)
    {
        channels_.emplace(&channel, Owner{who.user.id, who.session.id});
    }
    void remove(net::MessageChannel& channel) { channels_.erase(&channel); }
    void close(const identity::Change& change);
    void close_all(const std::string& why);
    std::size_t size() const { return channels_.size(); }

private:
    struct Owner {
        UserId user{};
        SessionId session{};
    };

    std::map<net::MessageChannel*, Owner> channels_{};
};

}  // namespace nw::api
