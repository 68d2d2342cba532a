// The handlers, one file per resource. docs/openapi.yaml describes what each takes and gives.
#pragma once

#include "api/call.hpp"

namespace nw::api {

// setup.cpp
Task<Reply> get_setup(Services& services, Call& call);
Task<Reply> set_up(Services& services, Call& call);
// builtin_agent.cpp
Task<Reply> use_builtin_agent(Services& services, Call& call);
// downloads.cpp
Task<Reply> get_install_script(Services& services, Call& call);
Task<Reply> get_download(Services& services, Call& call);
Task<Reply> list_downloads(Services& services, Call& call);
// session.cpp
Task<Reply> get_session(Services& services, Call& call);
Task<Reply> sign_in(Services& services, Call& call);
Task<Reply> sign_out(Services& services, Call& call);
Task<Reply> list_sessions(Services& services, Call& call);
Task<Reply> end_session(Services& services, Call& call);
Task<Reply> update_account(Services& services, Call& call);
Task<Reply> change_password(Services& services, Call& call);
// invites.cpp
Task<Reply> get_invite(Services& services, Call& call);
Task<Reply> accept_invite(Services& services, Call& call);
Task<Reply> list_invites(Services& services, Call& call);
Task<Reply> create_invite(Services& services, Call& call);
Task<Reply> revoke_invite(Services& services, Call& call);
// workspaces.cpp
Task<Reply> list_workspaces(Services& services, Call& call);
Task<Reply> create_workspace(Services& services, Call& call);
Task<Reply> get_workspace(Services& services, Call& call);
Task<Reply> update_workspace(Services& services, Call& call);
Task<Reply> delete_workspace(Services& services, Call& call);
// members.cpp
Task<Reply> list_members(Services& services, Call& call);
Task<Reply> update_member(Services& services, Call& call);
Task<Reply> remove_member(Services& services, Call& call);
Task<Reply> list_roles(Services& services, Call& call);
// agents.cpp
Task<Reply> list_agents(Services& services, Call& call);
Task<Reply> create_agent(Services& services, Call& call);
Task<Reply> get_agent(Services& services, Call& call);
Task<Reply> update_agent(Services& services, Call& call);
Task<Reply> delete_agent(Services& services, Call& call);
Task<Reply> restore_agent(Services& services, Call& call);
Task<Reply> issue_enrolment(Services& services, Call& call);
Task<Reply> revoke_agent(Services& services, Call& call);
Task<Reply> list_connections(Services& services, Call& call);
// interfaces.cpp
Task<Reply> get_interfaces(Services& services, Call& call);
Task<Reply> list_interface_changes(Services& services, Call& call);
// uplinks.cpp
Task<Reply> compare_uplinks(Services& services, Call& call);
// enrol.cpp
Task<Reply> enrol_agent(Services& services, Call& call);
// probes.cpp
Task<Reply> list_probes(Services& services, Call& call);
Task<Reply> create_probes(Services& services, Call& call);
Task<Reply> get_probe(Services& services, Call& call);
Task<Reply> update_probe(Services& services, Call& call);
Task<Reply> delete_probe(Services& services, Call& call);
Task<Reply> restore_probe(Services& services, Call& call);
// traces.cpp
Task<Reply> start_trace(Services& services, Call& call);
Task<Reply> list_traces(Services& services, Call& call);
Task<Reply> get_trace(Services& services, Call& call);
Task<Reply> cancel_trace(Services& services, Call& call);
// targets.cpp
Task<Reply> list_targets(Services& services, Call& call);
Task<Reply> update_target(Services& services, Call& call);
// annotations.cpp
Task<Reply> list_annotations(Services& services, Call& call);
Task<Reply> create_annotation(Services& services, Call& call);
Task<Reply> update_annotation(Services& services, Call& call);
Task<Reply> delete_annotation(Services& services, Call& call);
Task<Reply> restore_annotation(Services& services, Call& call);
// events.cpp
Task<Reply> list_probe_events(Services& services, Call& call);
// paths.cpp
Task<Reply> get_path(Services& services, Call& call);
Task<Reply> list_path_changes(Services& services, Call& call);
Task<Reply> get_path_diff(Services& services, Call& call);
// topology.cpp
Task<Reply> get_topology(Services& services, Call& call);
Task<Reply> get_topology_timeline(Services& services, Call& call);
Task<Reply> get_topology_series(Services& services, Call& call);
// series.cpp, samples.cpp, overview.cpp
Task<Reply> get_series(Services& services, Call& call);
Task<Reply> get_histogram(Services& services, Call& call);
Task<Reply> list_samples(Services& services, Call& call);
Task<Reply> export_samples(Services& services, Call& call);
Task<Reply> get_overview(Services& services, Call& call);
// audit.cpp
Task<Reply> list_audit(Services& services, Call& call);
Task<Reply> export_audit(Services& services, Call& call);
// instance.cpp
Task<Reply> list_kinds(Services& services, Call& call);
Task<Reply> get_instance(Services& services, Call& call);
Task<Reply> update_instance(Services& services, Call& call);
Task<Reply> get_metrics(Services& services, Call& call);
Task<Reply> get_healthz(Services& services, Call& call);
Task<Reply> get_readyz(Services& services, Call& call);
// live.cpp
Task<Reply> open_live(Services& services, Call& call);

}  // namespace nw::api
