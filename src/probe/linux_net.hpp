// What the ports of all engines need from Linux: descriptors, addresses, what the kernel tells beside a packet, and
// why packets cannot leave.
#pragma once

#include "packet/address.hpp"
#include "probe/moment.hpp"
#include "probe/network.hpp"

#include <sys/socket.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

struct sock_extended_err;

namespace nw::probe {

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    bool is_open() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

template <class T>
bool set_option(int fd, int level, int name, const T& value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// Its packets leave through this device and no other; an empty name: as routed. errno says why not.
bool bind_device(int fd, const std::string& device);

// Room for bursts of replies and of transmit stamps, as far as the system permits.
void enlarge_buffers(int fd);

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};
SocketAddress to_sockaddr(const Destination& to, std::uint16_t port = 0);
std::optional<packet::Address> address_of(const sockaddr* from);

struct Ancillary {
    std::optional<KernelTime> stamp{};
    std::optional<std::uint8_t> ttl{};
    const sock_extended_err* error = nullptr;  // points into the message
};

Ancillary read_ancillary(msghdr& header);

// How many packets were dropped since `seen` was last brought up to date because the socket's buffer was full; the
// kernel's counter alone also counts packets that it refused for their checksum.
std::uint32_t drops_since(int fd, std::uint32_t& seen);

// What keeps packets from leaving through `device`, if anything.
std::optional<std::string> device_problem(const std::string& device, packet::Family family);

class Devices;

// Of `devices`, which know it at every moment; without them device_problem(), asked a few times a second at most.
class DeviceWatch {
public:
    explicit DeviceWatch(Devices* devices = nullptr) : known_(devices) {}

    struct State {
        Moment checked{};
        std::optional<std::string> problem{};
        unsigned index = 0;
    };
    const State& state(const std::string& device, packet::Family family, Moment now);

private:
    Devices* known_;
    std::map<std::pair<std::string, packet::Family>, State> devices_{};
};

// What a failed send says of this host, or of the path. `device` is empty when packets go as routed.
NotReady explain_send_error(int error, const std::string& device, packet::Family family);

}  // namespace nw::probe
