#include "probe/name_servers.hpp"

#include "base/testing.hpp"

namespace nw::probe {
namespace {

std::string listed(const std::vector<packet::Address>& servers)
{
    std::string text;
    for (const auto& server : servers) text += (text.empty() ? "" : " ") + packet::to_text(server);
    return text;
}

}  // namespace

TEST_CASE("name servers of resolv.conf, in order and each once")
{
    CHECK(listed(servers_of_resolv_conf("# x\nnameserver 192.0.2.1\n nameserver\t2001:db8::1 \nnameserver 192.0.2.1\n"
                                        "search example.org\nnameserver fe80::1%eth0\nnameservers 9.9.9.9\nnameserver x\n"))
          == "192.0.2.1 2001:db8::1 fe80::1");
    CHECK(servers_of_resolv_conf("").empty());
}

TEST_CASE("name servers of a link, as networkd and resolved write them down")
{
    CHECK(listed(servers_of_link_file(
              "# private\nLLMNR=yes\nSERVERS=192.0.2.1:53#dns.example [2001:db8::1]:53 2001:db8::2\nDOMAINS=x\n"))
          == "192.0.2.1 2001:db8::1 2001:db8::2");
    CHECK(listed(servers_of_link_file("ADMIN_STATE=configured\nDNS=192.0.2.7 192.0.2.8\nNTP=192.0.2.9\n"))
          == "192.0.2.7 192.0.2.8");
}

TEST_CASE("what is this host itself")
{
    for (const auto* text : {"127.0.0.53", "127.1.2.3", "::1"}) CHECK(is_this_host(*packet::parse_address(text)));
    for (const auto* text : {"192.0.2.1", "::2", "fe80::1"}) CHECK_FALSE(is_this_host(*packet::parse_address(text)));
}

}  // namespace nw::probe
