// Names to addresses, with a cache that honours the records' time to live.
//
// As routed, names go through the host's own resolver (getaddrinfo: hosts file, nsswitch, RFC 6724 order); how
// long the answer holds is asked of the name servers. Through a given interface, queries go to the configured
// name servers over sockets bound to that device and nowhere else. Blocking work runs on the pool.
#pragma once

#include "base/async.hpp"
#include "base/run_on.hpp"
#include "base/time.hpp"
#include "packet/address.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nw::probe {

enum class FamilyWish : std::uint8_t { Auto, V4, V6 };
// From a setting's text: "auto", "v4" or "v6".
FamilyWish family_wish(std::string_view text);

struct HostAddress {
    packet::Address address{};
    std::uint32_t scope = 0;  // interface index of a link-local IPv6 address
    friend bool operator==(const HostAddress&, const HostAddress&) = default;
};

struct Question {
    std::string host{};
    FamilyWish family = FamilyWish::Auto;
    std::string device{};
    friend auto operator<=>(const Question&, const Question&) = default;
};

struct Answer {
    std::vector<HostAddress> addresses{};  // best first; empty: `error` says why
    std::string error{};
    Nanos took{};
    Instant valid_until{};
    bool cached = false;

    bool ok() const { return !addresses.empty(); }
};

// An address in text form, with optional zone, needs no resolver. Nothing: `host` is a name.
std::optional<HostAddress> literal_address(const std::string& host);

class Resolver {
public:
    Resolver(Loop& loop, Pool& pool, const Clock& clock);
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // Several questions for the same name wait for one lookup.
    Task<Answer> resolve(Question question);
    // What was answered, or is being asked, through this device is worth nothing any more.
    void forget(const std::string& device);

private:
    struct Entry;

    Loop& loop_;
    Pool& pool_;
    const Clock& clock_;
    std::map<Question, std::shared_ptr<Entry>> entries_;  // shared with who waits for an answer
};

// The blocking part; `ttl` is how long the answer holds, `took` how long it took to get. Implemented per platform in
// resolver_port.cpp.
struct Lookup {
    std::vector<HostAddress> addresses{};
    std::string error{};
    Nanos ttl{};
    Nanos took{};
};
Lookup look_up(const Question& question, const Clock& clock);

}  // namespace nw::probe
