// The command line: measuring from this host without any server.
#include "ping_command.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <memory>

namespace nw::cli {
namespace {

constexpr auto kAbout = "NetWatcher, the network performance monitor, on the command line.";
constexpr auto kPingAbout =
    "Measure round-trip times and loss to any number of hosts by ICMP echo, with the kernel's time stamps.";
constexpr auto kPingFooter = R"(Examples:
  netwatcher ping one.example two.example           until Ctrl-C, then a summary
  netwatcher ping --list hosts.txt --count 10 -q    ten packets to each host of a file, summary only
  netwatcher ping ::1 --count 3 --output ndjson     one JSON object per packet and one per target

Exit codes: 0 every target answered, 1 some target did not answer at all, 2 wrong usage,
3 some target could not be measured from here (no permission, interface down, no route).

Needs CAP_NET_RAW, or a group within net.ipv4.ping_group_range.)";

// Text forms of what CLI11 does not know; turned into settings once everything is parsed.
struct PingArguments {
    PingOptions options{};
    std::string period = "1s";
    std::string timeout = "2s";
    bool only_v4 = false;
    bool only_v6 = false;
};

void declare_ping(CLI::App& app, PingArguments& arguments)
{
    auto& options = arguments.options;
    auto& settings = options.settings;
    const std::map<std::string, Format> formats{
        {"text", Format::Text}, {"json", Format::Json}, {"ndjson", Format::Ndjson}, {"csv", Format::Csv}};
    app.add_option("TARGET", options.targets, "Host names or addresses");
    app.add_option("-l,--list", options.list, "File with one target per line; # begins a comment, - is standard input");
    app.add_option("-c,--count", options.count, "Packets to each target; without it, until Ctrl-C")
        ->check(CLI::Range(1, 100'000'000));
    app.add_option("-p,--period", arguments.period, "Time between two packets to a target, at least 10ms")
        ->capture_default_str();
    app.add_option("-t,--timeout", arguments.timeout, "A reply that takes longer counts as lost")->capture_default_str();
    app.add_option("-s,--size", settings.size, "Payload bytes")->check(CLI::Range(28, 65'000))->capture_default_str();
    app.add_option("--dscp", settings.dscp, "Differentiated services code point")
        ->check(CLI::Range(0, 63))
        ->capture_default_str();
    app.add_option("--ttl", settings.ttl, "Time to live or hop limit")->check(CLI::Range(1, 255))->capture_default_str();
    app.add_flag("--dont-fragment", settings.dont_fragment, "Routers must not split the packets");
    app.add_option("-I,--interface", settings.device, "Send through this network device only")
        ->check(CLI::TypeValidator<std::string>());
    app.add_option("-S,--source", settings.source, "Send from this local address");
    auto* v4 = app.add_flag("-4", arguments.only_v4, "IPv4 only");
    app.add_flag("-6", arguments.only_v6, "IPv6 only")->excludes(v4);
    app.add_option("-o,--output", options.format, "text, json (one document at the end), ndjson or csv")
        ->transform(CLI::CheckedTransformer(formats).description(""))
        ->default_str("text");
    app.add_flag("-q,--quiet", options.quiet, "Summaries only");
    app.add_flag("--max", options.unpaced,
                 "No pacing: as fast as this host can, times less exact, for benchmarks; needs --count");
    app.footer(kPingFooter);
}

Status complete(PingArguments& arguments)
{
    auto& settings = arguments.options.settings;
    NW_TRY(settings.interval, parse_duration(arguments.period));
    NW_TRY(settings.timeout, parse_duration(arguments.timeout));
    if (settings.interval < probe::ping::kTick) return fail(Errc::Invalid, "--period must be at least 10ms");
    if (settings.timeout < Millis(1)) return fail(Errc::Invalid, "--timeout must be at least 1ms");
    if (!settings.source.empty() && !packet::parse_address(settings.source))
        return fail(Errc::Invalid, "--source must be an address of this host");
    if (settings.device.size() > 15) return fail(Errc::Invalid, "--interface must be a network device's name");
    if (arguments.options.unpaced && arguments.options.count == 0) return fail(Errc::Invalid, "--max needs --count");
    if (arguments.options.unpaced && arguments.options.count > 100'000)
        return fail(Errc::Invalid, "--max takes a --count of at most 100000");
    settings.family = arguments.only_v4   ? probe::FamilyWish::V4
                      : arguments.only_v6 ? probe::FamilyWish::V6
                                          : probe::FamilyWish::Auto;
    return {};
}

int report(const Error& error)
{
    std::fprintf(stderr, "netwatcher: %s\n", error.what.c_str());
    return int(ExitCode::Usage);
}

int main_checked(int argc, char** argv)
{
    CLI::App app(kAbout, "netwatcher");
    app.set_version_flag("--version", std::string("netwatcher ") + NW_VERSION);
    app.require_subcommand(1);
    PingArguments arguments;
    auto* ping = app.add_subcommand("ping", kPingAbout);
    declare_ping(*ping, arguments);
    try {  // CLI11 reports through exceptions
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : int(ExitCode::Usage);
    }
    if (const auto status = complete(arguments); !status) return report(status.error());
    const auto code = run_ping(std::move(arguments.options));
    return code ? int(*code) : report(code.error());
}

}  // namespace
}  // namespace nw::cli

int main(int argc, char** argv) { return nw::cli::main_checked(argc, argv); }
