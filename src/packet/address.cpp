#include "packet/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace nw::packet {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // RFC 4291, 2.5.5.2

Address unmapped(const Address& address)
{
    if (address.family != Family::V6 || !std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) return address;
    Address inner;
    std::copy_n(address.bytes.begin() + 12, 4, inner.bytes.begin());
    return inner;
}

bool bit_at(const Address& address, unsigned bit) { return (address.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0; }

}  // namespace

std::optional<Address> address_from(std::span<const std::uint8_t> bytes)
{
    if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
    Address address{.family = bytes.size() == 4 ? Family::V4 : Family::V6};
    std::ranges::copy(bytes, address.bytes.begin());
    return address;
}

std::optional<Address> parse_address(std::string_view text)
{
    const std::string zero_ended(text.substr(0, 64));
    Address address;
    if (inet_pton(AF_INET, zero_ended.c_str(), address.bytes.data()) == 1) return address;
    address.family = Family::V6;
    if (inet_pton(AF_INET6, zero_ended.c_str(), address.bytes.data()) == 1) return address;
    return std::nullopt;
}

std::string to_text(const Address& address)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(address.family == Family::V4 ? AF_INET : AF_INET6, address.bytes.data(), text.data(), text.size());
    return text.data();
}

bool Prefix::contains(const Address& candidate) const
{
    const auto own = unmapped(candidate);
    if (own.family != address.family) return false;
    const auto whole = bits / 8;
    if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, own.bytes.begin())) return false;
    for (unsigned bit = whole * 8; bit < bits; ++bit)
        if (bit_at(address, bit) != bit_at(own, bit)) return false;
    return true;
}

std::optional<Prefix> parse_prefix(std::string_view text)
{
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    const auto bits_max = unsigned(address->size() * 8);
    Prefix prefix{.address = *address, .bits = bits_max};
    if (slash != std::string_view::npos) {
        const auto digits = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix.bits);
        if (error != std::errc{} || end != digits.data() + digits.size() || prefix.bits > bits_max) return std::nullopt;
    }
    for (auto bit = prefix.bits; bit < bits_max; ++bit)
        if (bit_at(prefix.address, bit)) return std::nullopt;
    return prefix;
}

std::string to_text(const Prefix& prefix) { return to_text(prefix.address) + "/" + std::to_string(prefix.bits); }

}  // namespace nw::packet
