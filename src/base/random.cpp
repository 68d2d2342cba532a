#include "base/random.hpp"

#include "base/assert.hpp"
#include "base/text.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace nw {

std::uint64_t Random::u64()
{
    std::uint64_t value = 0;
    fill(std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

double Random::unit() { return double(u64() >> 11) * 0x1.0p-53; }

std::uint64_t Random::below(std::uint64_t bound)
{
    NW_ASSERT(bound > 0);
    // Values above the last whole multiple of the bound would favour small results.
    const auto limit = UINT64_MAX - UINT64_MAX % bound;
    for (;;) {
        const auto value = u64();
        if (value < limit) return value % bound;
    }
}

std::string Random::hex(std::size_t bytes)
{
    std::vector<std::byte> raw(bytes);
    fill(raw);
    return to_hex(raw);
}

void SystemRandom::fill(std::span<std::byte> out)
{
    while (!out.empty()) {
        const auto got = ::getrandom(out.data(), out.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        NW_ASSERT(got > 0);  // a kernel without randomness cannot make safe tokens
        out = out.subspan(std::size_t(got));
    }
}

void SeededRandom::fill(std::span<std::byte> out)
{
    for (std::size_t done = 0; done < out.size(); done += 8) {
        const auto value = engine_();
        const auto bytes = std::as_bytes(std::span(&value, 1));
        std::copy_n(bytes.begin(), std::min<std::size_t>(8, out.size() - done), out.begin() + std::ptrdiff_t(done));
    }
}

}  // namespace nw
