// An IPv4 or IPv6 address, and prefixes of them. Values only; no resolver, no socket.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nw::packet {

enum class Family : std::uint8_t { V4, V6 };

struct Address {
    Family family = Family::V4;
    std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 uses the first four

    std::size_t size() const { return family == Family::V4 ? 4 : 16; }
    // As samples carry it: 4 or 16 bytes.
    std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), size()}; }

    friend auto operator<=>(const Address&, const Address&) = default;
};

// Takes exactly 4 or 16 bytes.
std::optional<Address> address_from(std::span<const std::uint8_t> bytes);
// Text without a zone: "192.0.2.1", "2001:db8::1".
std::optional<Address> parse_address(std::string_view text);
std::string to_text(const Address& address);

struct Prefix {
    Address address{};
    unsigned bits = 0;

    // An IPv4 address mapped into IPv6 counts as the IPv4 address, so that it cannot slip past a rule.
    bool contains(const Address& candidate) const;
    friend bool operator==(const Prefix&, const Prefix&) = default;
};

// "10.0.0.0/8", "2001:db8::/32"; an address alone is its full length. Bits beyond the length must be zero.
std::optional<Prefix> parse_prefix(std::string_view text);
std::string to_text(const Prefix& prefix);

}  // namespace nw::packet
