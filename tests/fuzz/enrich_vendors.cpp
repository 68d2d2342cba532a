// The registries of the IEEE as a file that may hold anything: what is found is always the name of one of its lines.
#include "enrich/vendors.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto text = nw::fuzz::text_of(data, size);
    nw::enrich::Registry registry(24);
    registry.add_csv(text);
    if (const auto holder = registry.holder(0x00'11'22'33'44'55)) NW_ASSERT(!holder->empty() && holder->size() <= 128);
    return 0;
}
