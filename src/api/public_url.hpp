// The address under which people and agents reach this controller.
#pragma once

#include "api/call.hpp"

namespace nw::api {

// The setting made in the panel, else the configuration's, else where this request went to. No trailing slash.
Result<std::string> public_url(const Services& services, store::MetadataTx& tx, const net::Request& request);

inline constexpr std::string_view kPublicUrlSetting = "public_url";
inline constexpr std::string_view kInstanceNameSetting = "instance_name";

}  // namespace nw::api
