#include "topology/route.hpp"

#include "base/digest.hpp"
#include "base/text.hpp"
#include "base/varint.hpp"

#include <algorithm>
#include <set>

namespace nw::topology {
namespace {

constexpr std::size_t kHopsMax = 255;
constexpr std::size_t kAddressesMax = 256;

bool meet(const std::vector<std::string>& a, const std::vector<std::string>& b)
{
    return std::ranges::any_of(a, [&](const auto& address) { return std::ranges::binary_search(b, address); });
}

}  // namespace

void add(Route& route, std::uint8_t ttl, std::string_view address)
{
    if (ttl == 0) return;
    if (route.hops.size() < ttl) route.hops.resize(ttl);
    auto& here = route.hops[ttl - 1U];
    const auto place = std::ranges::lower_bound(here, address);
    if (address.empty() || (place != here.end() && *place == address)) return;
    here.emplace(place, address);
}

bool agree(const Route& a, const Route& b)
{
    if (a.hops.size() != b.hops.size()) return false;
    for (std::size_t i = 0; i < a.hops.size(); ++i)
        if (!a.hops[i].empty() && !b.hops[i].empty() && !meet(a.hops[i], b.hops[i])) return false;
    return true;
}

void unite(Route& to, const Route& from)
{
    if (to.hops.size() < from.hops.size()) to.hops.resize(from.hops.size());
    for (std::size_t i = 0; i < from.hops.size(); ++i)
        for (const auto& address : from.hops[i]) add(to, std::uint8_t(i + 1), address);
}

std::string digest(const Route& route) { return to_hex(bytes_of(sha256(encode_route(route)))).substr(0, 16); }

std::vector<HopName> missing_in(const Route& of, const Route& other)
{
    std::set<std::string_view> known;
    for (const auto& hop : other.hops) known.insert(hop.begin(), hop.end());
    std::vector<HopName> missing;
    for (std::size_t i = 0; i < of.hops.size(); ++i)
        for (const auto& address : of.hops[i])
            if (known.insert(address).second) missing.push_back({.ttl = std::uint8_t(i + 1), .address = address});
    return missing;
}

std::string encode_route(const Route& route)
{
    std::string out;
    put_varint(out, route.hops.size());
    for (const auto& hop : route.hops) {
        put_varint(out, hop.size());
        for (const auto& address : hop) {
            out += char(address.size());
            out += address;
        }
    }
    return out;
}

Route decode_route(std::string_view bytes)
{
    const auto hops = take_varint(bytes);
    if (!hops || *hops > kHopsMax) return {};
    Route route;
    route.hops.resize(*hops);
    for (std::size_t i = 0; i < *hops; ++i) {
        const auto count = take_varint(bytes);
        if (!count || *count > kAddressesMax) return {};
        for (std::size_t k = 0; k < *count; ++k) {
            const std::size_t size = bytes.empty() ? 0 : std::uint8_t(bytes.front());
            if ((size != 4 && size != 16) || bytes.size() < size + 1) return {};
            add(route, std::uint8_t(i + 1), bytes.substr(1, size));
            bytes.remove_prefix(size + 1);
        }
    }
    return route;
}

}  // namespace nw::topology
