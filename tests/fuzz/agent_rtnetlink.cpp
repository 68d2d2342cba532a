// What the kernel says of the network, from a kernel that says anything: nothing outside of the bytes is read, and a report
// is made of whatever is understood that the controller accepts and that says the same there.
#include "agent/network_builder.hpp"
#include "fuzz.hpp"
#include "probe/devices.hpp"
#include "wire/interfaces.hpp"

#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    // A copy of exactly this size, so that a read beyond it is noticed.
    const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data),
                                       reinterpret_cast<const std::byte*>(data) + size);
    nw::agent::NetworkBuilder builder;
    nw::probe::DeviceTable devices;
    nw::probe::rtnetlink::read_messages(bytes, [&](const auto& message) {
        builder.apply(message);
        devices.apply(message);
    });
    (void)devices.state("eth0", nw::packet::Family::V6);
    const nw::wire::Interfaces report{.number = 1, .network = builder.build()};
    const auto again = nw::wire::decode_interfaces(nw::wire::encode_interfaces(report));
    NW_ASSERT(again && *again == report);
    return 0;
}
