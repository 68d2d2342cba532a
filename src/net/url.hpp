// The parts of an http(s) or ws(s) URL that a client needs (RFC 3986).
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace nw::net {

struct Url {
    bool tls = false;
    std::string host{};  // without the brackets of an IPv6 address
    std::uint16_t port = 0;
    std::string target{};  // path and query, at least "/"

    // For the Host header: brackets for IPv6, the port when it is not the scheme's own.
    std::string authority() const;
};

Result<Url> parse_url(std::string_view text);

}  // namespace nw::net
