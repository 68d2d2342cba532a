// Payloads that come back: whatever they hold, nothing is read behind them, and only what was tagged with the key
// is taken for ours.
#include "fuzz.hpp"
#include "probe/ping/identity.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace nw::probe::ping;
    const Bytes payload(data, size);
    (void)has_pattern(payload);
    const TagKey key{0x0123456789abcdef, 0xfedcba9876543210};
    if (const auto id = read_identity(key, payload)) {
        std::array<std::uint8_t, kIdentityBytes> again{};
        write_identity(key, *id, again);
        NW_ASSERT(std::equal(again.begin(), again.end(), payload.begin()));
    }
    return 0;
}
