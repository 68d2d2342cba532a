// Whether packets can leave through a network device, known at every moment: the kernel tells of each change, and engines
// are told. What an engine asks before it sends is therefore never older than the kernel's own answer.
//
// Belongs to the loop of the engines.
#pragma once

#include "packet/address.hpp"
#include "probe/rtnetlink.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace nw::probe {

struct DeviceState {
    std::optional<std::string> problem{};  // what keeps packets from leaving, if anything
    std::uint32_t index = 0;               // 0: there is no such device
    friend bool operator==(const DeviceState&, const DeviceState&) = default;
};

class DeviceListener {
public:
    virtual ~DeviceListener() = default;
    // Some device has changed in some way. May ask for states.
    virtual void devices_changed() = 0;
};

class Devices {
public:
    virtual ~Devices() = default;
    virtual DeviceState state(const std::string& device, packet::Family family) = 0;
    virtual void listen(DeviceListener& listener) = 0;
    virtual void forget(DeviceListener& listener) = 0;
};

// The devices of the host as a table that messages of the kernel change. Pure.
class DeviceTable {
public:
    void clear() { links_.clear(); }
    // Whether anything is different now.
    bool apply(const rtnetlink::Message& message);
    DeviceState state(const std::string& device, packet::Family family) const;

private:
    struct Link {
        std::string name{};
        bool up = false;
        bool running = false;
        std::set<std::string> addresses{};  // usable ones
        friend bool operator==(const Link&, const Link&) = default;
    };

    bool apply(const rtnetlink::LinkMessage& link);
    bool apply(const rtnetlink::AddressMessage& address);

    std::map<std::uint32_t, Link> links_{};
};

}  // namespace nw::probe
