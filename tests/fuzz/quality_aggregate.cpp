// Stored aggregates: what is read survives being written and read again, and merges and evaluates without harm.
#include "fuzz.hpp"
#include "model/kinds/ping.hpp"
#include "quality/aggregate.hpp"

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto& kind = nw::kinds::ping;
    auto left = nw::fuzz::text_of(data, size);
    const auto read = nw::quality::decode_aggregate(kind, left);
    if (!read) return 0;
    std::string bytes;
    nw::quality::encode(kind, *read, bytes);
    std::string_view written = bytes;
    const auto again = nw::quality::decode_aggregate(kind, written);
    NW_ASSERT(again && *again == *read && written.empty());

    auto both = *read;
    nw::quality::merge(kind, both, *again);
    for (const auto& metric : kind.metrics) (void)nw::quality::evaluate(kind, metric, both);
    return 0;
}
