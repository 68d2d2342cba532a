// Addresses as samples and reports carry them, 4 or 16 bytes in network order, as people read them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nw {

// Empty for anything that is no address.
std::string ip_text(std::string_view bytes);
// The other way. Nothing for what is no address.
std::optional<std::string> ip_bytes(std::string_view text);

}  // namespace nw
