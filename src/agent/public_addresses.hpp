// Which address the world sees of each uplink: the controller is asked through it, by a connection that is bound to the
// device, and answers with the address that the request came from. No answer is an answer too.
//
// 1. Uplinks are the interfaces with a default route, in any table, per family.
// 2. Asked when an uplink appears, when its addresses or its gateway change, and every kAskEvery; after a failure sooner.
// 3. One question at a time, each with a deadline.
//
// Belongs to the main loop.
#pragma once

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/task_group.hpp"
#include "base/time.hpp"
#include "model/host_network.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace nw::agent {

inline constexpr std::chrono::minutes kAskEvery{5};
inline constexpr Seconds kAskAgainFirst{15};

class PublicAddresses {
public:
    // Asks through a device, by one family; the answer is the address, as bytes.
    using Ask = std::function<Task<Result<std::string>>(std::string device, bool v6)>;
    using Found = std::function<void(const std::string& interface, bool v6, PublicAddress address)>;

    PublicAddresses(Loop& loop, const Clock& clock, Random& random, Ask ask, Found found);

    void start(TaskGroup& tasks) { tasks.spawn("public addresses", run()); }
    // The host's network, whenever it may have changed.
    void update(const HostNetwork& network);

private:
    struct Uplink {
        std::string signature{};  // what an answer depends on
        Instant due{};
        unsigned failures = 0;
        std::int64_t seen_us = 0;
    };
    using Key = std::pair<std::string, bool>;

    Task<void> run();
    Task<void> ask(Key key);

    const Clock& clock_;
    Random& random_;
    Ask ask_;
    Found found_;
    std::map<Key, Uplink> uplinks_{};
    Timer waiting_;
};

// The uplinks of one family and what an answer through each depends on; those that can send now.
std::map<std::string, std::string> uplinks_of(const HostNetwork& network, bool v6);

}  // namespace nw::agent
