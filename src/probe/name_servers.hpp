// Which name servers a host, or one of its links, asks. Parsed from what the system keeps as text.
#pragma once

#include "packet/address.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace nw::probe {

// Of resolv.conf(5), in its order.
std::vector<packet::Address> servers_of_resolv_conf(std::string_view text);
// Of the files that systemd keeps per link: the line SERVERS= of resolved's, DNS= of networkd's.
std::vector<packet::Address> servers_of_link_file(std::string_view text);
// Whether it is the host itself: a stub that asks others.
bool is_this_host(const packet::Address& address);

// -- What follows reads files: name_servers_port.cpp --

// Those of /etc/resolv.conf as it is.
std::vector<packet::Address> servers_of_resolv_conf_file();
// What the host asks; behind a local stub what the stub asks, as far as it tells.
std::vector<packet::Address> host_name_servers();
// What a link was given for itself; empty for most.
std::vector<packet::Address> link_name_servers(std::uint32_t index);

}  // namespace nw::probe
