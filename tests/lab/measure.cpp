// measure KIND SECONDS SETTING=VALUE ... - measures one probe as an agent does, with the engines of the product, and
// prints every sample as one JSON line. For the tests of the laboratory.
#include "base/json_writer.hpp"
#include "base/random.hpp"
#include "model/kinds/all.hpp"
#include "model/path_run.hpp"
#include "model/probe_spec.hpp"
#include "packet/address.hpp"
#include "probe/engine.hpp"
#include "probe/policy.hpp"
#include "probe/resolver.hpp"

#include <boost/asio/co_spawn.hpp>

#include <charconv>
#include <cstdio>
#include <string>

namespace nw::lab {
namespace {

std::string text_of(const std::string& address)
{
    const auto parsed = packet::address_from({reinterpret_cast<const std::uint8_t*>(address.data()), address.size()});
    return parsed ? to_text(*parsed) : "";
}

void put_hops(JsonWriter& json, const std::string& bytes)
{
    const auto hops = decode_hops(bytes);
    json.key("hops").array();
    for (const auto& hop : hops ? *hops : std::vector<PathHop>{}) {
        json.object().field("path", std::uint32_t{hop.path}).field("ttl", std::uint32_t{hop.ttl});
        json.field("address", text_of(hop.address)).field("name", hop.name);
        json.field("answer", kHopAnswerNames[std::size_t(hop.answer)]);
        json.field("sent", hop.sent).field("received", hop.received);
        if (hop.received > 0) json.field("rtt_min_us", hop.rtt_min_us).field("rtt_sum_us", hop.rtt_sum_us);
        json.field("verdict", kHopVerdictNames[std::size_t(hop.verdict)]);
        if (hop.mtu) json.field("mtu", *hop.mtu);
        json.end_object();
    }
    json.end_array();
}

void print(const Sample& sample)
{
    JsonWriter json;
    json.object().field("at_us", sample.at.time_since_epoch().count());
    json.field("outcome", name_of(sample.outcome)).field("reason", sample.reason);
    json.field("clock", kClockSourceNames[std::size_t(sample.clock)]).field("address", text_of(sample.address));
    for (std::size_t i = 0; i < sample.kind->columns.size(); ++i) {
        const auto& column = sample.kind->columns[i];
        if (column.type == ColumnType::Integer && sample.numbers[i] != kAbsent) json.field(column.name, sample.numbers[i]);
        if (column.type == ColumnType::Table) put_hops(json, sample.bytes[i]);
    }
    json.end_object();
    std::printf("%s\n", json.str().c_str());
    std::fflush(stdout);
}

Result<ProbeSpec> spec_of(const Kind& kind, int count, char** arguments)
{
    Settings given;
    for (int i = 0; i < count; ++i) {
        const std::string_view argument(arguments[i]);
        const auto name = argument.substr(0, argument.find('='));
        const auto value = argument.substr(std::min(argument.size(), name.size() + 1));
        const auto* setting = kind.setting(name);
        if (!setting) return fail(Errc::Invalid, "no setting " + std::string(name));
        const bool text = setting->type != SettingType::Integer && setting->type != SettingType::Duration
                          && setting->type != SettingType::Boolean;
        std::int64_t number = 0;
        std::from_chars(value.data(), value.data() + value.size(), number);
        given[std::string(name)] = text ? SettingValue(std::string(value)) : SettingValue(number);
    }
    NW_TRY(auto settings, validated(kind, given));
    return ProbeSpec{.id = ProbeId{1}, .revision = 1, .kind = &kind, .settings = std::move(settings)};
}

Task<void> close_all(const probe::Engines& engines)
{
    for (const auto& engine : engines) co_await engine->close();
}

int measure(const ProbeSpec& spec, int seconds)
{
    Loop loop{1};
    Pool pool{2};
    SystemClock clock;
    SystemRandom random;
    probe::Resolver resolver{loop, pool, clock};
    probe::Policy policy;
    auto engines = probe::make_engines({.loop = loop,
                                        .pool = pool,
                                        .clock = clock,
                                        .random = random,
                                        .resolver = resolver,
                                        .policy = policy,
                                        .sink = print,
                                        .log = Log(make_stderr_sink(), "measure", LogLevel::Warn)});
    for (const auto& engine : engines) {
        if (engine->kind().number != spec.kind->number) continue;
        if (const auto started = engine->start(spec); !started) {
            std::fprintf(stderr, "%s\n", started.error().what.c_str());
            return 1;
        }
    }
    loop.run_for(Seconds(seconds));
    bool closed = false;
    asio::co_spawn(loop, close_all(engines), [&](std::exception_ptr) { closed = true; });
    while (!closed) loop.run_one();
    return 0;
}

}  // namespace
}  // namespace nw::lab

int main(int argc, char** argv)
{
    const auto kinds = nw::all_kinds();
    const auto* kind = argc < 3 ? nullptr : kinds.by_name(argv[1]);
    if (!kind) {
        std::fprintf(stderr, "usage: measure KIND SECONDS SETTING=VALUE ...\n");
        return 2;
    }
    const auto spec = nw::lab::spec_of(*kind, argc - 3, argv + 3);
    if (!spec) {
        std::fprintf(stderr, "%s\n", spec.error().what.c_str());
        return 2;
    }
    return nw::lab::measure(*spec, std::atoi(argv[2]));
}
