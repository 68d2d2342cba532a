// How names are looked up on Linux with glibc: getaddrinfo, and plain DNS queries built and read by libresolv.
#include "probe/resolver.hpp"

#include "base/text.hpp"
#include "probe/name_servers.hpp"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>

namespace nw::probe {
namespace {

using packet::Family;

constexpr Nanos kTtlUnknown = Seconds(60);

struct Patience {
    int attempts = 2;
    int timeout_ms = 2'000;
};
// How long an answer holds is worth one short question, never a wait.
constexpr Patience kForTtl{.attempts = 1, .timeout_ms = 300};

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

struct Records {
    std::vector<HostAddress> addresses{};
    std::optional<std::uint32_t> ttl{};
    std::string error{};
};

class Socket {
public:
    explicit Socket(int fd) : fd_(fd) {}
    ~Socket()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

Records read_answer(const std::uint8_t* bytes, int size)
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
    }
    if (records.addresses.empty()) records.error = "the name has no address of this family";
    return records;
}

// One query to one server over a socket bound to `device` (when given). Nothing: no answer in time.
std::optional<Records> exchange(const sockaddr* server, socklen_t server_size, const std::string& device,
                                std::span<const std::uint8_t> query, int timeout_ms, std::string& problem)
{
    const Socket socket(::socket(server->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!device.empty()
        && setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(), socklen_t(device.size())) != 0) {
        problem = "interface " + device + ": " + std::strerror(errno);
        return std::nullopt;
    }
    if (connect(socket.get(), server, server_size) != 0 || ::send(socket.get(), query.data(), query.size(), 0) < 0) {
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
        if (size >= 12 && std::memcmp(answer.data(), query.data(), 2) == 0) return read_answer(answer.data(), int(size));
    }
    problem = "no answer from the name server";
    return std::nullopt;
}

struct Server {
    sockaddr_storage address{};
    socklen_t size = 0;
};

template <class Address>
Server server_of(const Address& address)
{
    Server server{.size = sizeof address};
    std::memcpy(&server.address, &address, sizeof address);
    return server;
}

std::vector<Server> configured_servers(const ResolverState& resolver)
{
    std::vector<Server> servers;
    for (int i = 0; i < resolver.state.nscount; ++i) {
        const auto& v4 = resolver.state.nsaddr_list[i];
        if (v4.sin_family == AF_INET) servers.push_back(server_of(v4));
        else if (const auto* v6 = resolver.state._u._ext.nsaddrs[i])
            servers.push_back(server_of(*v6));  // kept here by glibc
    }
    return servers;
}

Server server_of(const packet::Address& address)
{
    constexpr std::uint16_t kDomain = 53;
    if (address.family == Family::V4) {
        sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(kDomain), .sin_addr = {}, .sin_zero = {}};
        std::memcpy(&v4.sin_addr, address.bytes.data(), 4);
        return server_of(v4);
    }
    sockaddr_in6 v6{
        .sin6_family = AF_INET6, .sin6_port = htons(kDomain), .sin6_flowinfo = 0, .sin6_addr = {}, .sin6_scope_id = 0};
    std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
    return server_of(v6);
}

// Whom to ask through a device: the servers of that link, where it was given some; else those of the host, and where that
// is a stub on the host itself, which no bound packet can reach, those that the stub asks.
std::vector<Server> servers_through(const std::string& device, const ResolverState& resolver)
{
    auto addresses = link_name_servers(if_nametoindex(device.c_str()));
    if (addresses.empty() && std::ranges::all_of(servers_of_resolv_conf_file(), is_this_host))
        addresses = host_name_servers();
    if (addresses.empty()) return configured_servers(resolver);
    std::vector<Server> servers;
    for (const auto& address : addresses) servers.push_back(server_of(address));
    return servers;
}

Records query_servers(const std::string& name, int type, const std::string& device, Patience patience)
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
            auto records = exchange(reinterpret_cast<const sockaddr*>(&server.address), server.size, device,
                                    std::span(query).first(std::size_t(size)), patience.timeout_ms, failed.error);
            if (records) return *std::move(records);
        }
    }
    return failed;
}

