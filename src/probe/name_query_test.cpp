#include "probe/name_query.hpp"

#include "base/testing.hpp"

namespace nw::probe {
namespace {

TEST_CASE("the name under which an address is looked up")
{
    CHECK(reverse_name(*packet::parse_address("192.0.2.10")) == "10.2.0.192.in-addr.arpa");
    CHECK(reverse_name(*packet::parse_address("2001:db8::567:89ab"))
          == "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");  // RFC 3596, section 2.5
}

}  // namespace
}  // namespace nw::probe
