#include "system_port.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace nw::app {

void drop_privileges()
{
    umask(0077);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> caps{};
    if (syscall(SYS_capget, &header, caps.data()) != 0) return;
    constexpr std::uint32_t keep = 1U << CAP_NET_RAW;
    caps[0].permitted &= keep;
    caps[0].effective = caps[0].permitted;
    caps[0].inheritable = 0;
    caps[1] = {};
    syscall(SYS_capset, &header, caps.data());
}

Status lock_directory(const std::filesystem::path& directory)
{
    std::error_code error;
    if (!std::filesystem::exists(directory)) {
        std::filesystem::create_directories(directory, error);
        if (!error) std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
        if (error) return fail(Errc::Unavailable, directory.string() + ": " + error.message());
    }
    const auto file = directory / "lock";
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);  // held until the process ends
    if (fd < 0) return fail(Errc::Denied, file.string() + ": " + std::strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) return fail(Errc::Conflict, "another agent is using " + directory.string());
    return {};
}

void notify_service_manager(std::string_view message)
{
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    if (!path || std::strlen(path) >= sizeof address.sun_path) return;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path, std::strlen(path));
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto size = socklen_t(offsetof(sockaddr_un, sun_path) + std::strlen(path));
    sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
    ::close(fd);
}

std::optional<std::uint64_t> watchdog_us()
{
    const char* text = std::getenv("WATCHDOG_USEC");
    const auto value = text ? std::strtoull(text, nullptr, 10) : 0;
    return value > 0 ? std::optional<std::uint64_t>(value) : std::nullopt;
}

}  // namespace nw::app
