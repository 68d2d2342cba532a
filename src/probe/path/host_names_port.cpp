#include "base/text.hpp"
#include "probe/linux_net.hpp"
#include "probe/name_query.hpp"
#include "probe/path/host_names.hpp"

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include <array>
#include <utility>

namespace nw::probe::path {

namespace {

// A name for display is worth one question of a second to each name server. The settings are those of the thread, which
// others use too.
class ShortPatience {
public:
    ShortPatience()
    {
        if ((_res.options & RES_INIT) == 0) res_init();
        retrans_ = std::exchange(_res.retrans, 1);
        retry_ = std::exchange(_res.retry, 1);
    }
    ~ShortPatience()
    {
        _res.retrans = retrans_;
        _res.retry = retry_;
    }
    ShortPatience(const ShortPatience&) = delete;
    ShortPatience& operator=(const ShortPatience&) = delete;

private:
    int retrans_;
    int retry_;
};

// Through a device one server after the other is asked, once.
std::string name_through(const packet::Address& address, const std::string& device)
{
    auto answer = query_name_servers(reverse_name(address), ns_t_ptr, device, {.attempts = 1, .timeout_ms = 1'000});
    return answer.names.empty() ? std::string() : std::move(answer.names.front());
}

std::string name_as_routed(const packet::Address& address)
{
    const auto where = to_sockaddr({.address = address});
    std::array<char, NI_MAXHOST> name{};
    const ShortPatience patience;
    if (getnameinfo(reinterpret_cast<const sockaddr*>(&where.storage), where.size, name.data(), name.size(), nullptr, 0,
                    NI_NAMEREQD)
        != 0)
        return {};
    return name.data();
}

}  // namespace

std::string look_up_host_name(const packet::Address& address, const std::string& device)
{
    auto name = device.empty() ? name_as_routed(address) : name_through(address, device);
    // Whoever owns the address writes its name: it must not steer a terminal.
    return is_clean_text(name) ? name : std::string();
}

}  // namespace nw::probe::path
