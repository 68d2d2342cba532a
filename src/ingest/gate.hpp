// GET /agent/v1/connect: the door for agents. Checks the credential and hands the WebSocket to the sessions.
#pragma once

#include "ingest/registry.hpp"
#include "ingest/sessions.hpp"
#include "net/http.hpp"

namespace nw::ingest {

inline constexpr std::string_view kConnectPath = "/agent/v1/connect";

// 401 for an unknown or missing credential, 426-like 400 without an upgrade. A revoked credential is let in to be told
// so by the protocol: a status code could as well be a proxy's, and the agent stops measuring at once on that word.
// `Authorization: Bearer <agent id>.<secret>`.
net::Response connect_agent(const net::Request& request, const Registry& registry, Sessions& sessions);

}  // namespace nw::ingest
