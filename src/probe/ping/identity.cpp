#include "probe/ping/identity.hpp"

#include <bit>
#include <cstring>

namespace nw::probe::ping {
namespace {

static_assert(std::endian::native == std::endian::little, "payload fields are written in little-endian order");

constexpr std::array<std::uint8_t, 4> kMagic{'N', 'W', 'p', '1'};
constexpr std::size_t kTagOffset = 20;

template <class T>
T load(Bytes bytes, std::size_t at)
{
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

struct SipState {
    std::uint64_t v0, v1, v2, v3;

    void round()
    {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }
    void absorb(std::uint64_t word)
    {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    }
};

// One page of the pattern, to compare whole stretches at once.
constexpr auto kPattern = [] {
    std::array<std::uint8_t, 512> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::uint8_t(i);
    return bytes;
}();

}  // namespace

std::uint64_t siphash24(TagKey key, Bytes bytes)
{
    SipState state{key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261,
                   key.k1 ^ 0x7465646279746573};
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) state.absorb(load<std::uint64_t>(bytes, at));
    std::uint64_t last = std::uint64_t(bytes.size()) << 56;
    for (unsigned shift = 0; at < bytes.size(); ++at, shift += 8) last |= std::uint64_t(bytes[at]) << shift;
    state.absorb(last);
    state.v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) state.round();
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

void write_identity(TagKey key, const Identity& identity, std::span<std::uint8_t, kIdentityBytes> out)
{
    std::memcpy(out.data(), kMagic.data(), 4);
    std::memcpy(out.data() + 4, &identity.slot, 4);
    std::memcpy(out.data() + 8, &identity.generation, 4);
    std::memcpy(out.data() + 12, &identity.seq, 8);
    const auto tag = siphash24(key, out.first(kTagOffset));
    std::memcpy(out.data() + kTagOffset, &tag, 8);
}

std::optional<Identity> read_identity(TagKey key, Bytes payload)
{
    if (payload.size() < kIdentityBytes || std::memcmp(payload.data(), kMagic.data(), 4) != 0) return std::nullopt;
    if (load<std::uint64_t>(payload, kTagOffset) != siphash24(key, payload.first(kTagOffset))) return std::nullopt;
    return Identity{load<std::uint32_t>(payload, 4), load<std::uint32_t>(payload, 8), load<std::uint64_t>(payload, 12)};
}

bool has_pattern(Bytes payload)
{
    for (std::size_t at = kIdentityBytes; at < payload.size();) {
        const auto stretch = std::min<std::size_t>(payload.size() - at, 256);
        if (std::memcmp(payload.data() + at, kPattern.data() + at % 256, stretch) != 0) return false;
        at += stretch;
    }
    return true;
}

}  // namespace nw::probe::ping
