// A way that a connection has to take, instead of the one that the host would choose.
#pragma once

#include <string>

namespace nw::net {

struct Via {
    std::string device{};   // bound to it: no packet leaves through another; empty: as routed
    std::string address{};  // of the host in the URL, in text form, instead of looking its name up
};

}  // namespace nw::net
