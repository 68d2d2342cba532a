// Text forms of bytes and ids, and small string helpers that the standard library lacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nw {

std::string to_hex(std::span<const std::byte> bytes);
std::optional<std::vector<std::byte>> from_hex(std::string_view text);

// 64 bits as 13 characters of Crockford's base 32 (0-9, a-z without i, l, o, u): sorts like the number.
std::string to_base32(std::uint64_t value);
std::optional<std::uint64_t> from_base32(std::string_view text);

inline std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string_view trimmed(std::string_view text);
std::string lower(std::string_view ascii);
std::vector<std::string_view> split(std::string_view text, char separator);

// The length of the well-formed UTF-8 sequence at the front of a text that is not empty; 0 when there is none
// (RFC 3629).
std::size_t utf8_length(std::string_view text);

// True for well-formed UTF-8 without control characters (tab and newline excepted when `multiline`).
bool is_clean_text(std::string_view text, bool multiline = false);

// The known word nearest to `word`, when near enough to be worth suggesting.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace nw
