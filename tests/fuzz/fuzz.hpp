// What every fuzz target starts with. A target states the property its decoder must keep with NW_ASSERT, which
// ends the process and so is a find.
#pragma once

#include "base/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nw::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size)
{
    return {reinterpret_cast<const char*>(data), size};
}

}  // namespace nw::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
