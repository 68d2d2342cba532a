// The session cookie: HttpOnly, SameSite=Lax, Secure under TLS.
#pragma once

#include "api/call.hpp"

namespace nw::api {

// 200 with the caller's account, and the cookie of the new session.
Task<Reply> reply_signed_in(Services& services, const Call& call, identity::SignedIn signed_in, int status);
std::string expired_cookie(const Services& services, const Call& call);
std::string me_json(const identity::Principal& principal);

}  // namespace nw::api
