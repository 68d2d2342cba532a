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

std::optional<std::string> ip_bytes(std::string_view text)
{
    const bool v6 = text.contains(':');
    std::string bytes(v6 ? 16 : 4, '\0');
    if (inet_pton(v6 ? AF_INET6 : AF_INET, std::string(text).c_str(), bytes.data()) != 1) return std::nullopt;
    return bytes;
}

}  // namespace nw
