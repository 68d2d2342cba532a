// What the controller reads from an agent must survive being written and read again.
#include "fuzz.hpp"
#include "wire/messages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto message = nw::wire::decode_agent_message(nw::fuzz::text_of(data, size));
    if (!message) return 0;
    const auto again = nw::wire::decode_agent_message(nw::wire::encode(*message));
    NW_ASSERT(again && *again == *message);
    return 0;
}
