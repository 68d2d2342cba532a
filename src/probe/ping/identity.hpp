// Who an echo request is: 28 bytes at the front of its payload, so that neither the number of targets nor the
// rate is bounded by ICMP's 16-bit fields, and no other process' reply can be taken for ours.
//
//   0 magic "NWp1"   4 slot   8 generation   12 sequence (64 bits)   20 tag   28 pattern: byte i holds i mod 256
//
// The tag is SipHash-2-4 of the bytes before it under a key that each engine draws at random: a host that never
// saw the request cannot make up a reply. It is written out here (40 lines, checked against the published
// vectors) rather than taken from a crypto library, which would be the agent's only use of it.
#pragma once

#include "packet/checksum.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace nw::probe::ping {

using packet::Bytes;

inline constexpr std::size_t kIdentityBytes = 28;

struct Identity {
    std::uint32_t slot = 0;        // which probe of the engine
    std::uint32_t generation = 0;  // which tenant of the slot
    std::uint64_t seq = 0;         // run number x packets per run + position in the run

    friend bool operator==(const Identity&, const Identity&) = default;
};

struct TagKey {
    std::uint64_t k0 = 0;
    std::uint64_t k1 = 0;
};

std::uint64_t siphash24(TagKey key, Bytes bytes);

void write_identity(TagKey key, const Identity& identity, std::span<std::uint8_t, kIdentityBytes> out);
// Nothing when the payload is not one of ours, or was altered.
std::optional<Identity> read_identity(TagKey key, Bytes payload);

// The pattern that fills a payload from kIdentityBytes on.
inline std::uint8_t pattern_at(std::size_t offset) { return std::uint8_t(offset); }
bool has_pattern(Bytes payload);

}  // namespace nw::probe::ping
