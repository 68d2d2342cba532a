#include "builtin_agent.hpp"

#include "base/digest.hpp"
#include "base/json_writer.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>

namespace nw::controller {
namespace {

constexpr Nanos kPatienceFirst = std::chrono::seconds(1);
constexpr Nanos kPatienceMax = std::chrono::seconds(60);
// Who lived for so long was not broken by its start.
constexpr Nanos kSettledAfter = std::chrono::seconds(60);
constexpr std::chrono::seconds kStopWithin{8};

// What `netwatcher-agent enroll` leaves behind (agent/enrolment.hpp), for this host alone.
std::string identity_json(const store::Agent& agent, const std::string& controller, const std::string& secret,
                          const std::string& instance)
{
    JsonWriter json;
    json.object()
        .field("controller", controller)
        .field("agent_id", to_text(agent.id))
        .field("name", agent.name)
        .field("secret", secret)
        .field("instance", instance)
        .field("ca_file", "")
        .field("insecure", false)
        .end_object();
    return std::move(json).str();
}

// Readable by this user only, from its first byte on.
Status write_private(const std::filesystem::path& file, std::string_view text)
{
    const auto fresh = file.string() + ".new";
    std::error_code error;
    {
        std::ofstream out(fresh, std::ios::trunc);
        std::filesystem::permissions(fresh, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
        if (!error) out << text << '\n';
        out.close();
        if (error || !out) return fail(Errc::Unavailable, fresh + ": could not be written");
    }
    std::filesystem::rename(fresh, file, error);
    if (error) return fail(Errc::Unavailable, file.string() + ": " + error.message());
    return {};
}

}  // namespace

BuiltinAgent::BuiltinAgent(Executor loop, store::Metadata& metadata, ingest::Registry& registry, const Clock& clock,
                           Random& random, Log log)
    : loop_(loop), metadata_(metadata), registry_(registry), clock_(clock), random_(random), log_(std::move(log)),
      tasks_(loop, log_), waiting_(loop), finished_(loop)
{}

void BuiltinAgent::start(BuiltinAgentOptions options)
{
    options_ = std::move(options);
    if (!available()) return;
    supervising_ = true;
    tasks_.spawn("built-in agent", supervise());
}

// The process is asked to end, and supervise() comes to its end by itself: nothing is left half done.
Task<void> BuiltinAgent::close()
{
    closing_ = true;
    changed();
    while (supervising_) {
        finished_.expires_at(std::chrono::steady_clock::time_point::max());
        (void)co_await finished_.async_wait(nothrow);
    }
    co_await tasks_.close();
}

void BuiltinAgent::changed()
{
    ++changes_;
    waiting_.cancel();
    if (child_) child_->interrupt();
}

std::filesystem::path BuiltinAgent::directory_of(AgentId agent) const { return options_.directory / to_text(agent); }

Task<Result<std::optional<store::Agent>>> BuiltinAgent::wanted()
{
    co_return co_await metadata_.read([](store::MetadataTx& tx) -> Result<std::optional<store::Agent>> {
        NW_TRY(const auto setting, tx.setting(api::kBuiltinAgentSetting));
        const auto id = setting ? parse_id<AgentId>(*setting) : std::nullopt;
        if (!id) return std::nullopt;
        NW_TRY(auto agent, tx.agent_sessions().find(*id));
        if (!agent || agent->deleted_us) return std::nullopt;
        return agent;
    });
}

// Waits, but not longer than until something changes.
Task<void> BuiltinAgent::pause(Nanos time)
{
    waiting_.expires_after(time);
    (void)co_await waiting_.async_wait(nothrow);
}

Task<void> BuiltinAgent::supervise()
{
    auto patience = kPatienceFirst;
    while (!closing_) {
        const auto seen = changes_;
        const auto agent = co_await wanted();
        id_ = agent && *agent ? std::optional((*agent)->id) : std::nullopt;
        if (agent && !*agent) {
            if (changes_ == seen && !closing_) co_await pause(std::chrono::hours(24));
            continue;
        }
        const auto begun = clock_.instant();
        const auto lived = agent ? co_await run_once(**agent) : Status(std::unexpected(agent.error()));
        if (closing_) break;
        if (changes_ != seen && lived) continue;
        patience = clock_.instant() - begun > kSettledAfter ? kPatienceFirst : std::min(kPatienceMax, 2 * patience);
        log_.warn("{}; next try in {} s", lived ? "the built-in agent ended" : lived.error().what,
                  std::chrono::duration_cast<std::chrono::seconds>(patience).count());
        co_await pause(patience);
    }
    supervising_ = false;
    finished_.cancel();
}

Task<Status> BuiltinAgent::prepare(const store::Agent& agent)
{
    const auto secret = random_.hex(32);
    const auto instance = random_.hex(16);
    const auto facts = agent.facts;
    NW_CO_CHECK(co_await metadata_.write([&](store::MetadataTx& tx) {
        return tx.agent_sessions().enrol(agent.id, instance, sha256(secret), facts, clock_.wall());
    }));
    NW_CO_CHECK(co_await registry_.refresh(agent.id));
    const auto directory = directory_of(agent.id);
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (!error) std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
    if (error) co_return fail(Errc::Unavailable, directory.string() + ": " + error.message());
    co_return write_private(directory / "identity.json", identity_json(agent, options_.controller, secret, instance));
}

// From its start to its end: by itself, because it is not wanted any more, or because the controller stops.
Task<Status> BuiltinAgent::run_once(const store::Agent& agent)
{
    NW_CO_CHECK(co_await prepare(agent));
    NW_CO_TRY(child_, ChildProcess::start(loop_, options_.program,
                                          {"run", "--stop-with-stdin", "--data-dir", directory_of(agent.id).string()}));
    log_.info("the built-in agent {} runs", agent.name);
    constexpr auto for_ever = std::chrono::steady_clock::time_point::max();
    std::string how;
    while (how.empty() && !closing_) {
        const auto seen = changes_;
        const auto now = co_await wanted();
        if (now && (!*now || (*now)->id != agent.id)) break;
        if (changes_ == seen) how = co_await child_->ended(for_ever);
    }
    if (how.empty()) {
        child_->signal(SIGTERM);
        how = co_await child_->ended(std::chrono::steady_clock::now() + kStopWithin);
    }
    const bool wanted_to_end = how == "exit code 0";
    child_.reset();
    log_.info("the built-in agent ended: {}", how.empty() ? "killed, it did not stop in time" : how);
    if (!wanted_to_end && !closing_) co_return fail(Errc::Unavailable, "the built-in agent ended with " + how);
    co_return Status{};
}

}  // namespace nw::controller
