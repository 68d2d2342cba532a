// A frame: named byte sections, compressed with zstd, protected by CRC-32C. Chunks and roll-ups are made of them.
//
//   byte    version and layout: 0x10 sections together in one zstd frame, 0x11 each section for itself
//   bytes   together: zstd of (varint tag, varint length, bytes)*;  apart: (varint tag, varint length, zstd)*
//   4 bytes CRC-32C of everything before, little endian
//
// Small frames compress better together, large ones apart, because each section then gets its own entropy tables.
// Pure, but for the compression contexts: a Codec belongs to one thread at a time.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nw::store {

// Larger sections are refused on reading: nothing that was written comes near.
inline constexpr std::size_t kSectionBytesMax = 64 << 20;

struct Section {
    std::uint32_t tag = 0;
    std::string bytes{};
};

// Sections of one decoded frame; views into `storage`.
struct Frame {
    struct View {
        std::uint32_t tag = 0;
        std::string_view bytes{};
    };
    std::vector<std::string> storage{};
    std::vector<View> sections{};

    // Empty when there is none.
    std::string_view section(std::uint32_t tag) const;
};

class Codec {
public:
    // Quick for files that are soon rewritten, Small for those that stay.
    enum class Effort : std::uint8_t { Quick, Small };

    explicit Codec(Effort effort = Effort::Small);
    ~Codec();
    Codec(const Codec&) = delete;
    Codec& operator=(const Codec&) = delete;

    std::string pack(const std::vector<Section>& sections);
    // Sections with tags from `below` on may be left out, where that saves work.
    Result<Frame> unpack(std::string_view bytes, std::uint32_t below = UINT32_MAX);

private:
    struct Contexts;
    // Valid until the next call.
    std::string_view compress(std::string_view bytes);
    Result<std::string> decompress(std::string_view bytes);
    std::unique_ptr<Contexts> contexts_;
    Effort effort_;
    std::string room_{};  // what compression writes into, kept from frame to frame
};

}  // namespace nw::store
