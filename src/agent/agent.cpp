#include "agent/agent.hpp"

#include "agent/call_on.hpp"
#include "agent/network_facts.hpp"
#include "base/json_writer.hpp"
#include "net/http_client.hpp"
#include "net/json.hpp"
#include "net/url.hpp"
#include "net/ws_client.hpp"
#include "probe/name_servers.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace nw::agent {
namespace {

constexpr Seconds kHealthEvery{5};
constexpr Seconds kAskDeadline{5};
constexpr Seconds kFirstReadPatience{2};

}  // namespace

Agent::Agent(AgentOptions options, Loop& loop, const Kinds& kinds, const Clock& clock, Random& random, Log log)
    : options_(std::move(options)), loop_(loop), kinds_(kinds), clock_(clock), random_(random), log_(std::move(log)),
      probe_work_(probe_loop_.get_executor()), resolver_(probe_loop_, resolving_, clock),
      devices_(probe_loop_, log_.named("devices")),
      actions_(*this, clock, log_.named("action"), [this](const wire::ActionReport& report) { uplink_->tell(report); }),
      boot_(random.u64()), started_(clock.wall()), writers_(loop.get_executor(), log_.named("channel")),
      tasks_(loop.get_executor(), log_.named("agent"))
{}

Result<std::unique_ptr<Agent>> Agent::open(AgentOptions options, Loop& loop, const Kinds& kinds, const Clock& clock,
                                           Random& random, Log log, const EngineFactory& engines)
{
    auto agent = std::unique_ptr<Agent>(new Agent(std::move(options), loop, kinds, clock, random, std::move(log)));
    NW_CHECK(agent->open_parts(engines));
    return agent;
}

Agent::~Agent()
{
    probe_work_.reset();
    probe_loop_.stop();
    if (probe_thread_.joinable()) probe_thread_.join();
    disk_.join();
    resolving_.join();
    reading_network_.join();
    asking_.join();
}

Status Agent::open_parts(const EngineFactory& engines)
{
    NW_TRY(spool_, spool::Spool::open(options_.data_dir / "spool.db", options_.spool, random_.u64()));
    if (auto loaded = load_desired_state(options_.data_dir / "state.bin", kinds_)) state_ = *std::move(loaded);
    else if (loaded.error().code != Errc::NotFound) log_.warn("the last state is not readable: {}", loaded.error().what);
    collector_ = std::make_unique<Collector>(loop_, disk_, *spool_, clock_, log_.named("collector"));
    const probe::EngineContext context{
        .loop = probe_loop_,
        .pool = resolving_,
        .clock = clock_,
        .random = probe_random_,
        .resolver = resolver_,
        .policy = options_.policy,
        .sink = [collector = collector_.get()](Sample sample) { collector->accept(std::move(sample)); },
        .log = log_.named("probe"),
        .packets_per_second_max = options_.packets_per_second_max,
        .devices = &devices_};
    host_ = std::make_unique<Host>(engines(context));
    kind_numbers_ = host_->kinds();
    Change all;
    for (const auto& [id, spec] : state_.probes()) all.start.push_back(spec);
    note_problems(all, host_->apply(all));
    uplink_ = std::make_unique<Uplink>(loop_, disk_, *spool_, kinds_, clock_, random_, static_cast<UplinkEvents&>(*this),
                                       log_.named("uplink"));
    network_source_ = open_network_source(loop_, log_.named("network"));
    network_ = std::make_unique<NetworkReporter>(loop_, reading_network_, disk_, *spool_, clock_, *network_source_,
                                                 log_.named("network"));
    network_->restore();
    public_addresses_ = std::make_unique<PublicAddresses>(
        loop_, clock_, random_, [this](std::string device, bool v6) { return ask_public_address(std::move(device), v6); },
        [this](const std::string& interface, bool v6, PublicAddress address) {
            network_->set_public(interface, v6, std::move(address));
        });
    devices_.start();
    probe_thread_ = std::thread([this] { probe_loop_.run(); });
    log_.info("measuring {} probes as of state {}", all.start.size() - problems_.size(), state_.number());
    return {};
}

