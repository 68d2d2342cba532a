// Untrusted JSON: bounded depth, never a crash; what is accepted can be walked.
#include "fuzz.hpp"
#include "net/json.hpp"

namespace {

std::size_t depth_of(const nw::net::Json& value)
{
    std::size_t deepest = 0;
    if (const auto* array = value.array()) {
        for (const auto& item : *array) deepest = std::max(deepest, depth_of(item));
        return deepest + 1;
    }
    if (const auto* object = value.object()) {
        for (const auto& [name, member] : *object) {
            NW_ASSERT(&value.at(name) == &member);
            deepest = std::max(deepest, depth_of(member));
        }
        return deepest + 1;
    }
    return 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto value = nw::net::parse_json(nw::fuzz::text_of(data, size));
    if (value) NW_ASSERT(depth_of(*value) <= nw::net::kJsonDepthMax);
    return 0;
}
