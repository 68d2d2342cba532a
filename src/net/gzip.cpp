#include "net/gzip.hpp"

#include <boost/beast/zlib/inflate_stream.hpp>
#include <boost/crc.hpp>

#include <cstdint>

namespace nw::net {
namespace {

// RFC 1952 section 2.3: magic, deflate, no flags; then time, extra flags and system, which say nothing about the bytes.
constexpr std::string_view kBegin("\x1f\x8b\x08\x00", 4);
constexpr std::size_t kHeaderBytes = 10;
constexpr std::size_t kTrailerBytes = 8;

std::uint32_t little_endian(std::string_view four)
{
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | std::uint8_t(four[i]);
    return value;
}

std::uint32_t crc32(std::string_view bytes)
{
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum();
}

}  // namespace

Result<std::string> gunzip(std::string_view packed, std::size_t size_max)
{
    if (!packed.starts_with(kBegin) || packed.size() < kHeaderBytes + kTrailerBytes)
        return fail(Errc::Corrupt, "not a gzip file of one plain member");
    const auto trailer = packed.substr(packed.size() - kTrailerBytes);
    const auto size = little_endian(trailer.substr(4));
    if (size > size_max) return fail(Errc::Corrupt, "a gzip file with more in it than allowed");
    // One byte more than it says it has, so that a file with more in it is found out.
    std::string out(size + std::size_t(1), '\0');
    boost::beast::zlib::z_params state;
    state.next_in = packed.data() + kHeaderBytes;
    state.avail_in = packed.size() - kHeaderBytes - kTrailerBytes;
    state.next_out = out.data();
    state.avail_out = out.size();
    boost::beast::zlib::inflate_stream inflate;
    boost::system::error_code error;
    inflate.write(state, boost::beast::zlib::Flush::finish, error);
    if (error != boost::beast::zlib::error::end_of_stream)
        return fail(Errc::Corrupt, "a damaged gzip file: " + error.message());
    out.resize(state.total_out);
    if (out.size() != size || state.avail_in != 0 || crc32(out) != little_endian(trailer))
        return fail(Errc::Corrupt, "a gzip file that is not what its check says");
    return out;
}

}  // namespace nw::net
