// CRC-32C (Castagnoli, RFC 3720 appendix B.4): by the processor where it can, else by tables; eight bytes a step.
#pragma once

#include <cstdint>
#include <string_view>

namespace nw::store {

std::uint32_t crc32c(std::string_view bytes);
// The same on any processor.
std::uint32_t crc32c_by_tables(std::string_view bytes);

}  // namespace nw::store
