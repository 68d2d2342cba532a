#include "store/telemetry/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace nw::store {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // reflected

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables()
{
    Tables tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        auto crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
        tables[0][i] = crc;
    }
    for (std::size_t t = 1; t < 8; ++t)
        for (std::size_t i = 0; i < 256; ++i) tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xff];
    return tables;
}

constexpr Tables kTables = make_tables();
static_assert(std::endian::native == std::endian::little);

#ifdef __x86_64__
__attribute__((target("sse4.2"))) std::uint32_t by_processor(std::string_view bytes)
{
    std::uint64_t crc = ~0U;
    const auto* at = bytes.data();
    auto left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    for (; left > 0; ++at, --left) crc = __builtin_ia32_crc32qi(std::uint32_t(crc), std::uint8_t(*at));
    return ~std::uint32_t(crc);
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) return by_processor(bytes);
#endif
    return crc32c_by_tables(bytes);
}

std::uint32_t crc32c_by_tables(std::string_view bytes)
{
    std::uint32_t crc = ~0U;
    const auto* at = bytes.data();
    auto left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        word ^= crc;
        crc = 0;
        for (std::size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][word >> (8 * i) & 0xff];
    }
    for (; left > 0; ++at, --left) crc = (crc >> 8) ^ kTables[0][(crc ^ std::uint8_t(*at)) & 0xff];
    return ~crc;
}

}  // namespace nw::store
