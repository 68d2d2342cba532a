// What is read as a batch must survive being written and read again, in both strictnesses.
#include "fuzz.hpp"
#include "model/kinds/all.hpp"
#include "wire/batch.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const auto kinds = nw::all_kinds();
    const auto bytes = nw::fuzz::text_of(data, size);
    for (const auto completeness : {nw::wire::Completeness::Full, nw::wire::Completeness::Partial}) {
        const auto batch = nw::wire::decode_batch(bytes, kinds, completeness);
        if (!batch) continue;
        const auto again = nw::wire::decode_batch(nw::wire::encode_batch(*batch), kinds, completeness);
        NW_ASSERT(again && *again == *batch);
    }
    return 0;
}
