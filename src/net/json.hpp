// Untrusted JSON, read by simdjson into plain values with bounded depth and size. Writing is base/json_writer.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nw::net {

class Json {
public:
    using Array = std::vector<Json>;
    using Object = std::map<std::string, Json, std::less<>>;

    Json() = default;
    explicit Json(bool value) : value_(value) {}
    explicit Json(std::int64_t value) : value_(value) {}
    explicit Json(double value) : value_(value) {}
    explicit Json(std::string value) : value_(std::move(value)) {}
    explicit Json(Array value) : value_(std::move(value)) {}
    explicit Json(Object value) : value_(std::move(value)) {}

    bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    const bool* boolean() const { return std::get_if<bool>(&value_); }
    // Whole numbers only; 5.0 is a double.
    const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
    const double* real() const { return std::get_if<double>(&value_); }
    const std::string* text() const { return std::get_if<std::string>(&value_); }
    const Array* array() const { return std::get_if<Array>(&value_); }
    const Object* object() const { return std::get_if<Object>(&value_); }
    // A member of an object; null when this is no object or has no such member.
    const Json& at(std::string_view name) const;

private:
    std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_{};
};

inline constexpr std::size_t kJsonDepthMax = 16;

// Invalid with the reason when `text` is not one JSON value, nests deeper than kJsonDepthMax, repeats a member
// name, or holds a whole number beyond 64 bits.
Result<Json> parse_json(std::string_view text);

}  // namespace nw::net
