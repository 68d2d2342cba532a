// Names of hops, for display: looked up in the background, remembered, never waited for.
//
// Names are for people: nothing is measured with them. At most kLookupsMax lookups are under way at a time; what does
// not fit waits its turn. An address without a name is asked again after kRetryAfter. What is asked through a
// device is asked through no other, and is another answer: name servers of uplinks differ.
#pragma once

#include "base/async.hpp"
#include "base/run_on.hpp"
#include "base/task_group.hpp"
#include "base/time.hpp"
#include "packet/address.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace nw::probe::path {

inline constexpr std::size_t kLookupsMax = 4;
inline constexpr std::size_t kHostNamesMax = 65'536;
inline constexpr Nanos kRetryAfter = std::chrono::minutes(10);

class HostNames {
public:
    // Blocking; an empty name: there is none.
    using Lookup = std::function<std::string(const packet::Address& address, const std::string& device)>;

    HostNames(Loop& loop, Pool& pool, const Clock& clock, Lookup lookup);

    // The name if it is known; otherwise empty, and it will be looked up. An empty device: as routed.
    const std::string& name_of(const packet::Address& address, const std::string& device);
    Task<void> close() { co_await tasks_.close(); }

private:
    using Key = std::pair<std::string, packet::Address>;
    struct Entry {
        std::string name{};
        Instant asked{};
        bool pending = false;
    };

    void start_next();
    Task<void> look_up(Key key);

    Pool& pool_;
    const Clock& clock_;
    Lookup lookup_;
    std::map<Key, Entry> entries_{};
    std::deque<Key> waiting_{};
    std::size_t running_ = 0;
    TaskGroup tasks_;
};

// By the host's own resolver (getnameinfo), or through a device. Implemented per platform in host_names_port.cpp.
std::string look_up_host_name(const packet::Address& address, const std::string& device);

}  // namespace nw::probe::path