void Agent::start()
{
    tasks_.spawn("collector", collector_->run([this] { uplink_->wake(); }));
    tasks_.spawn("health", health_loop());
    network_->start(tasks_, [this] {
        public_addresses_->update(network_->network());
        if (network_->moved()) uplink_->doubt();
        uplink_->wake();
    });
    public_addresses_->start(tasks_);
    tasks_.spawn("uplink", run_uplink());
}

// The first thing that a session says is where this host's packets go.
Task<void> Agent::run_uplink()
{
    co_await network_->first_read(kFirstReadPatience);
    co_await uplink_->run();
}

Task<void> Agent::stop()
{
    co_await call_on(probe_loop_, [this] {
        host_->stop_all();
        return true;
    });
    uplink_->stop();
    co_await tasks_.close();
    co_await collector_->flush();
    co_await writers_.close();
    // The engines' own coroutines end on their own loop.
    Timer closed(loop_, Timer::time_point::max());
    bool done = false;
    const auto tell = [&] {
        done = true;
        closed.cancel();
    };
    asio::co_spawn(probe_loop_, close_probes(), [this, tell](const std::exception_ptr&) { asio::post(loop_, tell); });
    while (!done) co_await closed.async_wait(nothrow);
}

Task<void> Agent::close_probes()
{
    co_await host_->close();
    co_await devices_.close();
}

void Agent::note_problems(const Change& change, const std::vector<wire::ProbeProblem>& problems)
{
    for (const auto& spec : change.start) problems_.erase(spec.id);
    for (const auto probe : change.stop) {
        problems_.erase(probe);
        collector_->forget(probe);
    }
    for (const auto& problem : problems) {
        problems_[problem.probe] = problem.what;
        log_.warn("probe {} cannot be measured: {}", to_text(problem.probe), problem.what);
    }
}

Task<Result<std::unique_ptr<net::MessageChannel>>> Agent::connect()
{
    const auto& identity = options_.identity;
    NW_CO_TRY(auto tls, net::make_tls_client({.ca_file = identity.ca_file, .verify = !identity.insecure}));
    net::WebSocketTarget target{.url = identity.controller + "/agent/v1/connect",
                                .tls = std::move(tls),
                                .headers = {{"Authorization", "Bearer " + identity.agent_id + "." + identity.secret}}};
    co_return co_await net::connect_websocket(resolving_, writers_, std::move(target));
}

// By the name server that is asked through the device as well, where the controller has a name.
Task<Result<std::string>> Agent::ask_public_address(std::string device, bool v6)
{
    const auto& identity = options_.identity;
    NW_CO_TRY(const auto url, net::parse_url(identity.controller));
    const probe::Question question{
        .host = url.host, .family = v6 ? probe::FamilyWish::V6 : probe::FamilyWish::V4, .device = device};
    std::vector<probe::HostAddress> addresses;
    if (const auto literal = probe::literal_address(url.host)) {
        addresses.push_back(*literal);
    } else {
        auto found = co_await run_on(asking_, [&] { return probe::look_up(question, clock_); });
        if (found.addresses.empty()) co_return fail(Errc::Unavailable, "cannot resolve " + url.host + ": " + found.error);
        addresses = std::move(found.addresses);
    }
    const auto& address = addresses.front().address;
    if ((address.family == packet::Family::V6) != v6)
        co_return fail(Errc::Unavailable, std::string("the controller has no IPv") + (v6 ? "6" : "4") + " address");
    if (probe::is_this_host(address)) co_return fail(Errc::Unavailable, "the controller is on this host");
    NW_CO_TRY(auto tls, net::make_tls_client({.ca_file = identity.ca_file, .verify = !identity.insecure}));
    net::ClientRequest request{.method = net::Method::Get,
                               .url = identity.controller + "/agent/v1/address",
                               .tls = std::move(tls),
                               .headers = {{"Authorization", "Bearer " + identity.agent_id + "." + identity.secret}},
                               .deadline = kAskDeadline,
                               .body_bytes_max = 4096,
                               .via = {.device = std::move(device), .address = packet::to_text(address)}};
    NW_CO_TRY(const auto response, co_await net::fetch(asking_, std::move(request)));
    if (response.status != 200)
        co_return fail(Errc::Unavailable, "the controller answered " + std::to_string(response.status));
    NW_CO_TRY(const auto answer, net::parse_json(response.body));
    const auto* text = answer.at("address").text();
    const auto seen = text ? packet::parse_address(*text) : std::nullopt;
    if (!seen) co_return fail(Errc::Corrupt, "the controller's answer has no address");
    co_return std::string(seen->view());
}

