#include "agent/network_facts.hpp"

#include "agent/desired_state.hpp"
#include "base/text.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace nw::agent {
namespace {

constexpr std::size_t kFileBytesMax = 256 << 10;
constexpr std::uint32_t kRouteGateway = 0x2;  // RTF_GATEWAY of linux/route.h

std::vector<std::string_view> words_of(std::string_view line)
{
    std::vector<std::string_view> words;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= line.size(); ++i) {
        if (i < line.size() && line[i] != ' ' && line[i] != '\t' && line[i] != '\r') continue;
        if (i > begin) words.push_back(line.substr(begin, i - begin));
        begin = i + 1;
    }
    return words;
}

std::optional<std::uint32_t> number_of(std::string_view text, int base)
{
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// The kernel prints the address as one number in the machine's own byte order.
std::string address_text(std::uint32_t address)
{
    in_addr in{};
    std::memcpy(&in, &address, sizeof address);
    std::array<char, INET_ADDRSTRLEN> text{};
    return inet_ntop(AF_INET, &in, text.data(), text.size()) ? text.data() : "";
}

bool is_address(std::string_view text)
{
    const std::string copy(text.substr(0, text.find('%')));
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1;
}

// A name server on this host says nothing about the network; a link-local one cannot be named without its interface.
bool is_elsewhere(std::string_view address)
{
    return is_address(address) && !address.starts_with("127.") && address != "::1" && !lower(address).starts_with("fe80:");
}

std::string text_of(const char* file) { return read_whole_file(file, kFileBytesMax).value_or(""); }

}  // namespace

std::string default_gateway(std::string_view proc_net_route)
{
    std::string found;
    std::uint32_t least = UINT32_MAX;
    for (const auto line : split(proc_net_route, '\n')) {
        // Iface Destination Gateway Flags RefCnt Use Metric Mask ...
        const auto words = words_of(line);
        if (words.size() < 8 || words[1] != "00000000" || words[7] != "00000000") continue;
        const auto gateway = number_of(words[2], 16);
        const auto flags = number_of(words[3], 16);
        const auto metric = number_of(words[6], 10);
        if (!gateway || !flags || !metric || !(*flags & kRouteGateway) || *gateway == 0) continue;
        if (!found.empty() && *metric >= least) continue;
        least = *metric;
        found = address_text(*gateway);
    }
    return found;
}

std::string first_resolver(std::string_view resolv_conf)
{
    for (const auto line : split(resolv_conf, '\n')) {
        const auto words = words_of(line);
        if (words.size() >= 2 && words[0] == "nameserver" && is_elsewhere(words[1])) return std::string(words[1]);
    }
    return {};
}

NetworkFacts read_network_facts()
{
    NetworkFacts facts{.gateway = default_gateway(text_of("/proc/net/route")),
                       .resolver = first_resolver(text_of("/etc/resolv.conf"))};
    if (facts.resolver.empty()) facts.resolver = first_resolver(text_of("/run/systemd/resolve/resolv.conf"));
    return facts;
}

}  // namespace nw::agent
