#include "agent/network_facts.hpp"

#include "base/testing.hpp"

namespace nw::agent {
namespace {

using namespace std::string_literals;

const std::string kLocalGateway = "\xfe\x80"s + std::string(13, '\0') + "\x01";
const std::string kGlobal = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x35";

RouteEntry default_route(std::string gateway, std::uint32_t metric)
{
    return {.v6 = gateway.size() == 16,
            .gateway = std::move(gateway),
            .interface = "eth0",
            .metric = metric,
            .type = kUnicastRoute};
}

TEST_CASE("the gateway is that of the default route with the least metric")
{
    const auto gateway = [](std::vector<RouteEntry> routes) { return facts_of({.routes = std::move(routes)}).gateway; };
    const auto near = default_route("\xc0\xa8\x02\x01"s, 100);
    const auto far = default_route("\xc0\xa8\x03\x01"s, 600);
    CHECK(gateway({far, near}) == "192.168.2.1");
    CHECK(gateway({}).empty());
    CHECK(gateway({{.destination = "\xc0\xa8\x02\x00"s,
                    .prefix = 24,
                    .gateway = "\xc0\xa8\x02\x01"s,
                    .interface = "eth0",
                    .type = kUnicastRoute}})
              .empty());
    CHECK(gateway({default_route("", 0), near}).empty());  // over a point-to-point link there is none
    CHECK(gateway({default_route(kGlobal, 1), near}) == "192.168.2.1");
    CHECK(gateway({default_route(kGlobal, 1)}) == "2001:db8::35");
    CHECK(gateway({default_route(kLocalGateway, 1)}).empty());
    auto other_table = near;
    other_table.table = 100;
    CHECK(gateway({other_table}).empty());
}

TEST_CASE("the name server is the first that is not this host")
{
    const auto resolver = [](std::vector<std::string> servers) { return facts_of({.dns = std::move(servers)}).resolver; };
    CHECK(resolver({"\xc0\x00\x02\x35"s, "\xc0\x00\x02\x36"s}) == "192.0.2.53");
    CHECK(resolver({"\x7f\x00\x00\x35"s}).empty());
    CHECK(resolver({std::string(15, '\0') + "\x01", kLocalGateway, kGlobal}) == "2001:db8::35");
    CHECK(resolver({}).empty());
}

}  // namespace
}  // namespace nw::agent
