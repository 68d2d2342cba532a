// The one door: finds the route, checks session, origin, CSRF token, membership and permission, reads the body, calls
// the handler, and turns errors into problem+json. Denials are audited here.
//
// Foreign ids: a workspace the caller is no member of does not exist for him (404); things inside are found by
// repositories bound to the workspace.
#pragma once

#include "api/call.hpp"

#include <functional>
#include <optional>

namespace nw::api {

class Door {
public:
    // `fallback` answers what no route below /api matches (the panel, agents' endpoints).
    using Fallback = std::function<Task<net::Response>(net::Request)>;
    Door(Services& services, Fallback fallback) : services_(services), fallback_(std::move(fallback)) {}

    Task<net::Response> handle(net::Request request);

private:
    Task<Reply> enter(const Route& route, Call& call);
    // The refusal, or nothing: the call may go on.
    Task<Result<std::optional<net::Response>>> authorise(const Route& route, Call& call);
    Task<void> audit_denial(const Route& route, const Call& call);
    Status check_origin(const Call& call) const;
    net::Response to_response(Reply reply, const Call& call) const;
    net::Response to_problem(const Error& error, const Call& call) const;

    Services& services_;
    Fallback fallback_;
};

// The route of a path, with the parameters filled in; `path_exists` tells 405 from 404.
struct Match {
    const Route* route = nullptr;
    net::Params params{};
    bool path_exists = false;
};
Match match_route(std::span<const Route> routes, net::Method method, std::string_view path);

}  // namespace nw::api
