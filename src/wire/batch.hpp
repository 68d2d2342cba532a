// Batches of samples between their protobuf form and model::Rows. Pure; every length is bounded and every
// array is checked against the others, so that what decode_batch returns can be indexed without thought.
#pragma once

#include "base/result.hpp"
#include "model/agent_health.hpp"
#include "model/kind.hpp"
#include "model/rows.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nw::wire {

inline constexpr std::size_t kBatchBytesMax = 1 << 20;
inline constexpr std::uint32_t kBatchRowsMax = 10'000;
inline constexpr std::size_t kReasonBytesMax = 512;
inline constexpr std::size_t kTextBytesMax = 64 << 10;

struct Batch {
    StreamId stream{};
    std::uint64_t first_seq = 0;
    std::uint32_t count = 0;    // sequences covered, each in exactly one row
    std::vector<Rows> kinds{};  // Rows::seq is absolute
    std::int64_t clock_offset_us = 0;
    std::uint64_t clock_uncertainty_us = 0;  // 0: unknown
    std::optional<AgentHealth> health{};

    std::uint64_t last_seq() const { return first_seq + count - 1; }
    friend bool operator==(const Batch&, const Batch&) = default;
};

// The serialised pb::Batch, without the AgentMessage envelope: the bytes the controller keeps in its intake.
std::string encode_batch(const Batch& batch);

enum class Completeness : std::uint8_t {
    Full,     // each sequence has its row: what an agent sends
    Partial,  // rows of probes that were not the agent's are gone: what the controller may keep
};

// Rows by themselves, numbered from 0: results that are no part of a stream.
std::string encode_rows(const Rows& rows);
Result<Rows> decode_rows(std::string_view bytes, const Kinds& kinds);

// Rows of kinds unknown to `kinds` are an error: an agent is only ever asked for kinds the controller knows.
Result<Batch> decode_batch(std::string_view bytes, const Kinds& kinds, Completeness completeness = Completeness::Full);

}  // namespace nw::wire
