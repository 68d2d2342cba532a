#include "net/json.hpp"

#include <simdjson.h>

namespace nw::net {
namespace {

Result<Json> convert(const simdjson::dom::element& element, std::size_t depth);

Result<Json> convert_array(const simdjson::dom::array& in, std::size_t depth)
{
    Json::Array out;
    out.reserve(in.size());
    for (const auto& item : in) {
        NW_TRY(auto value, convert(item, depth + 1));
        out.push_back(std::move(value));
    }
    return Json(std::move(out));
}

Result<Json> convert_object(const simdjson::dom::object& in, std::size_t depth)
{
    Json::Object out;
    for (const auto& [name, member] : in) {
        NW_TRY(auto value, convert(member, depth + 1));
        if (!out.emplace(std::string(name), std::move(value)).second)
            return fail_field(std::string(name), "stands twice in the same object");
    }
    return Json(std::move(out));
}

Result<Json> convert(const simdjson::dom::element& element, std::size_t depth)
{
    using Type = simdjson::dom::element_type;
    if (depth > kJsonDepthMax) return fail(Errc::Invalid, "JSON nested deeper than 16 levels");
    switch (element.type()) {
    case Type::NULL_VALUE: return Json();
    case Type::BOOL: return Json(bool(element.get_bool().value_unsafe()));
    case Type::INT64: return Json(std::int64_t(element.get_int64().value_unsafe()));
    case Type::UINT64: return fail(Errc::Invalid, "a whole number beyond 64 bits");
    case Type::DOUBLE: return Json(double(element.get_double().value_unsafe()));
    case Type::STRING: return Json(std::string(element.get_string().value_unsafe()));
    case Type::ARRAY: return convert_array(element.get_array().value_unsafe(), depth);
    case Type::OBJECT: return convert_object(element.get_object().value_unsafe(), depth);
    }
    return Json();
}

}  // namespace

const Json& Json::at(std::string_view name) const
{
    static const Json nothing;
    const auto* members = object();
    if (!members) return nothing;
    const auto found = members->find(name);
    return found == members->end() ? nothing : found->second;
}

Result<Json> parse_json(std::string_view text)
{
    simdjson::dom::parser parser;
    const simdjson::padded_string padded(text);
    simdjson::dom::element root;
    if (const auto error = parser.parse(padded).get(root); error)
        return fail(Errc::Invalid, std::string("not valid JSON: ") + simdjson::error_message(error));
    return convert(root, 1);
}

}  // namespace nw::net