wire::Hello Agent::hello()
{
    const auto facts = read_system_facts();
    auto network = facts_of(network_->network());
    return {.capabilities = {std::string(wire::kActionsCapability)},
            .version = options_.version,
            .state_number = state_.number(),
            .hostname = facts.hostname,
            .os = facts.os,
            .arch = facts.arch,
            .kinds = kind_numbers_,
            .boot = boot_,
            .gateway = std::move(network.gateway),
            .resolver = std::move(network.resolver)};
}

Task<wire::StateApplied> Agent::on_state(wire::State state)
{
    const auto change = state_.apply(state);
    if (!change) co_return wire::StateApplied{.number = state_.number(), .need_full = true};
    wire::StateApplied applied{.number = state_.number(), .problems = state.invalid};
    if (measuring_) {
        auto problems = co_await call_on(probe_loop_, [&] { return host_->apply(*change); });
        applied.problems.insert(applied.problems.end(), std::make_move_iterator(problems.begin()),
                                std::make_move_iterator(problems.end()));
    }
    note_problems(*change, applied.problems);
    const auto saved = co_await run_on(disk_, [&] { return save(state_, options_.data_dir / "state.bin"); });
    if (!saved) log_.error("the state is applied but cannot be kept for a restart: {}", saved.error().what);
    log_.info("state {}: {} started or changed, {} stopped", state_.number(), change->start.size(), change->stop.size());
    co_return applied;
}

Task<void> Agent::on_revoked(std::string why)
{
    log_.error("the controller does not want this agent any more ({}); measuring stops, nothing is deleted", why);
    measuring_ = false;
    co_await call_on(probe_loop_, [this] {
        host_->stop_all();
        return true;
    });
    actions_.cancel_all(why);
}

void Agent::measure(ProbeSpec spec)
{
    if (!measuring_) return actions_.failed(spec.id, "this agent does not measure");
    tasks_.spawn("action", [](Agent& agent, ProbeSpec probe) -> Task<void> {
        auto sink = [&agent, id = probe.id](const probe::Progress& progress) {
            asio::post(agent.loop_, [&agent, id, progress] { agent.actions_.progressed(id, progress); });
        };
        const auto begun = co_await call_on(agent.probe_loop_, [&] { return agent.host_->measure_once(probe, sink); });
        if (!begun) agent.actions_.failed(probe.id, begun.error().what);
    }(*this, std::move(spec)));
}

void Agent::stop(ProbeId id)
{
    asio::post(probe_loop_, [this, id] { host_->stop_once(id); });
}

Task<void> Agent::on_accepted()
{
    measuring_ = true;
    Change all;
    for (const auto& [id, spec] : state_.probes()) all.start.push_back(spec);
    note_problems(all, co_await call_on(probe_loop_, [&] { return host_->apply(all); }));
}

Task<void> Agent::health_loop()
{
    Timer timer(loop_);
    for (;;) {
        co_await refresh_health();
        timer.expires_after(kHealthEvery);
        const auto [error] = co_await timer.async_wait(nothrow);
        if (error) co_return;
    }
}

