// The agent program: reads its configuration and hands over to a verb.
#include "commands.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

extern char** environ;

namespace nw::app {
namespace {

constexpr auto kAbout =
    "The NetWatcher agent: measures what its controller asks for, keeps results until they are stored there.";
constexpr auto kFooter =
    R"(Every configuration key is a flag here, NETWATCHER_AGENT_<KEY> in the environment, and a line in the TOML
file (--config, or /etc/netwatcher/agent.toml when it exists). Flags go before the environment, the
environment before the file. --print-config shows the result and where each value came from.

  netwatcher-agent enroll --controller https://nw.example.org --token ABCD-EFGH
  netwatcher-agent run
  netwatcher-agent status)";

struct Arguments {
    std::string config_file{};
    std::map<std::string, std::string, std::less<>> flags{};
    bool print_config = false;
    agent::EnrolRequest enrol{};
    std::string output = "text";
    bool stop_with_stdin = false;
};

void declare(CLI::App& app, Arguments& arguments)
{
    app.set_version_flag("--version", std::string("netwatcher-agent ") + NW_VERSION);
    app.require_subcommand(0, 1);
    app.fallthrough();
    app.footer(kFooter);
    app.add_option("--config", arguments.config_file, "Configuration file (TOML)");
    app.add_flag("--print-config", arguments.print_config, "Print the configuration with its sources and exit");
    for (const auto& key : config_keys()) {
        std::string flag = "--" + std::string(key.name);
        std::ranges::replace(flag, '_', '-');
        app.add_option_function<std::string>(
               flag, [&arguments, name = std::string(key.name)](const std::string& value) { arguments.flags[name] = value; },
               std::string(key.help))
            ->default_str(std::string(key.fallback));
    }
}

std::map<std::string, std::string, std::less<>> environment()
{
    std::map<std::string, std::string, std::less<>> variables;
    for (char** entry = environ; *entry; ++entry) {
        const std::string_view text(*entry);
        if (const auto equals = text.find('='); text.starts_with("NETWATCHER_AGENT_") && equals != std::string_view::npos)
            variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return variables;
}

int main_checked(int argc, char** argv)
{
    CLI::App app(kAbout, "netwatcher-agent");
    Arguments arguments;
    declare(app, arguments);
    auto* enroll = app.add_subcommand("enroll", "Register this host with a controller by a single-use token");
    enroll->add_option("--controller", arguments.enrol.controller, "The controller's URL, https://host[:port]")->required();
    enroll->add_option("--token", arguments.enrol.token, "The token the controller showed")->required();
    enroll->add_option("--ca-file", arguments.enrol.ca_file, "Certificate authority to trust besides the system's (PEM)")
        ->check(CLI::ExistingFile);
    enroll->add_flag("--insecure", arguments.enrol.insecure, "Accept any certificate, and plain http: for tests only");
    enroll->add_flag("--again", arguments.enrol.again, "Replace an existing enrolment");
    auto* run = app.add_subcommand("run", "Measure until stopped");
    run->add_flag("--stop-with-stdin", arguments.stop_with_stdin,
                  "Stop when standard input ends: for a program that runs this one");
    auto* status = app.add_subcommand("status", "Show what the running agent is doing");
    status->add_option("-o,--output", arguments.output, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    try {  // CLI11 reports through exceptions
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    ConfigSources sources{.environment = environment(), .flags = arguments.flags};
    if (!arguments.config_file.empty()) sources.file = arguments.config_file;
    const auto values = gather(sources);
    const auto config = values ? interpret(*values) : Result<Config>(std::unexpected(values.error()));
    if (!config) {
        std::fprintf(stderr, "netwatcher-agent: %s\n", config.error().what.c_str());
        return 2;
    }
    if (arguments.print_config) {
        std::fputs(printed(*values).c_str(), stdout);
        return 0;
    }
    if (enroll->parsed()) return enroll_command(*config, std::move(arguments.enrol));
    if (run->parsed()) return run_command(*config, arguments.stop_with_stdin);
    if (status->parsed()) return status_command(*config, arguments.output == "json");
    std::fputs(app.help().c_str(), stderr);
    return 2;
}

}  // namespace
}  // namespace nw::app

int main(int argc, char** argv) { return nw::app::main_checked(argc, argv); }
