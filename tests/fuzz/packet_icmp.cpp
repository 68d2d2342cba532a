// ICMP from strangers: views stay inside the packet, and an error's text can always be made.
#include "fuzz.hpp"
#include "packet/icmp.hpp"

namespace {

void check_inside(nw::packet::Bytes whole, nw::packet::Bytes view)
{
    if (view.empty()) return;
    NW_ASSERT(view.data() >= whole.data() && view.data() + view.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace nw::packet;
    const Bytes bytes(data, size);
    for (const auto family : {Family::V4, Family::V6}) {
        const auto message = decode_icmp(family, bytes);
        if (const auto* echo = std::get_if<Echo>(&message)) check_inside(bytes, echo->payload);
        if (const auto* error = std::get_if<IcmpError>(&message)) {
            check_inside(bytes, error->payload);
            NW_ASSERT(!describe(family, *error).empty());
        }
    }
    if (const auto header = decode_ipv4(bytes)) NW_ASSERT(header->header_bytes >= 20 && header->header_bytes <= size);
    if (const auto prefix = parse_prefix(nw::fuzz::text_of(data, size))) NW_ASSERT(parse_prefix(to_text(*prefix)) == prefix);
    return 0;
}
