// Where the agent learns its host's network from: events of the system, and what is there after them. agent/network_port.cpp
// is the real one; tests script one.
#pragma once

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "model/host_network.hpp"

#include <memory>
#include <vector>

namespace nw::agent {

struct NetworkEvents {
    struct Link {
        std::uint32_t index = 0;
        bool usable = false;
    };
    struct DefaultRoute {
        bool v6 = false;
        std::uint32_t index = 0;
        bool removed = false;
    };
    std::vector<Link> links{};
    std::vector<DefaultRoute> defaults{};  // of the main table
};

class NetworkSource {
public:
    virtual ~NetworkSource() = default;
    // Returns when something has changed since it last returned. An error: there will be no more events.
    virtual Task<Result<NetworkEvents>> next() = 0;
    // Everything, as it is now. Blocks: for a pool.
    virtual Result<HostNetwork> read() = 0;
};

std::unique_ptr<NetworkSource> open_network_source(Loop& loop, Log log);

}  // namespace nw::agent
