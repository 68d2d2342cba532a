// The agent that the controller runs on its own host, as a child process with a directory of its own. It is an agent
// like every other one: it speaks the agents' protocol over loopback, and the API treats it the same.
//
// - Which agent it is stands in the metadata (api::kBuiltinAgentSetting); without one no process runs.
// - Its credential is made anew at every start and never leaves this host.
// - Its life ends with the controller's; a process that ends by itself is started again, ever more patiently.
//
// Belongs to one loop. ADR 11.
#pragma once

#include "api/builtin_agent.hpp"
#include "base/async.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "base/time.hpp"
#include "child_process.hpp"
#include "ingest/registry.hpp"
#include "store/metadata/metadata.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace nw::controller {

struct BuiltinAgentOptions {
    std::filesystem::path program{};    // empty: there is none
    std::filesystem::path directory{};  // of its data, one below for each agent
    std::string controller{};           // URL on this host
};

class BuiltinAgent final : public api::BuiltinAgent {
public:
    BuiltinAgent(Executor loop, store::Metadata& metadata, ingest::Registry& registry, const Clock& clock, Random& random,
                 Log log);

    // Runs the agent, if there is one, until close().
    void start(BuiltinAgentOptions options);
    // Ends the process and waits for it.
    Task<void> close();

    bool available() const override { return !options_.program.empty(); }
    std::optional<AgentId> id() const override { return id_; }
    void changed() override;

private:
    Task<void> supervise();
    Task<Result<std::optional<store::Agent>>> wanted();
    // A fresh credential, known to the registry and in the agent's directory.
    Task<Status> prepare(const store::Agent& agent);
    Task<Status> run_once(const store::Agent& agent);
    Task<void> pause(Nanos time);
    std::filesystem::path directory_of(AgentId agent) const;

    Executor loop_;
    store::Metadata& metadata_;
    ingest::Registry& registry_;
    const Clock& clock_;
    Random& random_;
    Log log_;
    BuiltinAgentOptions options_{};
    TaskGroup tasks_;
    Timer waiting_;   // of supervise(), between processes
    Timer finished_;  // of close(), for supervise()
    std::unique_ptr<ChildProcess> child_{};
    std::optional<AgentId> id_{};
    std::uint64_t changes_ = 0;
    bool supervising_ = false;
    bool closing_ = false;
};

}  // namespace nw::controller
