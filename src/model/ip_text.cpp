#include "model/ip_text.hpp"

#include <arpa/inet.h>

#include <array>

namespace nw {

std::string ip_text(std::string_view bytes)
{
    if (bytes.size() != 4 && bytes.size() != 16) return {};
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
    return text.data();
}

}  // namespace nw
