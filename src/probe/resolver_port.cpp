// How names are looked up on Linux with glibc: getaddrinfo, or DNS queries of our own where it cannot do what is asked.
#include "probe/resolver.hpp"

#include "probe/linux_net.hpp"
#include "probe/name_query.hpp"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>

namespace nw::probe {
namespace {

using packet::Family;

constexpr Nanos kTtlUnknown = Seconds(60);
// How long an answer holds is worth one short question, never a wait.
constexpr QueryPatience kForTtl{.attempts = 1, .timeout_ms = 300};

// Whether the host would send to `to` from that device at all: decides between families (RFC 6724, rule 1).
bool has_way(const HostAddress& to, const std::string& device)
{
    constexpr std::uint16_t any_port = 7;  // of UDP: nothing is sent
    const auto where = to_sockaddr({to.address, to.scope}, any_port);
    const Descriptor socket(::socket(where.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return bind_device(socket.get(), device)
           && connect(socket.get(), reinterpret_cast<const sockaddr*>(&where.storage), where.size) == 0;
}

Lookup look_up_through(const Question& question)
{
    Lookup result{.ttl = kTtlUnknown};
    std::optional<std::uint32_t> ttl;
    for (const int type : {ns_t_aaaa, ns_t_a}) {
        if (question.family == (type == ns_t_a ? FamilyWish::V6 : FamilyWish::V4)) continue;
        auto records = query_name_servers(question.host, type, question.device, {});
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
    if (const auto records = query_name_servers(question.host, type, "", kForTtl); records.ttl)
        result.ttl = Seconds(*records.ttl);
    return result;
}

}  // namespace nw::probe
