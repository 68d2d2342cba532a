// CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes a step by tables.
#pragma once

#include <cstdint>
#include <string_view>

namespace nw::store {

std::uint32_t crc32c(std::string_view bytes);

}  // namespace nw::store
