// PING: ICMP echo, IPv4 and IPv6 (RFC 792, RFC 4443).
#pragma once

#include "model/kind.hpp"

namespace nw::kinds {

extern const Kind ping;

}  // namespace nw::kinds
