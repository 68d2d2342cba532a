// Chunks: the frame as read from disk, and the sections behind its checksum, which a fuzzer would never get past.
#include "fuzz.hpp"

#include "model/kinds/path.hpp"
#include "model/kinds/ping.hpp"
#include "store/telemetry/chunk.hpp"
#include "store/telemetry/column_codec.hpp"
#include "store/telemetry/crc32c.hpp"

#include <vector>

using namespace nw;
using namespace nw::store;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) return 0;
    const auto bytes = fuzz::text_of(data + 2, size - 2);
    const std::uint32_t rows = 1 + data[0];
    std::vector<std::int64_t> numbers;
    if (decode_numbers(bytes, rows, numbers)) NW_ASSERT(numbers.size() == rows);
    BytesColumn strings;
    if (decode_strings(bytes, rows, 512, strings)) NW_ASSERT(strings.size() == rows);
    BytesColumn histograms;
    const auto cut = bytes.size() * data[1] / 256;
    if (decode_histograms({bytes.substr(0, cut), bytes.substr(cut), bytes, bytes.substr(cut / 2)}, rows, histograms))
        NW_ASSERT(histograms.size() == rows);
    Codec codec;
    auto out = make_stored_rows(kinds::ping);
    // With a right checksum, so that what is behind it is reached.
    std::string frame(bytes);
    const auto crc = crc32c(frame);
    for (int i = 0; i < 4; ++i) frame += char(crc >> (8 * i));
    for (const auto& each : {std::string(bytes), frame})
        if (decode_chunk(codec, kinds::ping, ProbeId{1}, {rows, each, each, each}, {}, out))
            NW_ASSERT(out.size() % rows == 0);
    auto paths = make_stored_rows(kinds::path);
    if (decode_chunk(codec, kinds::path, ProbeId{1}, {rows, frame, frame, frame}, {}, paths))
        NW_ASSERT(paths.size() == rows);
    return 0;
}
