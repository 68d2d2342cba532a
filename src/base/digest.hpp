// SHA-256, and comparing secrets. What is hashed here is either random itself (tokens, credentials) or a chain of
// records; passwords need a slow hash (identity/secret.hpp).
#pragma once

#include <string>
#include <string_view>

namespace nw {

// The raw SHA-256 of `text`, 32 bytes.
std::string sha256(std::string_view text);
// Compares in a time that does not depend on where they differ.
bool equal_secrets(std::string_view a, std::string_view b);

}  // namespace nw
