// resolv.conf and systemd's files as somebody may have left them: whatever they hold, a bounded list of addresses.
#include "fuzz.hpp"
#include "probe/name_servers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto text = nw::fuzz::text_of(data, size);
    for (const auto& servers : {nw::probe::servers_of_resolv_conf(text), nw::probe::servers_of_link_file(text)}) {
        NW_ASSERT(servers.size() <= 16);
        for (const auto& server : servers) (void)nw::probe::is_this_host(server);
    }
    return 0;
}
