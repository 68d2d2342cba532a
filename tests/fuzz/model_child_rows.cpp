// Child rows, and hops as the kind `path` has them.
#include "fuzz.hpp"

#include "model/child_rows.hpp"
#include "model/path_run.hpp"

using namespace nw;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto bytes = fuzz::text_of(data, size);
    const auto table = decode_child_rows(kHopColumns, bytes);
    if (table) {
        const auto again = encode_child_rows(kHopColumns, *table);
        const auto back = decode_child_rows(kHopColumns, again);
        NW_ASSERT(back && *back == *table);
        NW_ASSERT(table->count == 0 || child_row_count(bytes) == table->count);
    }
    const auto hops = decode_hops(bytes);
    if (hops) {
        const auto back = decode_hops(encode_hops(*hops));
        NW_ASSERT(back && back->size() == hops->size());
    }
    return 0;
}
