// The composition root: makes every part in the order of its dependencies and stops them in reverse.
#pragma once

#include "agent_link.hpp"
#include "api/door.hpp"
#include "api/downloads.hpp"
#include "api/feed.hpp"
#include "api/live.hpp"
#include "api/panel.hpp"
#include "api/services.hpp"
#include "atlas/atlas.hpp"
#include "base/async.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "base/time.hpp"
#include "builtin_agent.hpp"
#include "config.hpp"
#include "enrich/vendors.hpp"
#include "identity/identity.hpp"
#include "ingest/registry.hpp"
#include "ingest/sessions.hpp"
#include "live/hub.hpp"
#include "model/kind.hpp"
#include "net/http_server.hpp"
#include "net/local_socket.hpp"
#include "net/tls.hpp"
#include "store/metadata/metadata.hpp"
#include "store/telemetry/telemetry.hpp"

#include <memory>
#include <vector>

namespace nw::controller {

class MetricsText;

class Controller {
public:
    // Everything referred to outlives the controller.
    static Result<std::unique_ptr<Controller>> make(Config config, Loop& loop, const Clock& clock, Random& random,
                                                    const Kinds& kinds, Log log);

    // Serves until stop() is called.
    Task<Status> run();
    void stop();
    // The ports that are listened on, in the order of the configuration.
    const std::vector<std::uint16_t>& ports() const { return ports_; }

private:
    Controller(Config config, Loop& loop, const Clock& clock, Random& random, const Kinds& kinds, Log log,
               std::unique_ptr<store::Metadata> metadata, std::unique_ptr<store::Telemetry> telemetry);

    Task<Status> start();
    Task<void> shut_down();
    Status listen();
    Status start_builtin_agent();
    Task<Status> announce_setup();
    Task<net::Response> outside_api(net::Request request);
    Task<std::string> metrics_text();
    void add_path_metrics(MetricsText& text) const;
    Task<void> refresh_paths(AgentId agent);
    std::vector<api::Problem> problems() const;
    Task<void> keep_retention();
    Task<std::string> answer_command(std::string command);
    Task<Status> make_snapshot();
    Task<void> watch_certificate();

    Config config_;
    Loop& loop_;
    Random& random_;
    Log log_;
    std::unique_ptr<store::Metadata> metadata_;
    std::unique_ptr<store::Telemetry> telemetry_;
    TaskGroup tasks_;
    identity::Identity identity_;
    live::Hub hub_;
    api::LiveConnections live_connections_{};
    api::Feed feed_;
    ingest::Registry registry_;
    ingest::Actions actions_;
    SessionsLink link_;
    ActionsLink actions_link_;
    FeedSubscriber feed_subscriber_;
    atlas::Atlas atlas_;
    AtlasSubscriber atlas_subscriber_;
    BuiltinAgent builtin_agent_;
    api::Downloads downloads_;
    enrich::Vendors vendors_;
    ingest::Sessions sessions_;
    api::Services services_;
    api::Panel panel_;
    api::Door door_;
    std::unique_ptr<net::TlsServer> tls_{};
    net::HttpServer server_;
    net::LocalServer commands_;
    bool copying_ = false;
    std::vector<std::uint16_t> ports_{};
    Timer stopped_;
    bool stopping_ = false;
};

}  // namespace nw::controller
