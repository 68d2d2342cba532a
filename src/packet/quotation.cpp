#include "packet/quotation.hpp"

#include "base/text.hpp"
#include "packet/bytes.hpp"
#include "packet/icmp.hpp"

#include <algorithm>

namespace nw::packet {
namespace {

constexpr std::size_t kQuotedBytesMin = 128;  // of an error with extensions (RFC 4884, 4)
constexpr std::size_t kExtensionHeaderBytes = 4;
constexpr std::uint8_t kExtensionVersion = 2;
constexpr std::uint8_t kClassMpls = 1;
constexpr std::uint8_t kClassInterface = 2;
constexpr std::size_t kNameBytesMax = 64;  // RFC 5837, 4.3

// Bytes are taken from the front; once something was missing, everything is.
class Reader {
public:
    explicit Reader(Bytes bytes) : bytes_(bytes) {}

    Bytes take(std::size_t count)
    {
        if (failed_ || count > bytes_.size()) {
            failed_ = true;
            return {};
        }
        const auto taken = bytes_.first(count);
        bytes_ = bytes_.subspan(count);
        return taken;
    }
    std::uint32_t u32()
    {
        const auto taken = take(4);
        return failed_ ? 0 : get32(taken, 0);
    }
    std::uint8_t peek() const { return bytes_.empty() ? std::uint8_t{0} : bytes_[0]; }
    bool failed() const { return failed_; }

private:
    Bytes bytes_;
    bool failed_ = false;
};

void read_mpls(Bytes payload, Quotation& out)
{
    for (std::size_t at = 0; at + 4 <= payload.size() && out.mpls.size() < kMplsLabelsMax; at += 4) {
        const auto entry = get32(payload, at);  // RFC 3032, 2.1
        out.mpls.push_back({.label = entry >> 12,
                            .traffic_class = std::uint8_t(entry >> 9 & 7),
                            .bottom = (entry >> 8 & 1) != 0,
                            .ttl = std::uint8_t(entry)});
    }
}

std::optional<Address> read_interface_address(Reader& reader)
{
    const auto family = reader.u32() >> 16;  // IANA address family numbers
    if (family == 1) return address_from(reader.take(4));
    if (family == 2) return address_from(reader.take(16));
    reader.take(~std::size_t{0});  // its length is unknown, and so is where the rest begins
    return std::nullopt;
}

std::string read_interface_name(Reader& reader)
{
    const std::size_t length = reader.peek();  // counts itself and the padding
    if (length == 0 || length > kNameBytesMax || length % 4 != 0) {
        reader.take(~std::size_t{0});
        return {};
    }
    const auto bytes = reader.take(length);
    if (bytes.empty()) return {};
    std::string name(bytes.begin() + 1, bytes.end());
    name.resize(name.find_last_not_of('\0') + 1);
    return is_clean_text(name) ? name : std::string();
}

void read_interface(std::uint8_t type, Bytes payload, Quotation& out)
{
    if (out.interfaces.size() == kInterfaceInfosMax) return;
    Reader reader(payload);
    InterfaceInfo info{.role = InterfaceRole(type >> 6)};
    if ((type & 0x08) != 0) info.index = reader.u32();
    if ((type & 0x04) != 0) info.address = read_interface_address(reader);
    if ((type & 0x02) != 0) info.name = read_interface_name(reader);
    if ((type & 0x01) != 0) info.mtu = reader.u32();
    if (!reader.failed()) out.interfaces.push_back(std::move(info));
}

// Whether `structure` is one: the version, and a checksum that fits unless it was not sent (RFC 4884, 7).
bool is_extension_structure(Bytes structure, bool checksum_required)
{
    if (structure.size() < kExtensionHeaderBytes || structure[0] >> 4 != kExtensionVersion) return false;
    if (get16(structure, 2) == 0) return !checksum_required;
    return checksum(structure) == 0;
}

void read_extensions(Bytes structure, Quotation& out)
{
    for (auto rest = structure.subspan(kExtensionHeaderBytes); rest.size() >= 4;) {
        const std::size_t length = get16(rest, 0);
        if (length < 4 || length > rest.size()) return;
        const auto payload = rest.first(length).subspan(4);
        if (rest[2] == kClassMpls && rest[3] == 1) read_mpls(payload, out);
        if (rest[2] == kClassInterface) read_interface(rest[3], payload, out);
        rest = rest.subspan(length);
    }
}

// How many bytes the quoted packet takes when the message says so: in 32-bit words (IPv4) or 64-bit words (IPv6).
std::size_t stated_length(Family family, Bytes bytes)
{
    if (family == Family::V4) return std::size_t(bytes[5]) * 4;
    return bytes[0] == 1 || bytes[0] == 3 ? std::size_t(bytes[4]) * 8 : 0;
}

}  // namespace

std::optional<Quotation> decode_quotation(Family family, Bytes bytes)
{
    if (bytes.size() < kIcmpHeaderBytes || !is_final_error(family, bytes[0])) return std::nullopt;
    Quotation quotation{.type = bytes[0], .code = bytes[1], .mtu = next_hop_mtu(family, bytes)};
    auto quoted = bytes.subspan(kIcmpHeaderBytes);
    const auto stated = stated_length(family, bytes);
    // Routers older than RFC 4884 put the structure behind 128 bytes without saying so (section 5.5): then only a
    // checksum that fits tells it from more of the quoted packet.
    const auto length = stated == 0 ? kQuotedBytesMin : stated;
    if (length >= kQuotedBytesMin && length < quoted.size()) {
        const auto structure = quoted.subspan(length);
        if (is_extension_structure(structure, stated == 0)) {
            read_extensions(structure, quotation);
            quoted = quoted.first(length);
        }
    }
    const auto header = decode_ip(family, quoted);
    if (!header || header->fragment) return std::nullopt;
    quotation.ip = *header;
    // Padding up to 128 bytes is no part of the packet. A router that got the length wrong is believed less.
    auto end = quoted.size();
    if (header->total_bytes > header->header_bytes) end = std::min(end, header->total_bytes);
    quotation.transport = quoted.first(end).subspan(header->header_bytes);
    return quotation;
}

}  // namespace nw::packet
