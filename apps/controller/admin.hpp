// `netwatcher-controller admin ...`: administration on the machine itself, for whoever may read the data directory.
// Works beside a running controller, except where it says otherwise; the running one notices agents and probes that
// were made here at its next start.
#pragma once

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "model/kind.hpp"

#include <string>
#include <string_view>

namespace nw::controller {

struct AdminContext {
    std::string data_dir{};
    const Clock& clock;
    Random& random;
    const Kinds& kinds;
};

// The set-up URL below `base`, with a new token; once the set-up is done, `base` itself.
Result<std::string> admin_setup_url(const AdminContext& context, const std::string& base);
Result<std::string> admin_create_workspace(const AdminContext& context, const std::string& slug, const std::string& name);
// JSON {agent_id, token}.
Result<std::string> admin_create_agent(const AdminContext& context, const std::string& workspace, const std::string& name);
// JSON {probe_id}.
Result<std::string> admin_create_probe(const AdminContext& context, const std::string& workspace, const std::string& agent,
                                       const std::string& kind, const std::string& settings_json);
// Sets a user's password, for an administrator who is locked out.
Result<std::string> admin_set_password(const AdminContext& context, const std::string& email, const std::string& password);
// Checks the audit log's hash chain.
Result<std::string> admin_verify_audit(const AdminContext& context);

// Between the command line and a controller that runs on the same data directory.
inline constexpr std::string_view kCommandSocket = "control.sock";
inline constexpr std::string_view kBackupCommand = "backup";
inline constexpr std::string_view kCommandDone = "ok";
inline constexpr std::string_view kSnapshotDirectory = "snapshot";  // where it puts a backup

// Copies metadata and telemetry into the empty or absent directory `to`. A running controller makes the copy itself,
// because only it can keep samples from moving on between files meanwhile.
Status backup(const AdminContext& context, const std::string& to);
// Puts a backup in the place of an absent or empty data directory.
Status restore(const std::string& from, const std::string& data_dir);

}  // namespace nw::controller
