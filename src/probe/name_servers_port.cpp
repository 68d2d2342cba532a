#include "probe/name_servers.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace nw::probe {
namespace {

constexpr std::size_t kFileBytesMax = 64 << 10;

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

// Empty when it is not there.
std::string text_of(const std::string& path)
{
    std::string text;
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "re"));
    if (!file) return text;
    std::array<char, 4096> part{};
    for (std::size_t got = 1; got > 0 && text.size() < kFileBytesMax;) {
        got = std::fread(part.data(), 1, part.size(), file.get());
        text.append(part.data(), got);
    }
    return text;
}

}  // namespace

std::vector<packet::Address> servers_of_resolv_conf_file() { return servers_of_resolv_conf(text_of("/etc/resolv.conf")); }

std::vector<packet::Address> host_name_servers()
{
    auto servers = servers_of_resolv_conf_file();
    if (!std::ranges::all_of(servers, is_this_host)) return servers;
    const auto behind = servers_of_resolv_conf(text_of("/run/systemd/resolve/resolv.conf"));
    return behind.empty() ? servers : behind;
}

std::vector<packet::Address> link_name_servers(std::uint32_t index)
{
    for (const std::string folder : {"/run/systemd/resolve/netif/", "/run/systemd/netif/links/"})
        if (auto servers = servers_of_link_file(text_of(folder + std::to_string(index))); !servers.empty()) return servers;
    return {};
}

}  // namespace nw::probe
