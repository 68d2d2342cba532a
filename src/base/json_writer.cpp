#include "base/json_writer.hpp"

#include "base/text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace nw {
namespace {

void put_escaped(std::string& out, char c)
{
    constexpr std::string_view digits = "0123456789abcdef";
    switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default:
        out += "\\u00";
        out += digits[std::uint8_t(c) >> 4];
        out += digits[std::uint8_t(c) & 15];
    }
}

bool is_plain(char c) { return std::uint8_t(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7f; }

void put_quoted(std::string& out, std::string_view text)
{
    out += '"';
    while (!text.empty()) {
        if (std::uint8_t(text.front()) < 0x80) {
            if (is_plain(text.front())) out += text.front();
            else put_escaped(out, text.front());
            text.remove_prefix(1);
            continue;
        }
        const auto length = utf8_length(text);
        if (length == 0) out += "\xef\xbf\xbd";
        else out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out += '"';
}

template <class Number>
void put_number(std::string& out, Number value)
{
    std::array<char, 32> digits;
    const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out.append(digits.data(), result.ptr);
}

}  // namespace

void JsonWriter::separate()
{
    if (!first_) out_ += ',';
    first_ = false;
}

JsonWriter& JsonWriter::object()
{
    separate();
    out_ += '{';
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::end_object()
{
    out_ += '}';
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::array()
{
    separate();
    out_ += '[';
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::end_array()
{
    out_ += ']';
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name)
{
    separate();
    put_quoted(out_, name);
    out_ += ':';
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::text(std::string_view value)
{
    separate();
    put_quoted(out_, value);
    return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value)
{
    separate();
    put_number(out_, value);
    return *this;
}

JsonWriter& JsonWriter::number(std::uint64_t value)
{
    separate();
    put_number(out_, value);
    return *this;
}

JsonWriter& JsonWriter::number(double value)
{
    if (!std::isfinite(value)) return null();
    separate();
    put_number(out_, value);
    return *this;
}

JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }
JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json)
{
    separate();
    out_ += json;
    return *this;
}

std::string json_quoted(std::string_view text)
{
    std::string out;
    put_quoted(out, text);
    return out;
}

}  // namespace nw
