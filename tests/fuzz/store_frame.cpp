// Frames and chunks from disk. The checksum would stop nearly every input, so the same bytes are also given a right
// one: a program with a bug, or somebody with a disk editor, could have written that.
#include "fuzz.hpp"
#include "model/kinds/ping.hpp"
#include "store/telemetry/chunk.hpp"
#include "store/telemetry/crc32c.hpp"

#include <string>

namespace {

std::string with_checksum(std::string_view bytes)
{
    std::string frame(bytes);
    const auto crc = nw::store::crc32c(bytes);
    for (int shift = 0; shift < 32; shift += 8) frame += char(crc >> shift & 0xff);
    return frame;
}

void read_chunk(nw::store::Codec& codec, std::string_view frame)
{
    auto out = nw::store::make_stored_rows(nw::kinds::ping);
    const nw::store::ChunkView view{.rows = 3, .hot = frame, .rest = frame, .histograms = frame};
    const auto read = nw::store::decode_chunk(codec, nw::kinds::ping, nw::ProbeId(1), view, {}, out);
    NW_ASSERT(out.size() == (read ? 3u : 0u));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static nw::store::Codec codec;
    const auto bytes = nw::fuzz::text_of(data, size);
    (void)codec.unpack(bytes);
    const auto frame = with_checksum(bytes);
    if (const auto read = codec.unpack(frame)) {
        std::vector<nw::store::Section> sections;
        for (const auto& section : read->sections) sections.push_back({section.tag, std::string(section.bytes)});
        const auto again = codec.unpack(codec.pack(sections));
        NW_ASSERT(again && again->sections.size() == sections.size());
    }
    read_chunk(codec, frame);
    return 0;
}
