#include "controller.hpp"

#include "admin.hpp"
#include "api/setup_token.hpp"
#include "api/workspace_retention.hpp"
#include "ingest/gate.hpp"
#include "metrics.hpp"
#include "store/telemetry/embedded.hpp"

#include <unistd.h>

#include <filesystem>
#include <span>
#include <utility>

namespace nw::api {
std::span<const PanelAsset> embedded_panel();
}

namespace nw::controller {
std::span<const std::pair<std::string_view, std::string_view>> install_scripts();

namespace {

// What belongs to this program lies beside it: /usr/bin and /usr/share, /usr/local/bin and /usr/local/share.
std::filesystem::path beside_this_program(const std::filesystem::path& there)
{
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::filesystem::path() : (program.parent_path() / there).lexically_normal();
}

std::filesystem::path downloads_dir(const Config& config)
{
    return config.downloads_dir.empty() ? beside_this_program("../share/netwatcher/downloads")
                                        : std::filesystem::path(config.downloads_dir);
}

std::filesystem::path agent_program(const Config& config)
{
    if (!config.builtin_agent) return {};
    const auto program =
        config.agent_program.empty() ? beside_this_program("netwatcher-agent") : std::filesystem::path(config.agent_program);
    return ::access(program.c_str(), X_OK) == 0 ? program : std::filesystem::path();
}

store::Retention retention_of(const Config& config)
{
    const auto days = [](std::uint32_t count) { return Seconds(std::int64_t{86'400} * count); };
    return {.raw = days(config.raw_days), .five_minutes = days(config.five_minute_days), .hour = days(config.hour_days)};
}

net::HttpServerOptions server_options(const Config& config)
{
    net::HttpServerOptions options{.trusted_proxies = config.trusted_proxies, .headers = api::security_headers()};
    if (!config.tls_certificate.empty()) options.headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
    return options;
}

}  // namespace

Result<std::unique_ptr<Controller>> Controller::make(Config config, Loop& loop, const Clock& clock, Random& random,
                                                     const Kinds& kinds, Log log)
{
    const std::filesystem::path dir(config.data_dir);
    std::error_code error;
    std::filesystem::create_directories(dir, error);
    if (error) return fail(Errc::Unavailable, "data directory " + config.data_dir + ": " + error.message());
    std::filesystem::permissions(dir, std::filesystem::perms::owner_all, error);
    NW_TRY(auto metadata, store::Metadata::open(dir / "metadata.db"));
    NW_TRY(auto telemetry, store::open_embedded({.dir = dir / "telemetry", .retention = retention_of(config)}, kinds, clock,
                                                log.named("telemetry")));
    std::unique_ptr<net::TlsServer> tls;
    if (!config.tls_certificate.empty()) {
        NW_TRY(tls, net::TlsServer::load(config.tls_certificate, config.tls_key));
    }
    auto controller = std::unique_ptr<Controller>(new Controller(std::move(config), loop, clock, random, kinds,
                                                                 std::move(log), std::move(metadata), std::move(telemetry)));
    controller->tls_ = std::move(tls);
    return controller;
}

Controller::Controller(Config config, Loop& loop, const Clock& clock, Random& random, const Kinds& kinds, Log log,
                       std::unique_ptr<store::Metadata> metadata, std::unique_ptr<store::Telemetry> telemetry)
    : config_(std::move(config)), loop_(loop), random_(random), log_(std::move(log)), metadata_(std::move(metadata)),
      telemetry_(std::move(telemetry)), tasks_(loop.get_executor(), log_), identity_(*metadata_, clock, random),
      hub_(clock, random.hex(4)), feed_(loop.get_executor(), log_.named("live")),
      registry_(loop.get_executor(), *metadata_, kinds, clock, log_.named("agents")),
      actions_(loop.get_executor(), *metadata_, kinds, clock, log_.named("actions")),
      link_(registry_, tasks_, log_.named("agents")), actions_link_(actions_), feed_subscriber_(feed_),
      atlas_(loop.get_executor(), *metadata_, *telemetry_, kinds, clock, random.hex(4), log_.named("paths")),
      atlas_subscriber_(atlas_),
      builtin_agent_(loop.get_executor(), *metadata_, registry_, clock, random, log_.named("builtin")),
      downloads_(downloads_dir(config_)), vendors_(config_.oui_dir),
      sessions_(loop.get_executor(), *telemetry_, registry_, actions_, kinds, clock, {&feed_subscriber_, &atlas_subscriber_},
                log_.named("ingest")),
      services_{.metadata = *metadata_,
                .telemetry = *telemetry_,
                .identity = identity_,
                .hub = hub_,
                .live_connections = live_connections_,
                .feed = feed_,
                .agents = link_,
                .atlas = atlas_,
                .actions = actions_link_,
                .builtin_agent = builtin_agent_,
                .downloads = downloads_,
                .vendors = vendors_,
                .kinds = kinds,
                .clock = clock,
                .random = random,
                .log = log_.named("api")},
      panel_(api::embedded_panel()),
      door_(services_, [this](net::Request request) { return outside_api(std::move(request)); }),
      server_(loop, clock, log_.named("http"), server_options(config_),
              [this](net::Request request) { return door_.handle(std::move(request)); }),
      commands_(
          loop, std::filesystem::path(config_.data_dir) / kCommandSocket,
          [this](std::string command) { return answer_command(std::move(command)); }, log_.named("commands")),
      stopped_(loop.get_executor(), std::chrono::steady_clock::time_point::max())
{
    services_.instance = {.version = NW_VERSION,
                          .started_us = to_us(clock.wall()),
                          .secure_cookies = config_.public_url.starts_with("https"),
                          .public_url = config_.public_url,
                          .retention = retention_of(config_),
                          .install_script = install_scripts().front().second};
    services_.metrics = [this] { return metrics_text(); };
    services_.not_ready = [this] { return std::string(stopping_ ? "shutting down" : ""); };
    services_.problems = [this] { return problems(); };
    link_.attach(sessions_);
    actions_.on_send([this](AgentId agent, const wire::Action& action) { return sessions_.send(agent, action); });
    actions_.on_changed([this](const store::Action& action) { feed_.trace_changed(action); });
    registry_.on_state_changed([this](AgentId agent) {
        sessions_.state_changed(agent);
        tasks_.spawn("paths of an agent", refresh_paths(agent));
    });
    registry_.on_interfaces_stored([this](AgentId agent, StreamId stream, std::uint64_t number) {
        sessions_.interfaces_stored(agent, stream, number);
    });
    atlas_.on_change(
        [this](WorkspaceId workspace, const store::PathChange& change) { feed_.route_changed(workspace, change); });
    registry_.on_agent_changed([this](WorkspaceId workspace, AgentId agent) { feed_.agent_changed(workspace, agent); });
    identity_.on_change([this](const identity::Change& change) { live_connections_.close(change); });
}

Task<Status> Controller::run()
{
    auto started = co_await start();
    while (started && !stopping_) {
        stopped_.expires_at(std::chrono::steady_clock::time_point::max());
        (void)co_await stopped_.async_wait(nothrow);
    }
    co_await shut_down();
    co_return started;
}

Task<Status> Controller::start()
{
    NW_CO_CHECK(co_await registry_.load());
    NW_CO_CHECK(co_await atlas_.load());
    NW_CO_CHECK(co_await actions_.load());
    NW_CO_CHECK(co_await api::apply_retention(services_));
    tasks_.spawn("retention", keep_retention());
    registry_.start(tasks_);
    actions_.start(tasks_);
    feed_.start(services_, tasks_);
    atlas_.start(tasks_);
    NW_CO_CHECK(listen());
    NW_CO_CHECK(commands_.start());
    NW_CO_CHECK(start_builtin_agent());
    if (tls_) tasks_.spawn("certificate watch", watch_certificate());
    co_return co_await announce_setup();
}

Status Controller::listen()
{
    for (const auto& where : config_.listen) {
        NW_TRY(const auto port, server_.listen(where.address, where.port, tls_.get()));
        ports_.push_back(port);
        log_.info("listening on {} port {}{}", where.address, port, tls_ ? " with TLS" : "");
        const bool loopback = where.address == "127.0.0.1" || where.address == "::1";
        if (!tls_ && !loopback && config_.trusted_proxies.empty())
            log_.warn("{} is reachable without TLS: set tls_certificate and tls_key, or put a proxy in front",
                      where.address);
    }
    return {};
}

// The agent on this host comes by loopback without TLS: by a listener that is there anyway, or by one of its own.
Status Controller::start_builtin_agent()
{
    const auto program = agent_program(config_);
    if (program.empty()) {
        if (config_.builtin_agent) log_.info("no built-in agent: there is no program netwatcher-agent beside this one");
        return {};
    }
    std::string url;
    for (std::size_t i = 0; !tls_ && i < ports_.size() && url.empty(); ++i) {
        const auto& address = config_.listen[i].address;
        if (address == "127.0.0.1" || address == "0.0.0.0") url = "http://127.0.0.1:" + std::to_string(ports_[i]);
        if (address == "::1" || address == "::") url = "http://[::1]:" + std::to_string(ports_[i]);
    }
    if (url.empty()) {
        NW_TRY(const auto port, server_.listen("127.0.0.1", 0, nullptr));
        url = "http://127.0.0.1:" + std::to_string(port);
    }
    builtin_agent_.start({.program = program,
                          .directory = std::filesystem::path(config_.data_dir) / "builtin-agent",
                          .controller = std::move(url)});
    return {};
}

// Who holds this URL becomes the first administrator: it is printed to the console, not logged.
Task<Status> Controller::announce_setup()
{
    auto made = co_await metadata_->write([&](store::MetadataTx& tx) -> Result<std::string> {
        NW_TRY(const bool needed, api::setup_needed(tx));
        return needed ? api::make_setup_token(tx, random_) : Result<std::string>("");
    });
    NW_CO_TRY(const auto token, std::move(made));
    if (token.empty()) co_return Status{};
    const auto& first = config_.listen.front();
    const auto host = first.address.find(':') != std::string::npos ? "[" + first.address + "]" : first.address;
    const auto base = !config_.public_url.empty()
                          ? config_.public_url
                          : (tls_ ? "https://" : "http://") + host + ":" + std::to_string(ports_.front());
    fmt::print("Open this once to create the first administrator:\n\n    {}/setup#token={}\n\n", base, token);
    std::fflush(stdout);
    co_return Status{};
}

void Controller::stop()
{
    stopping_ = true;
    stopped_.cancel();
}

// Agents first, so that nothing more arrives; then the clients; what is stored is closed last.
Task<void> Controller::shut_down()
{
    log_.info("stopping");
    co_await builtin_agent_.close();
    co_await sessions_.close();
    live_connections_.close_all("the controller stops");
    co_await server_.close();
    co_await commands_.close();
    co_await tasks_.close();
    co_await telemetry_->close();
    log_.info("stopped");
}

Task<net::Response> Controller::outside_api(net::Request request)
{
    if (request.path == ingest::kConnectPath) co_return ingest::connect_agent(request, registry_, sessions_);
    if (request.path == ingest::kAddressPath) co_return ingest::tell_address(request, registry_);
    co_return panel_.serve(request);
}

// Probes that were added in workspaces with a shorter retention.
Task<void> Controller::keep_retention()
{
    Timer timer(loop_.get_executor());
    for (;;) {
        timer.expires_after(std::chrono::hours(1));
        co_await timer.async_wait(use_task);
        if (auto applied = co_await api::apply_retention(services_); !applied)
            log_.error("the retention of workspaces: {}", applied.error().what);
    }
}

Task<void> Controller::watch_certificate()
{
    Timer timer(loop_.get_executor());
    for (;;) {
        timer.expires_after(std::chrono::seconds(10));
        co_await timer.async_wait(use_task);
        if (!tls_->is_stale()) continue;
        if (auto loaded = tls_->reload()) log_.info("the TLS certificate was loaded again");
        else log_.error("the new TLS certificate is not used: {}", loaded.error().what);
    }
}

// What the command line asks of the controller that runs on the same data: "backup" makes a snapshot inside the data
// directory, which is the one place that a sandboxed service may write to. Answers "ok" or what went wrong.
Task<std::string> Controller::answer_command(std::string command)
{
    if (command != kBackupCommand) co_return "unknown command";
    if (copying_) co_return "a backup is being made";
    copying_ = true;
    const auto made = co_await make_snapshot();
    copying_ = false;
    co_return made ? std::string(kCommandDone) : made.error().what;
}

// Telemetry first: metadata that is newer knows every probe and agent that the samples speak of.
Task<Status> Controller::make_snapshot()
{
    const auto to = std::filesystem::path(config_.data_dir) / kSnapshotDirectory;
    std::error_code error;
    std::filesystem::remove_all(to, error);
    if (!error) std::filesystem::create_directories(to, error);
    if (error) co_return fail(Errc::Unavailable, to.string() + ": " + error.message());
    NW_CO_CHECK(co_await telemetry_->backup(to / "telemetry"));
    co_return co_await metadata_->backup(to / "metadata.db");
}

Task<void> Controller::refresh_paths(AgentId agent)
{
    if (const auto done = co_await atlas_.refresh(agent); !done)
        log_.error("the paths of {} could not be read again: {}", to_text(agent), done.error().what);
}

std::vector<api::Problem> Controller::problems() const
{
    const auto& trouble = sessions_.trouble();
    if (!trouble) return {};
    return {{"The store takes no samples: " + trouble->why + ". Agents keep theirs meanwhile.", to_us(trouble->since)}};
}

void Controller::add_path_metrics(MetricsText& text) const
{
    const auto paths = atlas_.stats();
    text.gauge("netwatcher_path_probes", "Path probes that are measured.", double(paths.probes));
    text.gauge("netwatcher_path_probes_waiting", "Path probes not yet brought up to date since the start.",
               double(paths.probes_waiting));
    text.gauge("netwatcher_path_probes_to_draw", "Path probes with new runs that are not yet on the map.",
               double(paths.probes_to_draw));
    text.counter("netwatcher_path_runs", "Runs of path probes taken into the map.", paths.runs);
    text.counter("netwatcher_path_runs_corrupt", "Runs of path probes that could not be read.", paths.runs_corrupt);
    text.gauge("netwatcher_path_nodes", "Nodes of all maps.", double(paths.nodes));
    text.gauge("netwatcher_path_edges", "Edges of all maps.", double(paths.edges));
    text.gauge("netwatcher_path_maps_truncated", "Maps that are too large to be whole.", double(paths.graphs_truncated));
    text.counter("netwatcher_path_changes", "Route changes stored.", paths.changes);
    text.gauge("netwatcher_path_changes_pending", "Route changes that wait to be stored.", double(paths.changes_pending));
    text.counter("netwatcher_path_changes_dropped", "Route changes that were not stored.", paths.changes_dropped);
}

Task<std::string> Controller::metrics_text()
{
    const auto http = server_.stats();
    const auto sessions = sessions_.stats();
    const auto agents = registry_.stats();
    const auto live = hub_.stats();
    const auto store = co_await telemetry_->stats();
    MetricsText text;
    text.gauge("netwatcher_http_connections", "Open connections.", double(http.connections));
    text.counter("netwatcher_http_requests", "Requests answered.", http.requests);
    text.counter("netwatcher_http_connections_refused", "Connections over the limit.", http.refused);
    text.counter("netwatcher_http_timeouts", "Connections closed at a deadline.", http.timeouts);
    text.gauge("netwatcher_agents", "Agents known.", double(agents.agents));
    text.gauge("netwatcher_agents_connected", "Agents connected.", double(agents.connected));
    text.gauge("netwatcher_agent_facts_pending", "Facts of agents that wait to be stored.", double(agents.writes_pending));
    text.counter("netwatcher_agent_facts_dropped", "Facts of agents that were not stored.", agents.writes_dropped);
    text.counter("netwatcher_ingest_batches", "Batches stored.", sessions.batches);
    text.counter("netwatcher_ingest_rows", "Samples stored.", sessions.rows);
    text.counter("netwatcher_ingest_rows_foreign", "Samples of probes that were not the agent's.", sessions.rows_foreign);
    text.counter("netwatcher_ingest_batches_refused", "Batches that were not accepted.", sessions.batches_refused);
    text.gauge("netwatcher_ingest_store_refuses", "1 while the store takes no samples.", sessions_.trouble() ? 1 : 0);
    text.gauge("netwatcher_live_subscriptions", "Live subscriptions of panels.", double(live.subscriptions));
    text.counter("netwatcher_live_events", "Live events published.", live.events);
    text.counter("netwatcher_audit_left_out", "Failures of strangers that the audit log did not take.",
                 services_.stranger_budget.left_out_total());
    text.counter("netwatcher_store_rows", "Samples appended.", store.rows_appended);
    text.counter("netwatcher_store_duplicates", "Samples that had been stored before.", store.rows_duplicate);
    text.counter("netwatcher_store_appends_refused", "Appends refused under back-pressure.", store.appends_refused);
    text.counter("netwatcher_store_corrupt_chunks", "Chunks that readers skipped.", store.corrupt_chunks);
    text.counter("netwatcher_store_lost_declared", "Samples that agents declared lost.", store.lost_declared);
    text.gauge("netwatcher_store_intake_bytes", "Acknowledged and not yet sealed.", double(store.intake_bytes));
    text.gauge("netwatcher_store_hot_bytes", "Hot window in memory.", double(store.hot_bytes));
    text.gauge("netwatcher_store_disk_bytes", "Size of all telemetry files.", double(store.disk_bytes));
    text.gauge("netwatcher_store_disk_free_bytes", "Free on the telemetry's file system.", double(store.disk_free_bytes));
    text.gauge("netwatcher_store_commit_seconds_max", "Slowest group commit since the start.",
               double(store.commit_us_max) / 1e6);
    add_path_metrics(text);
    co_return std::move(text).finish();
}

}  // namespace nw::controller
