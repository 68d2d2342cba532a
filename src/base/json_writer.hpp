// Writes JSON (RFC 8259) straight into a string: no tree, numbers by std::to_chars so that they read back
// exactly. Nesting is the caller's: the calls stand in document order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nw {

class JsonWriter {
public:
    JsonWriter& object();
    JsonWriter& end_object();
    JsonWriter& array();
    JsonWriter& end_array();
    JsonWriter& key(std::string_view name);

    JsonWriter& text(std::string_view value);  // bytes that are no UTF-8 become U+FFFD
    JsonWriter& number(std::int64_t value);
    JsonWriter& number(std::uint64_t value);
    JsonWriter& number(double value);  // null when not finite: JSON has no other word for it
    JsonWriter& boolean(bool value);
    JsonWriter& null();
    // A complete JSON value.
    JsonWriter& raw(std::string_view json);

    // key(name) and a value.
    JsonWriter& field(std::string_view name, std::string_view value) { return key(name).text(value); }
    JsonWriter& field(std::string_view name, const char* value) { return key(name).text(value); }
    JsonWriter& field(std::string_view name, const std::string& value) { return key(name).text(value); }
    JsonWriter& field(std::string_view name, bool value) { return key(name).boolean(value); }
    JsonWriter& field(std::string_view name, double value) { return key(name).number(value); }
    JsonWriter& field(std::string_view name, std::int64_t value) { return key(name).number(value); }
    JsonWriter& field(std::string_view name, std::uint64_t value) { return key(name).number(value); }
    JsonWriter& field(std::string_view name, int value) { return key(name).number(std::int64_t{value}); }
    JsonWriter& field(std::string_view name, std::uint32_t value) { return key(name).number(std::uint64_t{value}); }
    template <class T>
    JsonWriter& field(std::string_view name, const std::optional<T>& value)
    {
        return value ? field(name, *value) : key(name).null();
    }

    const std::string& str() const& { return out_; }
    std::string str() && { return std::move(out_); }
    std::size_t size() const { return out_.size(); }

private:
    void separate();

    std::string out_{};
    bool first_ = true;
};

std::string json_quoted(std::string_view text);

}  // namespace nw
