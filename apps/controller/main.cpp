// netwatcher-controller: serve, and what an administrator does on the machine itself.
#include "admin.hpp"
#include "config.hpp"
#include "controller.hpp"

#include "api/call.hpp"
#include "base/text.hpp"
#include "model/kinds/all.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <sodium/core.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <optional>

namespace {

using namespace nw;

struct Options {
    std::string config_file{};
    controller::Values flags{};
    bool print_config = false;
    std::string base{};
    std::string slug{};
    std::string name{};
    std::string workspace{};
    std::string agent{};
    std::string kind{};
    std::string settings{};
    std::string email{};
    std::string directory{};
};

controller::Values environment_values()
{
    controller::Values values;
    for (const auto name : controller::option_names()) {
        std::string variable = "NETWATCHER_";
        for (const char c : name) variable += char(std::toupper(static_cast<unsigned char>(c)));
        if (const char* value = std::getenv(variable.c_str())) values.emplace(name, value);
    }
    return values;
}

void add_config_flags(CLI::App& command, Options& options)
{
    command.add_option("--config", options.config_file, "Configuration file (TOML)")->envname("NETWATCHER_CONFIG");
    command.add_flag("--print-config", options.print_config, "Print every option with its value and source, and exit");
    for (const auto name : controller::option_names()) {
        auto flag = "--" + std::string(name);
        std::ranges::replace(flag, '_', '-');
        command.add_option_function<std::string>(
            flag, [&options, name](const std::string& value) { options.flags[std::string(name)] = value; },
            std::string(controller::option_help(name)));
    }
}

int report(const Error& error)
{
    fmt::print(stderr, "netwatcher-controller: {}\n", error.what);
    return 1;
}

int serve(const controller::Config& config)
{
    const SystemClock clock;
    SystemRandom random;
    const auto kinds = all_kinds();
    const Log log(make_stderr_sink(), "controller", config.log_level);
    Loop loop(1);
    auto made = controller::Controller::make(config, loop, clock, random, kinds, log);
    if (!made) return report(made.error());
    auto& controller = **made;
    asio::signal_set signals(loop, SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code error, int) {
        if (!error) controller.stop();
    });
    Status ended;
    asio::co_spawn(loop, controller.run(), [&](std::exception_ptr thrown, Status status) {
        if (thrown) std::rethrow_exception(thrown);
        ended = std::move(status);
        signals.cancel();
    });
    loop.run();
    return ended ? 0 : report(ended.error());
}

// Runs one administrative action and prints what it answers.
int administer(const controller::Config& config,
               const std::function<Result<std::string>(const controller::AdminContext&)>& action)
{
    const SystemClock clock;
    SystemRandom random;
    const auto kinds = all_kinds();
    const auto answer = action({.data_dir = config.data_dir, .clock = clock, .random = random, .kinds = kinds});
    if (!answer) return report(answer.error());
    fmt::print("{}\n", *answer);
    return 0;
}

Result<std::string> password_from_stdin()
{
    std::string password;
    if (!std::getline(std::cin, password)) return fail(Errc::Invalid, "give the new password as one line on standard input");
    return password;
}

// The route table as the door enforces it: "METHOD PATTERN PERMISSION" a line. Tests hold the API's description and
// the cross-tenant sweep against it.
std::string route_table()
{
    std::string table;
    for (const auto& route : api::routes()) {
        const auto needs = route.needs == api::Needs::Nothing     ? "none"
                           : route.needs == api::Needs::Session   ? "session"
                           : route.needs == api::Needs::SiteAdmin ? "site_admin"
                                                                  : identity::name_of(*route.permission);
        table += fmt::format("{} {} {}\n", net::name_of(route.method), route.pattern, needs);
    }
    table.pop_back();
    return table;
}

using Action = std::function<int(const controller::Config&)>;

CLI::App* add_command(CLI::App& parent, const char* name, const char* help, Options& options, std::optional<Action>& chosen,
                      Action action)
{
    auto* command = parent.add_subcommand(name, help);
    add_config_flags(*command, options);
    command->callback([&chosen, action = std::move(action)] { chosen = action; });
    return command;
}

