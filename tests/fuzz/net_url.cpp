// URLs and request targets from outside. A percent-decoded value must survive being encoded and decoded again.
#include "fuzz.hpp"
#include "net/http.hpp"
#include "net/url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto text = nw::fuzz::text_of(data, size);
    if (const auto url = nw::net::parse_url(text)) {
        NW_ASSERT(!url->host.empty() && url->target.starts_with('/'));
        (void)url->authority();
    }
    if (const auto target = nw::net::parse_target(text)) {
        for (const auto& [name, value] : target->query) {
            const auto again = nw::net::parse_target("/?x=" + nw::net::percent_encoded(value));
            NW_ASSERT(again && again->query.at("x") == value);
        }
    }
    return 0;
}
