// Passwords and tokens. Passwords are stored as argon2id (19 MiB, 2 passes; RFC 9106), tokens as SHA-256 (base/digest.hpp):
// they are 256 random bits already, so that a slow hash would protect nothing.
#pragma once

#include "base/random.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace nw::identity {

inline constexpr std::size_t kPasswordBytesMin = 10;
inline constexpr std::size_t kPasswordBytesMax = 1024;

// About 50 ms of CPU and 19 MiB: run on a pool of at most two threads.
std::string hash_password(std::string_view password);
// Takes the same time for an empty hash (no such account) as for a wrong password.
bool verify_password(std::string_view hash, std::string_view password);

// 256 random bits in hex.
std::string make_token(Random& random);

}  // namespace nw::identity
