// One request on its way through the API: who calls, for which workspace, with what; and the routes it can take.
//
// The door (api/door.cpp) fills in a Call before the handler sees it: the session is checked, CSRF is checked, the
// workspace is found among the caller's own, and the role holds the route's permission. A handler never decides who may.
#pragma once

#include "api/services.hpp"
#include "base/result.hpp"
#include "identity/identity.hpp"
#include "net/http.hpp"
#include "net/json.hpp"
#include "store/metadata/metadata.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nw::api {

struct Call {
    net::Request request{};
    net::Params path{};            // {agent} in the pattern
    identity::PrincipalPtr who{};  // null on public routes without a session
    store::Workspace workspace{};  // of a route below /workspaces/{workspace}
    store::Role role = store::Role::Viewer;
    net::Json body{};  // null when there is none

    identity::Origin origin() const
    {
        return {.address = request.remote, .user_agent = std::string(request.header("user-agent"))};
    }
    bool holds(identity::Permission permission) const { return identity::may(role, permission); }
};

using Reply = Result<net::Response>;

// Deleting an agent or a probe can be taken back for so long.
inline constexpr std::chrono::hours kRestoreWithin{24};

using Handler = Task<Reply> (*)(Services&, Call&);

enum class Needs : std::uint8_t {
    Nothing,  // public
    Session,
    SiteAdmin,
    Membership,  // and `permission` in the workspace of the path
};

struct Route {
    net::Method method = net::Method::Get;
    std::string_view pattern{};  // "/api/v1/workspaces/{workspace}/agents"
    Needs needs = Needs::SiteAdmin;
    std::optional<identity::Permission> permission{};  // with Needs::Membership
    Handler handler = nullptr;
    std::string_view action{};  // for the audit log: "agent.create"; empty for reads
};

// Every route, in one table (api/routes.cpp). Tests sweep it.
std::span<const Route> routes();

net::Response json_response(std::string json, int status = 200);
net::Response no_content();

// A path parameter as an id; NotFound when it is not one, as if it did not exist.
template <class Id>
Result<Id> path_id(const Call& call, std::string_view name)
{
    const auto found = call.path.find(name);
    const auto id = found == call.path.end() ? std::nullopt : parse_id<Id>(found->second);
    if (!id) return fail(Errc::NotFound, "no such " + std::string(name));
    return *id;
}

// {limit, cursor} of the query.
Result<store::Page> page_of(const Call& call, std::uint32_t limit_default = 100, std::uint32_t limit_max = 1000);
Result<std::optional<std::int64_t>> query_integer(const Call& call, std::string_view name, std::int64_t min,
                                                  std::int64_t max);

// "true" or "false"; false when it is left out.
Result<bool> query_flag(const Call& call, std::string_view name);

// ETag and If-Match of something with a revision: the revision to change from. `Conflict` becomes 412 at the door.
std::string etag_of(std::int64_t revision);
Result<std::int64_t> revision_to_change(const Call& call, std::int64_t current);

// What an entry about a stranger says of those before it that the budget left out.
std::string left_out_detail(std::uint64_t count);

// An audit row about a change by this call, to be added in the transaction that makes it.
store::AuditEntry audit_entry(const Services& services, const Call& call, std::string_view action,
                              std::string_view subject_type, std::string_view subject, std::string_view subject_name,
                              std::string detail = "{}");

}  // namespace nw::api
