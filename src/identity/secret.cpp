#include "identity/secret.hpp"

#include "base/assert.hpp"

#include <sodium.h>

namespace nw::identity {
namespace {

constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemoryBytes = 19 << 20;

}  // namespace

std::string hash_password(std::string_view password)
{
    std::string hash(crypto_pwhash_STRBYTES, '\0');
    const int failed = crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), kPasses, kMemoryBytes,
                                             crypto_pwhash_ALG_ARGON2ID13);
    NW_ASSERT(failed == 0);  // only for want of memory
    hash.resize(hash.find('\0'));
    return hash;
}

bool verify_password(std::string_view hash, std::string_view password)
{
    // A hash of nothing anybody knows, so that an unknown account takes as long as a wrong password.
    static const std::string nobody = hash_password("no account has this one");
    const std::string stored(hash.empty() ? std::string_view(nobody) : hash);
    const bool matches = crypto_pwhash_str_verify(stored.c_str(), password.data(), password.size()) == 0;
    return matches && !hash.empty();
}

std::string make_token(Random& random) { return random.hex(32); }

}  // namespace nw::identity
