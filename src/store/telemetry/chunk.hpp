// Samples of one probe as compressed columns. Three frames, by how often they are read together: `hot` (time, outcome
// and the columns declared hot), `rest`, `histograms`. Layout: docs/storage.md.
//
// Pure. Decoding takes any bytes: what is not a chunk is an error, and never more rows than it claims.
#pragma once

#include "base/result.hpp"
#include "model/kind.hpp"
#include "store/telemetry/frame.hpp"
#include "store/telemetry/telemetry.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace nw::store {

// A day of one sample per second is cut into chunks of this size, so that an hour of it is read quickly.
inline constexpr std::uint32_t kChunkRowsMax = 8'192;
// No more child rows either, but that a chunk has one row at least.
inline constexpr std::size_t kChunkChildRowsMax = 1 << 17;

struct Chunk {
    std::int64_t t0_us = 0;  // first and last sample
    std::int64_t t1_us = 0;
    std::uint32_t rows = 0;
    std::string hot{};
    std::string rest{};
    std::string histograms{};
};

struct ChunkView {
    std::uint32_t rows = 0;
    std::string_view hot{};
    std::string_view rest{};
    std::string_view histograms{};
};

// Which frames are wanted; columns of the others come out absent.
struct ChunkParts {
    bool rest = true;
    bool histograms = true;
    bool tables = true;  // of the rest
    // Those of other rows come out absent: assembling them is most of the work.
    TimeRange tables_of{INT64_MIN, INT64_MAX};
};

// What the metrics need; all parts when there are none.
ChunkParts parts_for(const Kind& kind, const std::vector<const Metric*>& metrics);

// How many of the rows from `begin` on go into one chunk.
std::size_t chunk_rows(const StoredRows& rows, std::size_t begin);
// `rows` are of one probe, in order of position, and no more than chunk_rows().
Chunk encode_chunk(Codec& codec, const StoredRows& rows);
// Appends the rows to `out`; on error `out` is as before.
Status decode_chunk(Codec& codec, const Kind& kind, ProbeId probe, const ChunkView& chunk, ChunkParts parts,
                    StoredRows& out);

StoredRows make_stored_rows(const Kind& kind);
// Sorts by position unless it is sorted already.
void sort_rows(StoredRows& rows);

}  // namespace nw::store