Task<void> Agent::refresh_health()
{
    const auto engines = co_await call_on(probe_loop_, [this] { return std::pair(host_->health(), host_->running()); });
    spool::Depth depth;
    const auto counters = co_await run_on(disk_, [&] {
        depth = spool_->depth();
        return read_system_counters();
    });
    const auto now = clock_.instant();
    const auto total = counters.total_ticks - counters_.total_ticks;
    const auto permille = [&](std::uint64_t ticks, std::uint64_t before) {
        return total == 0 || counters_.total_ticks == 0 ? 0U : std::uint32_t((ticks - before) * 1000 / total);
    };
    const auto elapsed = std::chrono::duration<double>(now - health_at_).count();
    health_ = {.lateness_p99_us = std::uint64_t(std::chrono::duration_cast<Micros>(engines.first.lateness_p99).count()),
               .socket_drops = engines.first.socket_drops,
               .cpu_permille = permille(counters.busy_ticks, counters_.busy_ticks),
               .steal_permille = permille(counters.steal_ticks, counters_.steal_ticks),
               .spool_rows = depth.rows,
               .spool_bytes = depth.bytes,
               .rss_bytes = counters.rss_bytes,
               .probes = std::uint32_t(engines.second),
               .packets_per_second =
                   std::uint64_t(double(engines.first.packets_sent - packets_before_) / std::max(elapsed, 0.001)),
               .at_us = to_us(clock_.wall()),
               .spool_refused = depth.disk_refuses};
    counters_ = counters;
    packets_before_ = engines.first.packets_sent;
    health_at_ = now;
}

std::string Agent::status_json() const
{
    const auto& link = uplink_->status();
    JsonWriter json;
    json.object()
        .field("version", options_.version)
        .field("agent_id", options_.identity.agent_id)
        .field("name", options_.identity.name)
        .field("controller", options_.identity.controller)
        .field("started_us", to_us(started_))
        .field("now_us", to_us(clock_.wall()))
        .field("measuring", measuring_);
    json.key("link")
        .object()
        .field("state", name_of(link.state))
        .field("since_us", to_us(link.since))
        .field("what", link.what)
        .field("retry_in_ms", std::int64_t(std::chrono::duration_cast<Millis>(link.retry_in).count()))
        .field("sessions", link.sessions)
        .field("batches_sent", link.batches_sent)
        .field("acked_seq", link.acked_seq);
    if (link.clock)
        json.field("clock_offset_us", link.clock->offset_us).field("clock_uncertainty_us", link.clock->uncertainty_us);
    json.end_object().field("state_number", state_.number());
    json.key("health")
        .object()
        .field("lateness_p99_us", health_.lateness_p99_us)
        .field("socket_drops", health_.socket_drops)
        .field("cpu_permille", health_.cpu_permille)
        .field("steal_permille", health_.steal_permille)
        .field("spool_rows", health_.spool_rows)
        .field("spool_bytes", health_.spool_bytes)
        .field("rss_bytes", health_.rss_bytes)
        .field("packets_per_second", health_.packets_per_second)
        .field("spool_refused", health_.spool_refused)
        .end_object();
    json.key("probes").array();
    for (const auto& [id, spec] : state_.probes()) {
        json.object().field("id", to_text(id)).field("kind", spec.kind->name).field("interval_ms", spec.number("interval"));
        if (const auto target = text_setting(spec.settings, "target"); !target.empty()) json.field("target", target);
        if (const auto problem = problems_.find(id); problem != problems_.end()) json.field("problem", problem->second);
        if (const auto last = collector_->last_results().find(id); last != collector_->last_results().end())
            json.field("last_us", last->second.at_us)
                .field("last_outcome", nw::name_of(last->second.outcome))
                .field("last_reason", last->second.reason);
        json.end_object();
    }
    json.end_array().end_object();
    return std::move(json).str();
}

}  // namespace nw::agent
