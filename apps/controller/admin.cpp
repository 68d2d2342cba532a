#include "admin.hpp"

#include "api/setup_token.hpp"
#include "base/digest.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "identity/secret.hpp"
#include "net/local_socket.hpp"
#include "sqlite/database.hpp"
#include "store/metadata/metadata.hpp"
#include "store/metadata/settings_json.hpp"
#include "store/telemetry/catalogue.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

namespace nw::controller {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::hours kTokenLife{24};
constexpr std::chrono::seconds kBackupWithin{3600};

Result<std::unique_ptr<store::Metadata>> open_metadata(const AdminContext& context)
{
    std::error_code error;
    fs::create_directories(context.data_dir, error);
    if (error) return fail(Errc::Unavailable, "data directory " + context.data_dir + ": " + error.message());
    return store::Metadata::open(fs::path(context.data_dir) / "metadata.db");
}

template <class Work>
auto in_metadata(const AdminContext& context, Work work) -> std::invoke_result_t<Work&, store::MetadataTx&>
{
    NW_TRY(auto metadata, open_metadata(context));
    return metadata->write_now(std::move(work));
}

Status add_audit(store::MetadataTx& tx, const AdminContext& context, std::optional<WorkspaceId> workspace,
                 std::string_view action, std::string_view type, std::string_view subject, std::string_view name)
{
    return tx.audit().add({.workspace = workspace,
                           .at_us = to_us(context.clock.wall()),
                           .actor = "system",
                           .actor_name = "command line",
                           .action = std::string(action),
                           .subject_type = std::string(type),
                           .subject = std::string(subject),
                           .subject_name = std::string(name)});
}

Result<store::Workspace> find_workspace(store::MetadataTx& tx, const std::string& id_or_slug)
{
    NW_TRY(auto found, tx.workspaces().find(id_or_slug));
    if (!found) return fail(Errc::NotFound, "no workspace '" + id_or_slug + "'");
    return *std::move(found);
}

bool is_slug(std::string_view text)
{
    return !text.empty() && text.size() <= 48
           && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool is_empty_or_absent(const fs::path& dir)
{
    std::error_code ignored;
    return !fs::exists(dir, ignored) || (fs::is_directory(dir, ignored) && fs::is_empty(dir, ignored));
}

}  // namespace

Result<std::string> admin_setup_url(const AdminContext& context, const std::string& base)
{
    return in_metadata(context, [&](store::MetadataTx& tx) -> Result<std::string> {
        NW_TRY(const bool needed, api::setup_needed(tx));
        if (!needed) return base + "/";
        NW_TRY(const auto token, api::make_setup_token(tx, context.random));
        return base + "/setup#token=" + token;
    });
}

Result<std::string> admin_create_workspace(const AdminContext& context, const std::string& slug, const std::string& name)
{
    if (!is_slug(slug)) return fail(Errc::Invalid, "--slug must be 1 to 48 of a-z, 0-9 and -");
    return in_metadata(context, [&](store::MetadataTx& tx) -> Result<std::string> {
        const auto now = context.clock.wall();
        NW_TRY(const auto workspace,
               tx.workspaces().add(
                   {.id = make_id<WorkspaceId>(context.random, now), .slug = slug, .name = name, .created_us = to_us(now)}));
        NW_CHECK(add_audit(tx, context, workspace.id, "workspace.create", "workspace", to_text(workspace.id), name));
        JsonWriter json;
        json.object().field("workspace_id", to_text(workspace.id)).end_object();
        return std::move(json).str();
    });
}

Result<std::string> admin_create_agent(const AdminContext& context, const std::string& workspace, const std::string& name)
{
    return in_metadata(context, [&](store::MetadataTx& tx) -> Result<std::string> {
        NW_TRY(const auto found, find_workspace(tx, workspace));
        const auto now = context.clock.wall();
        const auto token = identity::make_token(context.random);
        NW_TRY(const auto agent, tx.agents(found.id).add(
                                     {.id = make_id<AgentId>(context.random, now), .name = name, .created_us = to_us(now)}));
        NW_CHECK(tx.agents(found.id).set_enrolment(agent.id, sha256(token), now + kTokenLife));
        NW_CHECK(add_audit(tx, context, found.id, "agent.create", "agent", to_text(agent.id), name));
        JsonWriter json;
        json.object().field("agent_id", to_text(agent.id)).field("token", token).end_object();
        return std::move(json).str();
    });
}

Result<std::string> admin_create_probe(const AdminContext& context, const std::string& workspace, const std::string& agent,
                                       const std::string& kind_name, const std::string& settings_json)
{
    const auto* kind = context.kinds.by_name(kind_name);
    if (!kind) return fail(Errc::Invalid, "--kind: no probe kind '" + kind_name + "'");
    const auto agent_id = parse_id<AgentId>(agent);
    if (!agent_id) return fail(Errc::Invalid, "--agent must be an agent's id, as create-agent prints it");
    NW_TRY(const auto given, store::settings_from_text(settings_json));
    NW_TRY(const auto settings, validated(*kind, given));
    return in_metadata(context, [&](store::MetadataTx& tx) -> Result<std::string> {
        NW_TRY(const auto found, find_workspace(tx, workspace));
        const auto now = context.clock.wall();
        store::Probe probe{.id = make_id<ProbeId>(context.random, now),
                           .agent = *agent_id,
                           .kind = kind_name,
                           .settings = store::to_json(*kind, settings, true),
                           .created_us = to_us(now)};
        if (const auto target = settings.find("target"); target != settings.end()) {
            NW_TRY(probe.target, tx.probes(found.id).target_of(std::get<std::string>(target->second), context.random, now));
        }
        NW_TRY(const auto made, tx.probes(found.id).add(probe));
        const auto target = text_setting(settings, "target");
        const auto name = made.agent_name + " → " + (target.empty() ? kind_name : target);
        NW_CHECK(add_audit(tx, context, found.id, "probe.create", "probe", to_text(made.id), name));
        JsonWriter json;
        json.object().field("probe_id", to_text(made.id)).end_object();
        return std::move(json).str();
    });
}

Result<std::string> admin_set_password(const AdminContext& context, const std::string& email, const std::string& password)
{
    if (password.size() < identity::kPasswordBytesMin || password.size() > identity::kPasswordBytesMax)
        return fail(Errc::Invalid, "the password must be 10 to 1024 bytes long");
    return in_metadata(context, [&](store::MetadataTx& tx) -> Result<std::string> {
        NW_TRY(const auto user, tx.users().by_email(email));
        if (!user) return fail(Errc::NotFound, "no user '" + email + "'");
        NW_CHECK(tx.users().set_password(user->id, identity::hash_password(password)));
        NW_CHECK(tx.users().end_other_sessions(user->id, SessionId{}));
        NW_CHECK(add_audit(tx, context, std::nullopt, "account.set_password", "user", to_text(user->id), user->name));
        return "the password of " + email + " was set; all sessions of this user have ended";
    });
}

Result<std::string> admin_verify_audit(const AdminContext& context)
{
    return in_metadata(context, [&](store::MetadataTx& tx) -> Result<std::string> {
        NW_TRY(const auto broken, tx.audit().first_broken());
        if (broken)
            return fail(Errc::Corrupt, "the audit log was changed: its chain breaks at entry " + std::to_string(*broken));
        return std::string("the audit log is complete and unchanged");
    });
}

namespace {

Status copy_database(const fs::path& from, const fs::path& to)
{
    std::error_code error;
    fs::create_directories(to.parent_path(), error);
    auto db = sqlite::Database::open(from, {.read_only = true});
    if (!db) return std::unexpected(std::move(db).error());
    return sqlite::backup_to(**db, to);
}

// No controller runs, so nothing moves.
Status copy_at_rest(const fs::path& data, const fs::path& to)
{
    for (auto entry = fs::recursive_directory_iterator(data); entry != fs::recursive_directory_iterator(); ++entry) {
        if (entry->path() == data / kSnapshotDirectory) entry.disable_recursion_pending();
        if (!entry->is_regular_file() || entry->path().extension() != ".db") continue;
        if (auto copied = copy_database(entry->path(), to / fs::relative(entry->path(), data)); !copied)
            return std::unexpected(std::move(copied).error().while_doing("back up " + entry->path().string()));
    }
    return {};
}

// To where it was asked for, which may be another file system.
Status move_snapshot(const fs::path& snapshot, const fs::path& to)
{
    std::error_code error;
    if (!to.parent_path().empty()) fs::create_directories(to.parent_path(), error);
    fs::remove(to, error);  // an empty directory
    fs::rename(snapshot, to, error);
    if (!error) return {};
    fs::copy(snapshot, to, fs::copy_options::recursive, error);
    if (error) return fail(Errc::Unavailable, "copy " + snapshot.string() + " to " + to.string() + ": " + error.message());
    for (const auto& entry : fs::recursive_directory_iterator(to)) NW_CHECK(store::sync_path(entry.path()));
    fs::remove_all(snapshot, error);
    return {};
}

}  // namespace

Status backup(const AdminContext& context, const std::string& to)
{
    const fs::path data(context.data_dir);
    if (!fs::exists(data / "metadata.db"))
        return fail(Errc::NotFound, context.data_dir + " is no data directory: metadata.db is missing");
    if (!is_empty_or_absent(to))
        return fail(Errc::Conflict, to + " is not empty: a backup goes into a directory of its own");
    auto answer = net::ask_local(data / kCommandSocket, kBackupCommand, kBackupWithin);
    if (!answer && answer.error().code == Errc::NotFound) return copy_at_rest(data, to);
    if (!answer) return std::unexpected(std::move(answer).error().while_doing("ask the running controller"));
    if (trimmed(*answer) != kCommandDone) return fail(Errc::Unavailable, "the controller: " + *answer);
    return move_snapshot(data / kSnapshotDirectory, to);
}

Status restore(const std::string& from, const std::string& data_dir)
{
    if (!is_empty_or_absent(data_dir))
        return fail(Errc::Conflict, data_dir + " is not empty: restore into a new directory, or move the old one away");
    if (!fs::exists(fs::path(from) / "metadata.db"))
        return fail(Errc::Invalid, from + " is no backup: metadata.db is missing");
    std::error_code error;
    fs::create_directories(fs::path(data_dir).parent_path(), error);
    // Copied beside and renamed: a restore that breaks off leaves no half data directory.
    const auto part = data_dir + ".restoring";
    fs::remove_all(part, error);
    fs::copy(from, part, fs::copy_options::recursive, error);
    if (error) return fail(Errc::Unavailable, "copy " + from + ": " + error.message());
    fs::remove(data_dir, error);
    fs::rename(part, data_dir, error);
    if (error) return fail(Errc::Unavailable, "rename " + part + ": " + error.message());
    return {};
}

}  // namespace nw::controller
