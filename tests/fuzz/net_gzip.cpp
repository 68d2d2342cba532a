// Packed files. What comes out is never more than was allowed, and is what the file's own check says.
#include "fuzz.hpp"
#include "net/gzip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t kMost = 1 << 16;
    const auto text = nw::fuzz::text_of(data, size);
    if (const auto plain = nw::net::gunzip(text, kMost)) {
        NW_ASSERT(plain->size() <= kMost);
        NW_ASSERT(nw::net::gunzip(text, plain->size()) == *plain);
        NW_ASSERT(plain->empty() || !nw::net::gunzip(text, plain->size() - 1));
    }
    return 0;
}
