// What an agent reads from a controller, and the state file it keeps: nothing that is applied may be invalid.
#include "fuzz.hpp"
#include "model/kinds/all.hpp"
#include "wire/messages.hpp"

namespace {

void check_state(nw::wire::State state, const nw::Kinds& kinds)
{
    for (const auto& probe : state.upsert) NW_ASSERT(probe.kind && nw::validated(*probe.kind, probe.settings));
    state.invalid.clear();  // known to the reader only
    const auto again = nw::wire::decode_state(nw::wire::encode_state(state), kinds);
    NW_ASSERT(again && *again == state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const auto kinds = nw::all_kinds();
    const auto bytes = nw::fuzz::text_of(data, size);
    const auto message = nw::wire::decode_controller_message(bytes, kinds);
    if (message) {
        if (const auto* state = std::get_if<nw::wire::State>(&*message)) check_state(*state, kinds);
    }
    if (const auto state = nw::wire::decode_state(bytes, kinds)) check_state(*state, kinds);
    return 0;
}
