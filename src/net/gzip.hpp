// Unpacks a file of the gzip format in memory, for what the program carries packed only. Beast has the inflate of its
// WebSockets linked already, so no further library is needed.
//
// Exactly one member without optional header fields, as `gzip -n` and Node's gzipSync write it (RFC 1952); checked by
// its own length and CRC. Never produces more than `size_max` bytes, whatever the input claims.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace nw::net {

// Corrupt: not such a file, damaged, cut off, followed by more, or larger than `size_max`.
Result<std::string> gunzip(std::string_view packed, std::size_t size_max);

}  // namespace nw::net
