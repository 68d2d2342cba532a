#include "probe/name_servers.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <string>

namespace nw::probe {
namespace {

constexpr std::size_t kServersMax = 16;

void add(std::vector<packet::Address>& servers, std::string_view word)
{
    // "192.0.2.1:53#name" and "fe80::1%eth0": systemd appends port, link and name.
    word = word.substr(0, word.find_first_of("#%"));
    if (word.starts_with('[')) word = word.substr(1, word.find(']') == word.npos ? word.npos : word.find(']') - 1);
    else if (std::ranges::count(word, ':') == 1) word = word.substr(0, word.find(':'));
    const auto address = packet::parse_address(word);
    if (address && servers.size() < kServersMax && std::ranges::find(servers, *address) == servers.end())
        servers.push_back(*address);
}

void add_words(std::vector<packet::Address>& servers, std::string_view words)
{
    while (!words.empty()) {
        const auto end = words.find_first_of(" \t\r");
        if (end != 0) add(servers, words.substr(0, end));
        words.remove_prefix(end == std::string_view::npos ? words.size() : end + 1);
    }
}

}  // namespace

std::vector<packet::Address> servers_of_resolv_conf(std::string_view text)
{
    std::vector<packet::Address> servers;
    for (auto line : split(text, '\n')) {
        line = trimmed(line);
        if (line.starts_with("nameserver ") || line.starts_with("nameserver\t")) add(servers, trimmed(line.substr(11)));
    }
    return servers;
}

std::vector<packet::Address> servers_of_link_file(std::string_view text)
{
    std::vector<packet::Address> servers;
    for (const auto line : split(text, '\n'))
        for (const std::string_view key : {"SERVERS=", "DNS="})
            if (line.starts_with(key)) add_words(servers, line.substr(key.size()));
    return servers;
}

bool is_this_host(const packet::Address& address)
{
    if (address.family == packet::Family::V4) return address.bytes[0] == 127;
    return address == *packet::parse_address("::1");
}

}  // namespace nw::probe
