#include "api/handlers.hpp"

#include <array>

namespace nw::api {
namespace {

using enum net::Method;
using P = identity::Permission;

constexpr Route open(net::Method method, std::string_view pattern, Handler handler, std::string_view action = "")
{
    return {method, pattern, Needs::Nothing, std::nullopt, handler, action};
}
constexpr Route signed_in(net::Method method, std::string_view pattern, Handler handler, std::string_view action = "")
{
    return {method, pattern, Needs::Session, std::nullopt, handler, action};
}
constexpr Route admin(net::Method method, std::string_view pattern, Handler handler, std::string_view action = "")
{
    return {method, pattern, Needs::SiteAdmin, std::nullopt, handler, action};
}
constexpr Route member(net::Method method, std::string_view pattern, P permission, Handler handler,
                       std::string_view action = "")
{
    return {method, pattern, Needs::Membership, permission, handler, action};
}

constexpr std::array kRoutes{
    open(Get, "/api/v1/setup", get_setup),
    open(Post, "/api/v1/setup", set_up, "instance.set_up"),
    signed_in(Get, "/api/v1/session", get_session),
    open(Post, "/api/v1/session", sign_in, "session.sign_in"),
    signed_in(Delete, "/api/v1/session", sign_out, "session.sign_out"),
    signed_in(Get, "/api/v1/sessions", list_sessions),
    signed_in(Delete, "/api/v1/sessions/{session}", end_session, "session.end"),
    signed_in(Patch, "/api/v1/account", update_account, "account.update"),
    signed_in(Post, "/api/v1/account/password", change_password, "account.change_password"),
    open(Get, "/api/v1/invites/{token}", get_invite),
    open(Post, "/api/v1/invites/{token}", accept_invite, "invite.accept"),
    signed_in(Get, "/api/v1/workspaces", list_workspaces),
    admin(Post, "/api/v1/workspaces", create_workspace, "workspace.create"),
    member(Get, "/api/v1/workspaces/{workspace}", P::WorkspaceRead, get_workspace),
    member(Patch, "/api/v1/workspaces/{workspace}", P::WorkspaceWrite, update_workspace, "workspace.update"),
    member(Delete, "/api/v1/workspaces/{workspace}", P::WorkspaceDelete, delete_workspace, "workspace.delete"),
    member(Get, "/api/v1/workspaces/{workspace}/members", P::MembersRead, list_members),
    member(Patch, "/api/v1/workspaces/{workspace}/members/{user}", P::MembersWrite, update_member, "member.update"),
    member(Delete, "/api/v1/workspaces/{workspace}/members/{user}", P::MembersWrite, remove_member, "member.remove"),
    member(Get, "/api/v1/workspaces/{workspace}/invites", P::MembersWrite, list_invites),
    member(Post, "/api/v1/workspaces/{workspace}/invites", P::MembersWrite, create_invite, "invite.create"),
    member(Delete, "/api/v1/workspaces/{workspace}/invites/{invite}", P::MembersWrite, revoke_invite, "invite.revoke"),
    member(Get, "/api/v1/workspaces/{workspace}/roles", P::WorkspaceRead, list_roles),
    member(Get, "/api/v1/workspaces/{workspace}/agents", P::AgentsRead, list_agents),
    member(Post, "/api/v1/workspaces/{workspace}/agents", P::AgentsWrite, create_agent, "agent.create"),
    member(Post, "/api/v1/workspaces/{workspace}/agents/builtin", P::AgentsWrite, use_builtin_agent, "agent.create"),
    member(Get, "/api/v1/workspaces/{workspace}/agents/{agent}", P::AgentsRead, get_agent),
    member(Patch, "/api/v1/workspaces/{workspace}/agents/{agent}", P::AgentsWrite, update_agent, "agent.update"),
    member(Delete, "/api/v1/workspaces/{workspace}/agents/{agent}", P::AgentsDelete, delete_agent, "agent.delete"),
    member(Post, "/api/v1/workspaces/{workspace}/agents/{agent}/restore", P::AgentsDelete, restore_agent, "agent.restore"),
    member(Post, "/api/v1/workspaces/{workspace}/agents/{agent}/enrolment", P::AgentsWrite, issue_enrolment,
           "agent.issue_enrolment"),
    member(Post, "/api/v1/workspaces/{workspace}/agents/{agent}/revoke", P::AgentsWrite, revoke_agent, "agent.revoke"),
    member(Get, "/api/v1/workspaces/{workspace}/agents/{agent}/connections", P::AgentsRead, list_connections),
    member(Get, "/api/v1/workspaces/{workspace}/agents/{agent}/interfaces", P::AgentsRead, get_interfaces),
    member(Get, "/api/v1/workspaces/{workspace}/agents/{agent}/interfaces/history", P::AgentsRead, list_interface_changes),
    member(Get, "/api/v1/workspaces/{workspace}/uplinks", P::AgentsRead, compare_uplinks),
    member(Get, "/api/v1/workspaces/{workspace}/probes", P::ProbesRead, list_probes),
    member(Post, "/api/v1/workspaces/{workspace}/probes", P::ProbesWrite, create_probes, "probe.create"),
    member(Get, "/api/v1/workspaces/{workspace}/probes/{probe}", P::ProbesRead, get_probe),
    member(Patch, "/api/v1/workspaces/{workspace}/probes/{probe}", P::ProbesWrite, update_probe, "probe.update"),
    member(Delete, "/api/v1/workspaces/{workspace}/probes/{probe}", P::ProbesDelete, delete_probe, "probe.delete"),
    member(Post, "/api/v1/workspaces/{workspace}/probes/{probe}/restore", P::ProbesDelete, restore_probe, "probe.restore"),
    member(Get, "/api/v1/workspaces/{workspace}/probes/{probe}/series", P::ProbesRead, get_series),
    member(Get, "/api/v1/workspaces/{workspace}/probes/{probe}/histogram", P::ProbesRead, get_histogram),
    member(Get, "/api/v1/workspaces/{workspace}/probes/{probe}/samples", P::ProbesRead, list_samples),
    member(Get, "/api/v1/workspaces/{workspace}/probes/{probe}/samples.csv", P::ProbesRead, export_samples),
    member(Get, "/api/v1/workspaces/{workspace}/probes/{probe}/events", P::ProbesRead, list_probe_events),
    member(Get, "/api/v1/workspaces/{workspace}/probes/{probe}/path", P::ProbesRead, get_path),
    member(Get, "/api/v1/workspaces/{workspace}/probes/{probe}/path/changes", P::ProbesRead, list_path_changes),
    member(Get, "/api/v1/workspaces/{workspace}/probes/{probe}/path/diff", P::ProbesRead, get_path_diff),
    member(Get, "/api/v1/workspaces/{workspace}/topology", P::ProbesRead, get_topology),
    member(Get, "/api/v1/workspaces/{workspace}/topology/timeline", P::ProbesRead, get_topology_timeline),
    member(Get, "/api/v1/workspaces/{workspace}/topology/series", P::ProbesRead, get_topology_series),
    member(Post, "/api/v1/workspaces/{workspace}/traces", P::ProbesTrace, start_trace, "trace.start"),
    member(Get, "/api/v1/workspaces/{workspace}/traces", P::ProbesRead, list_traces),
    member(Get, "/api/v1/workspaces/{workspace}/traces/{trace}", P::ProbesRead, get_trace),
    member(Delete, "/api/v1/workspaces/{workspace}/traces/{trace}", P::ProbesTrace, cancel_trace, "trace.cancel"),
    member(Get, "/api/v1/workspaces/{workspace}/annotations", P::ProbesRead, list_annotations),
    member(Post, "/api/v1/workspaces/{workspace}/annotations", P::ProbesWrite, create_annotation, "annotation.create"),
    member(Patch, "/api/v1/workspaces/{workspace}/annotations/{annotation}", P::ProbesWrite, update_annotation,
           "annotation.update"),
    member(Delete, "/api/v1/workspaces/{workspace}/annotations/{annotation}", P::ProbesWrite, delete_annotation,
           "annotation.delete"),
    member(Post, "/api/v1/workspaces/{workspace}/annotations/{annotation}/restore", P::ProbesWrite, restore_annotation,
           "annotation.restore"),
    member(Get, "/api/v1/workspaces/{workspace}/overview", P::ProbesRead, get_overview),
    member(Get, "/api/v1/workspaces/{workspace}/targets", P::ProbesRead, list_targets),
    member(Patch, "/api/v1/workspaces/{workspace}/targets/{target}", P::ProbesWrite, update_target, "target.update"),
    member(Get, "/api/v1/workspaces/{workspace}/audit", P::AuditRead, list_audit),
    member(Get, "/api/v1/workspaces/{workspace}/audit.csv", P::AuditRead, export_audit),
    signed_in(Get, "/api/v1/kinds", list_kinds),
    signed_in(Get, "/api/v1/downloads", list_downloads),
    signed_in(Get, "/api/v1/instance", get_instance),
    admin(Patch, "/api/v1/instance", update_instance, "instance.update"),
    admin(Get, "/api/v1/instance/audit", list_audit),
    admin(Get, "/api/v1/instance/audit.csv", export_audit),
    signed_in(Get, "/api/v1/live", open_live),
    // Not part of the panel's API: agents, orchestrators, Prometheus.
    open(Post, "/agent/v1/enroll", enrol_agent, "agent.enrol"),
    open(Get, "/install.sh", get_install_script),
    open(Get, "/download/{file}", get_download),
    open(Get, "/healthz", get_healthz),
    open(Get, "/readyz", get_readyz),
    open(Get, "/metrics", get_metrics),
};

}  // namespace

std::span<const Route> routes() { return kRoutes; }

}  // namespace nw::api
