// The agent put together: engines on a loop of their own, so that packets are never behind TLS or disk work;
// everything else on the main loop; blocking work on pools.
#pragma once

#include "agent/actions.hpp"
#include "agent/collector.hpp"
#include "agent/desired_state.hpp"
#include "agent/enrolment.hpp"
#include "agent/host.hpp"
#include "agent/network_reporter.hpp"
#include "agent/public_addresses.hpp"
#include "agent/self_health.hpp"
#include "agent/uplink.hpp"
#include "net/tls.hpp"
#include "probe/linux_devices.hpp"
#include "probe/policy.hpp"
#include "probe/resolver.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

namespace nw::agent {

struct AgentOptions {
    std::filesystem::path data_dir{};
    Identity identity{};
    spool::Limits spool{};
    probe::Policy policy{};
    std::uint32_t packets_per_second_max = 10'000;
    std::string version{};
};

// Makes the engines; tests and other programs bring their own.
using EngineFactory = std::function<probe::Engines(const probe::EngineContext&)>;

class Agent final : private UplinkEvents, private ActionRunner {
public:
    // Opens spool and state and starts measuring what the last state says.
    static Result<std::unique_ptr<Agent>> open(AgentOptions options, Loop& loop, const Kinds& kinds, const Clock& clock,
                                               Random& random, Log log, const EngineFactory& engines);
    ~Agent() override;

    // Starts talking to the controller.
    void start();
    // Stops measuring, stores what is there, ends the session.
    Task<void> stop();

    // What `netwatcher-agent status` shows, as JSON.
    std::string status_json() const;

private:
    Agent(AgentOptions options, Loop& loop, const Kinds& kinds, const Clock& clock, Random& random, Log log);

    Status open_parts(const EngineFactory& engines);
    Task<void> close_probes();
    Task<void> refresh_health();
    Task<void> health_loop();
    void note_problems(const Change& change, const std::vector<wire::ProbeProblem>& problems);

    Task<Result<std::unique_ptr<net::MessageChannel>>> connect() override;
    Task<void> run_uplink();
    wire::Hello hello() override;
    AgentHealth health() override { return health_; }
    Task<wire::StateApplied> on_state(wire::State state) override;
    void on_action(wire::Action action) override { actions_.on_action(std::move(action)); }
    void measure(ProbeSpec spec) override;
    void stop(ProbeId id) override;
    Task<void> on_revoked(std::string why) override;
    Task<void> on_accepted() override;
    const wire::Interfaces* interfaces_after(std::uint64_t number) override { return network_->after(number); }
    void interfaces_kept(std::uint64_t number) override { network_->kept(number); }
    Task<Result<std::string>> ask_public_address(std::string device, bool v6);

    AgentOptions options_;
    Loop& loop_;
    const Kinds& kinds_;
    const Clock& clock_;
    Random& random_;
    Log log_;
    Pool disk_{1};
    Pool resolving_{2};
    Pool reading_network_{1};
    Pool asking_{1};  // who we are, through uplinks that may not answer for long
    Loop probe_loop_{1};
    asio::executor_work_guard<Executor> probe_work_;
    probe::Resolver resolver_;
    SystemRandom probe_random_{};
    probe::LinuxDevices devices_;
    std::unique_ptr<NetworkSource> network_source_{};
    std::unique_ptr<NetworkReporter> network_{};
    std::unique_ptr<PublicAddresses> public_addresses_{};
    std::unique_ptr<spool::Spool> spool_{};
    std::unique_ptr<Collector> collector_{};
    std::unique_ptr<Host> host_{};
    std::unique_ptr<Uplink> uplink_{};
    Actions actions_;
    DesiredState state_{};
    std::map<ProbeId, std::string> problems_{};
    bool measuring_ = true;
    AgentHealth health_{};
    SystemCounters counters_{};
    std::uint64_t packets_before_ = 0;
    Instant health_at_{};
    std::uint64_t boot_ = 0;
    WallTime started_{};
    std::vector<std::uint32_t> kind_numbers_{};
    TaskGroup writers_;
    TaskGroup tasks_;
    std::thread probe_thread_{};
};

}  // namespace nw::agent
