#include "enrich/vendors.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

namespace nw::enrich {
namespace {

constexpr std::size_t kFileBytesMax = 32 << 20;
constexpr std::size_t kNameBytesMax = 128;

std::string read_file(const std::filesystem::path& file)
{
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error || size > kFileBytesMax) return {};
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// One field of RFC 4180 off the front of `line`.
std::string take_field(std::string_view& line)
{
    std::string field;
    const bool quoted = line.starts_with('"');
    if (quoted) line.remove_prefix(1);
    while (!line.empty()) {
        const char c = line.front();
        line.remove_prefix(1);
        if (quoted && c == '"') {
            if (!line.starts_with('"')) break;
            line.remove_prefix(1);
        } else if (!quoted && c == ',') {
            return field;
        }
        field += c;
    }
    if (line.starts_with(',')) line.remove_prefix(1);
    return field;
}

std::uint64_t number_of(std::string_view mac)
{
    std::uint64_t value = 0;
    for (const char byte : mac) value = value << 8 | std::uint8_t(byte);
    return value;
}

}  // namespace

void Registry::add_csv(std::string_view text)
{
    for (auto line : split(text, '\n')) {
        (void)take_field(line);
        const auto assignment = take_field(line);
        const auto name = take_field(line);
        const auto holder = trimmed(name);
        std::uint64_t prefix = 0;
        const auto [end, error] = std::from_chars(assignment.data(), assignment.data() + assignment.size(), prefix, 16);
        const bool whole = error == std::errc{} && end == assignment.data() + assignment.size();
        if (!whole || assignment.size() * 4 != bits_ || holder.empty() || holder.size() > kNameBytesMax
            || !is_clean_text(holder) || holder == "Private")
            continue;
        entries_.push_back({prefix, std::uint32_t(names_.size()), std::uint16_t(holder.size())});
        names_ += holder;
    }
    std::ranges::sort(entries_, {}, [](const Entry& entry) { return std::pair(entry.prefix, entry.at); });
    entries_.shrink_to_fit();
    names_.shrink_to_fit();
}

std::optional<std::string> Registry::holder(std::uint64_t mac) const
{
    const auto prefix = mac >> (48 - bits_);
    const auto found = std::ranges::lower_bound(entries_, prefix, {}, &Entry::prefix);
    if (found == entries_.end() || found->prefix != prefix) return std::nullopt;
    return names_.substr(found->at, found->length);
}

void Vendors::load()
{
    constexpr std::array<const char*, 3> files{"oui36.csv", "mam.csv", "oui.csv"};
    for (std::size_t i = 0; i < files.size(); ++i) registries_[i].add_csv(read_file(folder_ / files[i]));
}

std::optional<std::string> Vendors::vendor(std::string_view mac)
{
    if (mac.size() != 6 || is_local(mac)) return std::nullopt;
    std::call_once(loaded_, [this] { load(); });
    for (const auto& registry : registries_)
        if (auto holder = registry.holder(number_of(mac))) return holder;
    return std::nullopt;
}

bool is_local(std::string_view mac)
{
    constexpr unsigned local_or_group = 0x03;
    return !mac.empty() && (std::uint8_t(mac.front()) & local_or_group) != 0;
}

}  // namespace nw::enrich
