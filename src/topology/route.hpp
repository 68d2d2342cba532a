// A route: the set of paths to a destination, as the addresses seen at each distance. Load-balanced branches are part
// of one route; two routes are the same as long as nothing contradicts that.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nw::topology {

struct Route {
    // By TTL - 1, each ascending: addresses of 4 or 16 bytes; empty where nobody answered.
    std::vector<std::vector<std::string>> hops{};

    friend bool operator==(const Route&, const Route&) = default;
};

struct HopName {
    std::uint8_t ttl = 0;
    std::string address{};
    std::string name{};  // by reverse DNS: anything; empty when not known

    friend bool operator==(const HopName&, const HopName&) = default;
};

void add(Route& route, std::uint8_t ttl, std::string_view address);
// Of the same length, and nowhere with answers of which none is common: an address never contradicts silence.
bool agree(const Route& a, const Route& b);
void unite(Route& to, const Route& from);
// Stable text for the addresses, for telling routes apart.
std::string digest(const Route& route);
// Addresses of `of` that are nowhere in `other`, with their smallest TTL.
std::vector<HopName> missing_in(const Route& of, const Route& other);

// Bytes for keeping: decode_route takes what encode_route made, and gives an empty route for anything else.
std::string encode_route(const Route& route);
Route decode_route(std::string_view bytes);

}  // namespace nw::topology
