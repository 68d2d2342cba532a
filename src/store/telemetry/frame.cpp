#include "store/telemetry/frame.hpp"

#include "base/assert.hpp"
#include "base/varint.hpp"
#include "store/telemetry/crc32c.hpp"

#include <zstd.h>

#include <utility>

namespace nw::store {
namespace {

constexpr char kTogether = 0x10;
constexpr char kApart = 0x11;
constexpr std::size_t kApartBytesMin = 16 << 10;

// Columns are varints of differences: zstd's first level packs them as tightly as its third (25.0 and 25.1 bytes per
// row of a day of pings) for half the time, and what is soon rewritten need not even cost that.
constexpr int level_of(Codec::Effort effort) { return effort == Codec::Effort::Quick ? -3 : 1; }

auto corrupt(const char* what) { return fail(Errc::Corrupt, std::string("frame: ") + what); }

void put_crc(std::string& out)
{
    const auto crc = crc32c(out);
    for (int i = 0; i < 4; ++i) out += char(crc >> (8 * i));
}

std::uint32_t read_crc(std::string_view four)
{
    std::uint32_t crc = 0;
    for (std::size_t i = 0; i < 4; ++i) crc |= std::uint32_t(std::uint8_t(four[i])) << (8 * i);
    return crc;
}

// Takes (tag, length, bytes) off the front of `in`.
bool take_section(std::string_view& in, Frame::View& out)
{
    const auto tag = take_varint(in);
    const auto length = take_varint(in);
    if (!tag || !length || *tag > UINT32_MAX || *length > in.size()) return false;
    out = {std::uint32_t(*tag), in.substr(0, *length)};
    in.remove_prefix(*length);
    return true;
}

}  // namespace

struct Codec::Contexts {
    ZSTD_CCtx* compression = ZSTD_createCCtx();
    ZSTD_DCtx* decompression = ZSTD_createDCtx();
    ~Contexts()
    {
        ZSTD_freeCCtx(compression);
        ZSTD_freeDCtx(decompression);
    }
};

Codec::Codec(Effort effort) : contexts_(std::make_unique<Contexts>()), effort_(effort) {}
Codec::~Codec() = default;

std::string_view Frame::section(std::uint32_t tag) const
{
    for (const auto& view : sections)
        if (view.tag == tag) return view.bytes;
    return {};
}

std::string_view Codec::compress(std::string_view bytes)
{
    if (const auto bound = ZSTD_compressBound(bytes.size()); room_.size() < bound) room_.resize(bound);
    const auto size =
        ZSTD_compressCCtx(contexts_->compression, room_.data(), room_.size(), bytes.data(), bytes.size(), level_of(effort_));
    NW_ASSERT(!ZSTD_isError(size));  // the output has room by construction
    return {room_.data(), size};
}

Result<std::string> Codec::decompress(std::string_view bytes)
{
    const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kSectionBytesMax)
        return corrupt("no zstd frame of a known and sane size");
    std::string out(size, '\0');
    const auto got = ZSTD_decompressDCtx(contexts_->decompression, out.data(), out.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(got) || got != size) return corrupt("zstd refuses it");
    return out;
}

std::string Codec::pack(const std::vector<Section>& sections)
{
    std::size_t total = 0;
    for (const auto& section : sections) total += section.bytes.size();
    const bool apart = total >= kApartBytesMin;
    std::string out(1, apart ? kApart : kTogether);
    std::string plain;
    if (!apart) plain.reserve(total + 8 * sections.size());
    for (const auto& section : sections) {
        auto& to = apart ? out : plain;
        const std::string_view body = apart ? compress(section.bytes) : std::string_view(section.bytes);
        put_varint(to, section.tag);
        put_varint(to, body.size());
        to += body;
    }
    if (!apart) out += compress(plain);
    put_crc(out);
    return out;
}

Result<Frame> Codec::unpack(std::string_view bytes, std::uint32_t below)
{
    if (bytes.size() < 5) return corrupt("too short");
    const auto body = bytes.substr(0, bytes.size() - 4);
    if (crc32c(body) != read_crc(bytes.substr(body.size()))) return corrupt("checksum mismatch");
    if (body[0] != kTogether && body[0] != kApart) return corrupt("unknown version");
    Frame frame;
    auto in = body.substr(1);
    const bool apart = body[0] == kApart;
    if (!apart) {
        NW_TRY(auto plain, decompress(in));
        frame.storage.push_back(std::move(plain));
        in = frame.storage.back();
    }
    // Views into `storage` need its strings to stay where they are: short ones would move with the vector.
    std::vector<Frame::View> views;
    while (!in.empty()) {
        Frame::View view;
        if (!take_section(in, view)) return corrupt("a section that is cut short");
        if (view.tag < below) views.push_back(view);
    }
    if (apart) {
        frame.storage.reserve(views.size());
        for (auto& view : views) {
            NW_TRY(auto plain, decompress(view.bytes));
            frame.storage.push_back(std::move(plain));
            view.bytes = frame.storage.back();
        }
    }
    frame.sections = std::move(views);
    return frame;
}

}  // namespace nw::store