// Whether the host would send to `to` from that device at all: decides between families (RFC 6724, rule 1).
bool has_way(const HostAddress& to, const std::string& device)
{
    const bool v4 = to.address.family == Family::V4;
    const Socket socket(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(), socklen_t(device.size())) != 0) return false;
    sockaddr_in a4{.sin_family = AF_INET, .sin_port = htons(7), .sin_addr = {}, .sin_zero = {}};
    sockaddr_in6 a6{
        .sin6_family = AF_INET6, .sin6_port = htons(7), .sin6_flowinfo = 0, .sin6_addr = {}, .sin6_scope_id = to.scope};
    std::memcpy(v4 ? static_cast<void*>(&a4.sin_addr) : static_cast<void*>(&a6.sin6_addr), to.address.bytes.data(),
                to.address.size());
    return connect(socket.get(), v4 ? reinterpret_cast<const sockaddr*>(&a4) : reinterpret_cast<const sockaddr*>(&a6),
                   v4 ? sizeof a4 : sizeof a6)
           == 0;
}

Lookup look_up_through(const Question& question)
{
    Lookup result{.ttl = kTtlUnknown};
    std::optional<std::uint32_t> ttl;
    for (const int type : {ns_t_aaaa, ns_t_a}) {
        if (question.family == (type == ns_t_a ? FamilyWish::V6 : FamilyWish::V4)) continue;
        auto records = query_servers(question.host, type, question.device, {});
        if (records.ttl) ttl = std::min(ttl.value_or(*records.ttl), *records.ttl);
        if (!records.error.empty()) result.error = records.error;
        std::ranges::copy(records.addresses, std::back_inserter(result.addresses));
    }
    std::vector<HostAddress> sorted;
    for (const bool reachable : {true, false})
        for (const auto& to : result.addresses)
            if (has_way(to, question.device) == reachable) sorted.push_back(to);
    result.addresses = std::move(sorted);
    if (ttl) result.ttl = Seconds(*ttl);
    return result;
}

std::vector<HostAddress> addresses_of(const addrinfo* list)
{
    std::vector<HostAddress> addresses;
    for (; list; list = list->ai_next) {
        HostAddress found;
        if (list->ai_family == AF_INET) {
            const auto& v4 = *reinterpret_cast<const sockaddr_in*>(list->ai_addr);
            found.address = *packet::address_from({reinterpret_cast<const std::uint8_t*>(&v4.sin_addr), 4});
        } else if (list->ai_family == AF_INET6) {
            const auto& v6 = *reinterpret_cast<const sockaddr_in6*>(list->ai_addr);
            found.address = *packet::address_from({reinterpret_cast<const std::uint8_t*>(&v6.sin6_addr), 16});
            found.scope = v6.sin6_scope_id;
        } else {
            continue;
        }
        addresses.push_back(found);
    }
    return addresses;
}

struct HostAnswer {
    std::vector<HostAddress> addresses{};
    std::string error{};
};

HostAnswer ask_host(const std::string& host, int family, int flags)
{
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    const int code = getaddrinfo(host.c_str(), nullptr, &hints, &list);
    if (code != 0) return {.error = code == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(code)};
    HostAnswer answer{.addresses = addresses_of(list)};
    freeaddrinfo(list);
    return answer;
}

}  // namespace

std::optional<HostAddress> literal_address(const std::string& host)
{
    if (host.find('%') == std::string::npos) {
        const auto address = packet::parse_address(host);
        return address ? std::optional(HostAddress{*address, 0}) : std::nullopt;
    }
    const auto answer = ask_host(host, AF_INET6, AI_NUMERICHOST);
    return answer.addresses.empty() ? std::nullopt : std::optional(answer.addresses.front());
}

Lookup look_up(const Question& question, const Clock& clock)
{
    const auto started = clock.instant();
    if (!question.device.empty()) {
        auto result = look_up_through(question);
        result.took = clock.instant() - started;
        return result;
    }
    const int family = question.family == FamilyWish::V4   ? AF_INET
                       : question.family == FamilyWish::V6 ? AF_INET6
                                                           : AF_UNSPEC;
    auto answer = ask_host(question.host, family, 0);
    Lookup result{.addresses = std::move(answer.addresses),
                  .error = std::move(answer.error),
                  .ttl = kTtlUnknown,
                  .took = clock.instant() - started};
    if (result.addresses.empty()) return result;
    // Names without a dot come from the hosts file or a search list: nobody says how long they hold.
    if (question.host.find('.') == std::string::npos) return result;
    const int type = result.addresses.front().address.family == Family::V4 ? int(ns_t_a) : int(ns_t_aaaa);
    if (const auto records = query_servers(question.host, type, "", kForTtl); records.ttl)
        result.ttl = Seconds(*records.ttl);
    return result;
}

}  // namespace nw::probe
