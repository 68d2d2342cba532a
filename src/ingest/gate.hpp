// The door for agents. GET /agent/v1/connect checks the credential and hands the WebSocket to the sessions; GET
// /agent/v1/address tells an agent which address its request came from, which it asks through each of its uplinks.
#pragma once

#include "ingest/registry.hpp"
#include "ingest/sessions.hpp"
#include "net/http.hpp"

namespace nw::ingest {

inline constexpr std::string_view kConnectPath = "/agent/v1/connect";
inline constexpr std::string_view kAddressPath = "/agent/v1/address";

// 401 for an unknown or missing credential, 426-like 400 without an upgrade. A revoked credential is let in to be told
// so by the protocol: a status code could as well be a proxy's, and the agent stops measuring at once on that word.
// `Authorization: Bearer <agent id>.<secret>`.
net::Response connect_agent(const net::Request& request, const Registry& registry, Sessions& sessions);

// {"address": "..."}; 401 for a credential that does not count.
net::Response tell_address(const net::Request& request, const Registry& registry);

}  // namespace nw::ingest
