// Built and read by libresolv.
#include "probe/name_query.hpp"

#include "probe/linux_net.hpp"
#include "probe/name_servers.hpp"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <ranges>
#include <span>

namespace nw::probe {
namespace {

using packet::Family;

constexpr std::uint16_t kDomain = 53;

struct ResolverState {
    struct __res_state state{};
    bool ok = false;
    ResolverState() { ok = res_ninit(&state) == 0; }
    ~ResolverState()
    {
        if (ok) res_nclose(&state);
    }
    ResolverState(const ResolverState&) = delete;
    ResolverState& operator=(const ResolverState&) = delete;
};

Records read_answer(const std::uint8_t* bytes, int size, int type_asked)
{
    Records records;
    ns_msg message{};
    if (ns_initparse(bytes, size, &message) != 0) {
        records.error = "the name server's answer is malformed";
        return records;
    }
    const auto code = ns_msg_getflag(message, ns_f_rcode);
    if (code != ns_r_noerror) {
        records.error =
            code == ns_r_nxdomain ? "the name does not exist" : "the name server answered with code " + std::to_string(code);
        return records;
    }
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record{};
        if (ns_parserr(&message, ns_s_an, i, &record) != 0) break;
        const auto ttl = ns_rr_ttl(record);
        records.ttl = std::min(records.ttl.value_or(ttl), ttl);
        const auto type = ns_rr_type(record);
        const auto length = std::size_t(ns_rr_rdlen(record));
        if ((type == ns_t_a && length == 4) || (type == ns_t_aaaa && length == 16))
            records.addresses.push_back({*packet::address_from({ns_rr_rdata(record), length}), 0});
        std::array<char, NS_MAXDNAME> name{};
        if (type == ns_t_ptr && ns_name_uncompress(bytes, bytes + size, ns_rr_rdata(record), name.data(), name.size()) > 0)
            records.names.emplace_back(name.data());
    }
    if (records.addresses.empty() && records.names.empty())
        records.error = type_asked == ns_t_ptr ? "the address has no name" : "the name has no address of this family";
    return records;
}

// The same identifier and the same question (RFC 5452, section 9.1), whatever the case of its letters.
bool answers(std::span<const std::uint8_t> answer, std::span<const std::uint8_t> query)
{
    constexpr std::size_t header = 12;
    if (answer.size() < query.size() || !std::ranges::equal(answer.first(2), query.first(2))) return false;
    const auto same = [](std::uint8_t a, std::uint8_t b) { return std::tolower(a) == std::tolower(b); };
    return std::ranges::equal(answer.subspan(header, query.size() - header), query.subspan(header), same);
}

// One query to one server over a socket bound to `device` (when given). Nothing: no answer in time.
std::optional<Records> exchange(const SocketAddress& server, const std::string& device, std::span<const std::uint8_t> query,
                                int type, int timeout_ms, std::string& problem)
{
    const Descriptor socket(::socket(server.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!bind_device(socket.get(), device)) {
        problem = "interface " + device + ": " + std::strerror(errno);
        return std::nullopt;
    }
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&server.storage), server.size) != 0
        || ::send(socket.get(), query.data(), query.size(), 0) < 0) {
        problem = std::string("cannot reach the name server: ") + std::strerror(errno);
        return std::nullopt;
    }
    std::array<std::uint8_t, 4096> answer{};
    pollfd waiting{socket.get(), POLLIN, 0};
    while (poll(&waiting, 1, timeout_ms) > 0) {
        const auto size = recv(socket.get(), answer.data(), answer.size(), 0);
        if (size < 0) {
            problem = std::string("name server: ") + std::strerror(errno);
            return std::nullopt;
        }
        if (size > 0 && answers(std::span(answer).first(std::size_t(size)), query))
            return read_answer(answer.data(), int(size), type);
    }
    problem = "no answer from the name server";
    return std::nullopt;
}

template <class Address>
SocketAddress server_of(const Address& address)
{
    SocketAddress server{.size = sizeof address};
    std::memcpy(&server.storage, &address, sizeof address);
    return server;
}

std::vector<SocketAddress> configured_servers(const ResolverState& resolver)
{
    std::vector<SocketAddress> servers;
    for (int i = 0; i < resolver.state.nscount; ++i) {
        const auto& v4 = resolver.state.nsaddr_list[i];
        if (v4.sin_family == AF_INET) servers.push_back(server_of(v4));
        else if (const auto* v6 = resolver.state._u._ext.nsaddrs[i])
            servers.push_back(server_of(*v6));  // kept here by glibc
    }
    return servers;
}

// Whom to ask through a device: the servers of that link, where it was given some; else those of the host, and where that
// is a stub on the host itself, which no bound packet can reach, those that the stub asks.
std::vector<SocketAddress> servers_through(const std::string& device, const ResolverState& resolver)
{
    auto addresses = link_name_servers(if_nametoindex(device.c_str()));
    if (addresses.empty() && std::ranges::all_of(servers_of_resolv_conf_file(), is_this_host))
        addresses = host_name_servers();
    if (addresses.empty()) return configured_servers(resolver);
    std::vector<SocketAddress> servers;
    for (const auto& address : addresses) servers.push_back(to_sockaddr({.address = address}, kDomain));
    return servers;
}

}  // namespace

Records query_name_servers(const std::string& name, int type, const std::string& device, QueryPatience patience)
{
    ResolverState resolver;
    std::array<std::uint8_t, 512> query{};
    const int size = resolver.ok ? res_nmkquery(&resolver.state, ns_o_query, name.c_str(), ns_c_in, type, nullptr, 0,
                                                nullptr, query.data(), int(query.size()))
                                 : -1;
    if (size < 0) return {.error = "the name cannot be put into a DNS query"};
    const auto servers = device.empty() ? configured_servers(resolver) : servers_through(device, resolver);
    Records failed{.error = "no name server is configured"};
    for (int attempt = 0; attempt < patience.attempts; ++attempt) {
        for (const auto& server : servers) {
            auto records =
                exchange(server, device, std::span(query).first(std::size_t(size)), type, patience.timeout_ms, failed.error);
            if (records) return *std::move(records);
        }
    }
    return failed;
}

std::string reverse_name(const packet::Address& address)
{
    const auto bytes = std::span(address.bytes).first(address.size());
    std::string name;
    for (const auto byte : bytes | std::views::reverse) {
        if (address.family == Family::V4) name += std::to_string(byte) + '.';
        else
            for (const unsigned nibble : {byte & 15U, unsigned(byte) >> 4U})
                name += std::string{"0123456789abcdef"[nibble], '.'};
    }
    return name + (address.family == Family::V4 ? "in-addr.arpa" : "ip6.arpa");
}

}  // namespace nw::probe