void add_admin_commands(CLI::App& app, Options& o, std::optional<Action>& chosen)
{
    using controller::AdminContext;
    auto* admin = app.add_subcommand("admin", "Administer on the machine itself")->require_subcommand(1);
    auto* url = add_command(*admin, "setup-url", "Print a new one-time set-up URL", o, chosen, [&o](const auto& config) {
        return administer(config,
                          [&o](const AdminContext& context) { return controller::admin_setup_url(context, o.base); });
    });
    url->add_option("--base", o.base, "Address that the URL begins with")->default_val("http://127.0.0.1:8080");
    auto* workspace = add_command(*admin, "create-workspace", "Create a workspace; the first administrator will own it", o,
                                  chosen, [&o](const auto& config) {
                                      return administer(config, [&o](const AdminContext& context) {
                                          return controller::admin_create_workspace(context, o.slug, o.name);
                                      });
                                  });
    workspace->add_option("--slug", o.slug, "Short name for URLs")->required();
    workspace->add_option("--name", o.name, "Name")->required();
    auto* agent = add_command(*admin, "create-agent", "Create an agent and print its enrolment token as JSON", o, chosen,
                              [&o](const auto& config) {
                                  return administer(config, [&o](const AdminContext& context) {
                                      return controller::admin_create_agent(context, o.workspace, o.name);
                                  });
                              });
    agent->add_option("--workspace", o.workspace, "Id or short name")->required();
    agent->add_option("--name", o.name, "Name")->required();
    auto* probe =
        add_command(*admin, "create-probe", "Create a probe and print its id as JSON", o, chosen, [&o](const auto& config) {
            return administer(config, [&o](const AdminContext& context) {
                return controller::admin_create_probe(context, o.workspace, o.agent, o.kind, o.settings);
            });
        });
    probe->add_option("--workspace", o.workspace, "Id or short name")->required();
    probe->add_option("--agent", o.agent, "Agent's id")->required();
    probe->add_option("--kind", o.kind, "Probe kind, like ping")->required();
    probe->add_option("--settings", o.settings, "Settings as a JSON object")->required();
    auto* password = add_command(*admin, "set-password", "Set a user's password, read from standard input", o, chosen,
                                 [&o](const auto& config) {
                                     return administer(config, [&o](const AdminContext& context) -> Result<std::string> {
                                         NW_TRY(const auto fresh, password_from_stdin());
                                         return controller::admin_set_password(context, o.email, fresh);
                                     });
                                 });
    password->add_option("--email", o.email, "The user's address")->required();
    add_command(*admin, "verify-audit", "Check that the audit log is complete and unchanged", o, chosen,
                [](const auto& config) { return administer(config, controller::admin_verify_audit); });
}

void add_commands(CLI::App& app, Options& o, std::optional<Action>& chosen)
{
    add_command(app, "serve", "Run the controller", o, chosen, serve);
    add_command(app, "migrate", "Bring the metadata database up to date and exit", o, chosen, [](const auto& config) {
        return administer(config, [](const controller::AdminContext& context) -> Result<std::string> {
            NW_TRY(const auto metadata, store::Metadata::open(std::filesystem::path(context.data_dir) / "metadata.db"));
            return fmt::format("the metadata is of version {}", store::schema_version());
        });
    });
    add_command(app, "routes", "Print the HTTP routes with the permission each needs", o, chosen, [](const auto&) {
        fmt::print("{}\n", route_table());
        return 0;
    });
    auto* backup = add_command(
        app, "backup", "Copy all data into a new directory, while the controller runs", o, chosen, [&o](const auto& config) {
            return administer(config, [&o](const controller::AdminContext& context) -> Result<std::string> {
                NW_CHECK(controller::backup(context, o.directory));
                return "backed up to " + o.directory;
            });
        });
    backup->add_option("directory", o.directory, "Where to; must be empty or absent")->required();
    auto* restore = add_command(
        app, "restore", "Put a backup in the place of an absent data directory", o, chosen, [&o](const auto& config) {
            return administer(config, [&o](const controller::AdminContext& context) -> Result<std::string> {
                NW_CHECK(controller::restore(o.directory, context.data_dir));
                return "restored into " + context.data_dir;
            });
        });
    restore->add_option("directory", o.directory, "The backup")->required();
    add_admin_commands(app, o, chosen);
}

int run(int argc, char** argv)
{
    CLI::App app("NetWatcher controller");
    app.set_version_flag("--version", NW_VERSION);
    app.require_subcommand(1);
    Options options;
    std::optional<Action> chosen;
    add_commands(app, options, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    }
    const auto loaded = controller::load_config(options.config_file, environment_values(), options.flags);
    if (!loaded) return report(loaded.error());
    if (options.print_config) {
        fmt::print("{}", loaded->printed);
        return 0;
    }
    return (*chosen)(loaded->config);
}

}  // namespace

int main(int argc, char** argv)
{
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets with write(2)
    if (sodium_init() < 0) return 1;
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "netwatcher-controller: {}\n", error.what());
        return 1;
    }
}
