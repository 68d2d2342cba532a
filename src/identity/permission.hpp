// What each role may do. The matrix is data: enforced at the door, shown in the panel, swept by a test.
#pragma once

#include "store/metadata/records.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nw::identity {

enum class Permission : std::uint8_t {
    WorkspaceRead,
    WorkspaceWrite,
    WorkspaceDelete,
    MembersRead,
    MembersWrite,
    AgentsRead,
    AgentsWrite,
    AgentsDelete,
    ProbesRead,
    ProbesWrite,
    ProbesDelete,
    ProbesTrace,
    AuditRead,
};

struct PermissionInfo {
    Permission permission{};
    std::string_view name{};
    std::string_view label{};
    store::Role least = store::Role::Owner;  // the lowest role that holds it
};

inline constexpr std::array<PermissionInfo, 13> kPermissions{{
    {Permission::WorkspaceRead, "workspace.read", "See the workspace and its settings", store::Role::Viewer},
    {Permission::WorkspaceWrite, "workspace.write", "Change the workspace's settings", store::Role::Admin},
    {Permission::WorkspaceDelete, "workspace.delete", "Delete the workspace", store::Role::Owner},
    {Permission::MembersRead, "members.read", "See the members", store::Role::Viewer},
    {Permission::MembersWrite, "members.write", "Invite, change and remove members", store::Role::Admin},
    {Permission::AgentsRead, "agents.read", "See agents", store::Role::Viewer},
    {Permission::AgentsWrite, "agents.write", "Create and change agents", store::Role::Operator},
    {Permission::AgentsDelete, "agents.delete", "Delete agents and restore them", store::Role::Admin},
    {Permission::ProbesRead, "probes.read", "See probes and their results", store::Role::Viewer},
    {Permission::ProbesWrite, "probes.write", "Create and change probes", store::Role::Operator},
    {Permission::ProbesDelete, "probes.delete", "Delete probes and restore them", store::Role::Admin},
    {Permission::ProbesTrace, "probes.trace", "Trace a path now", store::Role::Operator},
    {Permission::AuditRead, "audit.read", "See who changed what", store::Role::Admin},
}};

constexpr std::string_view name_of(Permission permission) { return kPermissions[std::size_t(permission)].name; }
constexpr bool may(store::Role role, Permission permission) { return role >= kPermissions[std::size_t(permission)].least; }

}  // namespace nw::identity
