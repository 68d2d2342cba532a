// A compact histogram from outside: what is read is in order, adds up, and reads back the same.
#include "fuzz.hpp"
#include "quality/histogram.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto read = nw::quality::Histogram::from_compact(nw::fuzz::text_of(data, size));
    if (!read) return 0;
    std::uint64_t total = 0;
    std::int64_t before = -1;
    for (const auto& entry : read->entries()) {
        NW_ASSERT(entry.count > 0 && entry.bucket < nw::quality::kBucketCount);
        NW_ASSERT(std::int64_t{entry.bucket} > before);
        before = entry.bucket;
        total += entry.count;
    }
    NW_ASSERT(total == read->count());
    if (!read->empty()) NW_ASSERT(read->quantile(0) <= read->quantile(1));
    const auto again = nw::quality::Histogram::from_compact(read->compact());
    NW_ASSERT(again && *again == *read);
    return 0;
}
