// Names of hops, for display: looked up in the background, remembered, never waited for.
//
// Names are for people: nothing is measured with them. At most kLookupsMax lookups are under way at a time; what does
// not fit waits its turn. An address without a name is asked again after kRetryAfter.
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

namespace nw::probe::path {

inline constexpr std::size_t kLookupsMax = 4;
inline constexpr std::size_t kHostNamesMax = 65'536;
inline constexpr Nanos kRetryAfter = std::chrono::minutes(10);

class HostNames {
public:
    // Blocking; an empty name: there is none.
    using Lookup = std::function<std::string(const packet::Address&)>;

    HostNames(Loop& loop, Pool& pool, const Clock& clock, Lookup lookup);

    // The name if it is known; otherwise empty, and it will be looked up.
    const std::string& name_of(const packet::Address& address);
    // The name if it is known; nothing is looked up.
    const std::string& known_name_of(const packet::Address& address) const;
    Task<void> close() { co_await tasks_.close(); }

private:
    struct Entry {
        std::string name{};
        Instant asked{};
        bool pending = false;
    };

    void start_next();
    Task<void> look_up(packet::Address address);

    Pool& pool_;
    const Clock& clock_;
    Lookup lookup_;
    std::map<packet::Address, Entry> entries_{};
    std::deque<packet::Address> waiting_{};
    std::size_t running_ = 0;
    TaskGroup tasks_;
};

// The host's own resolver (getnameinfo). Implemented per platform in host_names_port.cpp.
std::string system_host_name(const packet::Address& address);

}  // namespace nw::probe::path
