// ICMP errors from strangers: what is quoted stays inside the message, extensions stay within their bounds, and their
// names can be printed.
#include "base/text.hpp"
#include "fuzz.hpp"
#include "packet/quotation.hpp"
#include "packet/transport.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace nw::packet;
    const Bytes bytes(data, size);
    for (const auto family : {Family::V4, Family::V6}) {
        const auto quotation = decode_quotation(family, bytes);
        if (!quotation) continue;
        const auto view = quotation->transport;
        NW_ASSERT(view.empty() || (view.data() >= data && view.data() + view.size() <= data + size));
        NW_ASSERT(quotation->mpls.size() <= kMplsLabelsMax && quotation->interfaces.size() <= kInterfaceInfosMax);
        for (const auto& interface : quotation->interfaces) NW_ASSERT(nw::is_clean_text(interface.name));
        if (const auto udp = decode_udp(view)) NW_ASSERT(view.size() >= kUdpHeaderBytes);
        if (const auto tcp = decode_tcp(view)) NW_ASSERT(!tcp->mss || view.size() >= kTcpHeaderBytes + kTcpMssBytes);
    }
    return 0;
}
