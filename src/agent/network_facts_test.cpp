#include "agent/network_facts.hpp"

#include "base/testing.hpp"

namespace nw::agent {
namespace {

constexpr std::string_view kHeader = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

TEST_CASE("the gateway is that of the default route with the least metric")
{
    const auto gateway = [](std::string_view rows) { return default_gateway(std::string(kHeader) + std::string(rows)); };
    CHECK(gateway("eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n") == "192.168.2.1");
    CHECK(gateway("wlan0\t00000000\t0103A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
                  "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n")
          == "192.168.2.1");
    CHECK(gateway("eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n").empty());  // no default route
    CHECK(gateway("ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n").empty());    // one without a gateway
    CHECK(gateway("eth0\t00000000\tnonsense\t0003\t0\t0\t100\t00000000\n").empty());
    CHECK(default_gateway("").empty());
}

TEST_CASE("the name server is the first that is not this host")
{
    CHECK(first_resolver("# made by hand\nsearch example.org\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n")
          == "192.0.2.53");
    CHECK(first_resolver("nameserver 127.0.0.53\noptions edns0\n").empty());
    CHECK(first_resolver("nameserver ::1\nnameserver fe80::1%eth0\nnameserver\t2001:db8::53\r\n") == "2001:db8::53");
    CHECK(first_resolver("nameserver not-an-address\nnameserver\n").empty());
}

}  // namespace
}  // namespace nw::agent
