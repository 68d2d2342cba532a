#include "net/gzip.hpp"

#include "base/random.hpp"
#include "base/testing.hpp"

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/crc.hpp>

namespace nw::net {
namespace {

// printf 'what is packed, is packed, is packed\n' | gzip -n9
constexpr std::string_view kText = "what is packed, is packed, is packed\n";
constexpr char kPackedBytes[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xcf\x48\x2c\x51\xc8\x2c\x56\x28\x48\x4c\xce\x4e"
    "\x4d\xd1\xc1\xca\xe4\x02\x00\xce\x42\xf9\xcf\x25\x00\x00\x00";
constexpr std::string_view kPacked(kPackedBytes, sizeof kPackedBytes - 1);
constexpr std::size_t kHeader = 10;
constexpr int kIdleBits = 6 * 8 + 6;  // time and system in the header; what fills the last byte of the data up

void append_little_endian(std::string& out, std::uint32_t value)
{
    for (int shift = 0; shift < 32; shift += 8) out.push_back(char(value >> shift & 0xff));
}

// By the other half of the same library: sizes beyond what one writes down.
std::string gzip(std::string_view plain)
{
    boost::beast::zlib::deflate_stream deflate;
    std::string out(kPacked.substr(0, kHeader));
    const auto room = deflate.upper_bound(plain.size());
    out.resize(kHeader + room);
    boost::beast::zlib::z_params state;
    state.next_in = plain.data();
    state.avail_in = plain.size();
    state.next_out = out.data() + kHeader;
    state.avail_out = room;
    boost::system::error_code error;
    deflate.write(state, boost::beast::zlib::Flush::finish, error);
    REQUIRE(error == boost::beast::zlib::error::end_of_stream);
    out.resize(kHeader + state.total_out);
    boost::crc_32_type crc;
    crc.process_bytes(plain.data(), plain.size());
    append_little_endian(out, crc.checksum());
    append_little_endian(out, std::uint32_t(plain.size()));
    return out;
}

}  // namespace

TEST_CASE("what gzip packed comes out as it was")
{
    CHECK(gunzip(kPacked, kText.size()) == kText);
    CHECK(gunzip(gzip(""), 0) == "");
    SeededRandom random(7);
    for (const std::size_t size : {1UL, 1000UL, 32'768UL, 65'537UL, 700'000UL}) {
        std::string plain(size, '\0');
        for (auto& byte : plain) byte = char(random.below(random.below(7) ? 5 : 256));
        CHECK(gunzip(gzip(plain), size) == plain);
    }
}

TEST_CASE("a gzip file that is damaged, cut off or followed by more is corrupt")
{
    int idle = 0;
    for (std::size_t at = 0; at < kPacked.size(); ++at) {
        CHECK(!gunzip(kPacked.substr(0, at), 1000));
        for (int bit = 0; bit < 8; ++bit) {
            std::string damaged(kPacked);
            damaged[at] = char(damaged[at] ^ 1 << bit);
            const auto found = gunzip(damaged, 1000);
            CHECK((!found || *found == kText));
            idle += found.has_value();
        }
    }
    CHECK(idle == kIdleBits);
    CHECK(gunzip(std::string(kPacked) + '\0', 1000).error().code == Errc::Corrupt);
    CHECK(!gunzip(std::string(kPacked) + std::string(kPacked), 1000));
    CHECK(!gunzip("", 1000));
}

TEST_CASE("no more is unpacked than is allowed, whatever the file claims")
{
    CHECK(!gunzip(kPacked, kText.size() - 1));
    std::string claims(kPacked);
    claims.replace(claims.size() - 4, 4, "\xff\xff\xff\xff");
    CHECK(!gunzip(claims, 1 << 20));
    // Says that little is in it, and holds a megabyte.
    auto lies = gzip(std::string(1 << 20, 'x'));
    lies.replace(lies.size() - 4, 4, std::string("\x10\x00\x00\x00", 4));
    CHECK(!gunzip(lies, 1 << 20));
}

}  // namespace nw::net
