// The command line: measuring from this host without any server.
#include "ping_command.hpp"
#include "trace_command.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
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
    if (settings.interval < probe::kTick) return fail(Errc::Invalid, "--period must be at least 10ms");
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

constexpr auto kTraceAbout =
    "Show the way to any number of hosts: every hop with delay, loss and what the loss means, all hops at once.";
constexpr auto kTraceFooter = R"(Examples:
  netwatcher trace one.example                      a live table until Ctrl-C
  netwatcher trace one.example --cycles 10          ten probes to every hop, then the table
  netwatcher trace one.example --flows mda          every load-balanced branch, with loss and delay of each
  netwatcher trace --list hosts.txt -c 5 -o ndjson  one JSON object per reply and one per target

Loss is what is lost up to a hop and back; a router that answers less than it forwards is told from that by its
verdict: "limited" or "silent".

Exit codes: 0 every target was reached, 1 some was not, 2 wrong usage, 3 some target could not be measured from here.

Needs CAP_NET_RAW.)";

struct TraceArguments {
    TraceOptions options{};
    std::string period = "1s";
    std::string timeout = "2s";
    std::string flows = "1";
    bool only_v4 = false;
    bool only_v6 = false;
};

void declare_trace(CLI::App& app, TraceArguments& arguments)
{
    using probe::path::Protocol;
    auto& options = arguments.options;
    auto& settings = options.settings;
    const std::map<std::string, Format> formats{
        {"text", Format::Text}, {"json", Format::Json}, {"ndjson", Format::Ndjson}, {"csv", Format::Csv}};
    const std::map<std::string, Protocol> protocols{
        {"icmp", Protocol::Icmp}, {"udp", Protocol::Udp}, {"tcp", Protocol::Tcp}};
    app.add_option("TARGET", options.targets, "Host names or addresses");
    app.add_option("-l,--list", options.list, "File with one target per line; # begins a comment, - is standard input");
    app.add_option("-P,--protocol", settings.protocol, "icmp, udp or tcp (SYN)")
        ->transform(CLI::CheckedTransformer(protocols).description(""))
        ->default_str("icmp");
    app.add_option("--port", settings.port, "Port of the destination; 33434 for udp, 80 for tcp")
        ->check(CLI::Range(1, 65535));
    app.add_option("-c,--cycles", options.cycles, "Probes to every hop; without it, until Ctrl-C on a terminal, else 10")
        ->check(CLI::Range(1, 100'000'000));
    app.add_option("-p,--period", arguments.period, "Time between two cycles, at least 10ms")->capture_default_str();
    app.add_option("-t,--timeout", arguments.timeout, "An answer that takes longer counts as lost")->capture_default_str();
    app.add_option("-F,--flows", arguments.flows, "How many flows to trace, or mda: find every load-balanced branch first")
        ->capture_default_str();
    app.add_option("-m,--max-hops", settings.hops_max, "Hops to ask at most")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app.add_option("-s,--size", settings.size, "Bytes of the whole IP packet")
        ->check(CLI::Range(28, 9216))
        ->capture_default_str();
    app.add_option("--dscp", settings.dscp, "Differentiated services code point")
        ->check(CLI::Range(0, 63))
        ->capture_default_str();
    app.add_flag("--dont-fragment", settings.dont_fragment, "Routers must not split the packets");
    app.add_flag("--mtu", settings.mtu, "Find the path MTU, and where larger packets vanish without a word");
    app.add_option("-I,--interface", settings.device, "Send through this network device only")
        ->check(CLI::TypeValidator<std::string>());
    auto* v4 = app.add_flag("-4", arguments.only_v4, "IPv4 only");
    app.add_flag("-6", arguments.only_v6, "IPv6 only")->excludes(v4);
    app.add_flag("-n,--numeric", options.numeric, "Do not look up the names of hops");
    app.add_option("-o,--output", options.format, "text, json (one document at the end), ndjson or csv")
        ->transform(CLI::CheckedTransformer(formats).description(""))
        ->default_str("text");
    app.footer(kTraceFooter);
}

Status complete(TraceArguments& arguments)
{
    auto& settings = arguments.options.settings;
    NW_TRY(settings.spacing, parse_duration(arguments.period));
    NW_TRY(settings.timeout, parse_duration(arguments.timeout));
    if (settings.spacing < probe::kTick) return fail(Errc::Invalid, "--period must be at least 10ms");
    if (settings.timeout < Millis(10)) return fail(Errc::Invalid, "--timeout must be at least 10ms");
    if (settings.device.size() > 15) return fail(Errc::Invalid, "--interface must be a network device's name");
    settings.explore = arguments.flows == "mda";
    if (!settings.explore) {
        const auto end = arguments.flows.data() + arguments.flows.size();
        const auto [rest, error] = std::from_chars(arguments.flows.data(), end, settings.flows);
        if (error != std::errc{} || rest != end || settings.flows < 1 || settings.flows > 64)
            return fail(Errc::Invalid, "--flows must be a number from 1 to 64, or mda");
    }
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
    TraceArguments trace_arguments;
    auto* trace = app.add_subcommand("trace", kTraceAbout);
    declare_trace(*trace, trace_arguments);
    try {  // CLI11 reports through exceptions
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : int(ExitCode::Usage);
    }
    if (trace->parsed()) {
        if (const auto status = complete(trace_arguments); !status) return report(status.error());
        const auto code = run_trace(std::move(trace_arguments.options));
        return code ? int(*code) : report(code.error());
    }
    if (const auto status = complete(arguments); !status) return report(status.error());
    const auto code = run_ping(std::move(arguments.options));
    return code ? int(*code) : report(code.error());
}

}  // namespace
}  // namespace nw::cli

int main(int argc, char** argv) { return nw::cli::main_checked(argc, argv); }
