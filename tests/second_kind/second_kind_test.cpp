// The promise of model/kind.hpp, held to: a probe kind that no other code has ever heard of needs a declaration and
// an engine, and is then creatable over the API, measured, stored, rolled up, queried, exported and described to the
// panel. Controller and agent are the real ones, joined over the loopback.
#include "agent/agent.hpp"
#include "controller.hpp"

#include "api/setup_token.hpp"
#include "base/json_writer.hpp"
#include "base/testing.hpp"
#include "net/http_client.hpp"
#include "net/json.hpp"
#include "probe/engine.hpp"
#include "quality/histogram.hpp"

#include <sodium/core.h>

#include <array>
#include <cmath>
#include <functional>
#include <map>

namespace nw {
namespace {

// The kind: throws dice. Two settings, a sum, a count and a histogram.
constexpr std::array<Setting, 2> kSettings{{
    {.name = "interval",
     .label = "Interval",
     .type = SettingType::Duration,
     .unit = "ms",
     .default_number = 1000,
     .min = 50,
     .max = 60'000},
    {.name = "sides", .label = "Sides", .type = SettingType::Integer, .default_number = 6, .min = 2, .max = 100},
}};
constexpr std::array<Column, 3> kColumns{{
    {.name = "throws", .rollup = Rollup::Sum, .label = "Throws", .hot = true},
    {.name = "pips", .rollup = Rollup::Sum, .label = "Pips", .hot = true},
    {.name = "pip_times",
     .type = ColumnType::Histogram,
     .unit = "us",
     .rollup = Rollup::Merge,
     .label = "Pips as microseconds"},
}};
constexpr std::array<Metric, 2> kMetrics{{
    {.name = "mean_pips", .label = "Mean", .formula = Formula::Mean, .a = "pips", .b = "throws"},
    {.name = "median", .label = "Median", .unit = "us", .formula = Formula::Quantile, .a = "pip_times", .q = 0.5},
}};
constexpr std::array<std::string_view, 1> kLines{"mean_pips"};
constexpr Kind kDice{.number = 60'000,
                     .name = "dice",
                     .label = "Dice",
                     .description = "Throws dice.",
                     .settings = kSettings,
                     .columns = kColumns,
                     .metrics = kMetrics,
                     .presentation = {.distribution = "pip_times", .lines = kLines, .tiles = kLines}};

// The engine: every interval one throw, which always shows `sides`.
class DiceEngine final : public probe::Engine {
public:
    explicit DiceEngine(const probe::EngineContext& context)
        : context_(context), tasks_(context.loop.get_executor(), context.log)
    {}
    const Kind& kind() const override { return kDice; }
    Status start(const ProbeSpec& spec) override
    {
        specs_[spec.id] = spec;
        if (specs_.size() == 1) tasks_.spawn("dice", throw_loop());
        return {};
    }
    void stop(ProbeId probe) override { specs_.erase(probe); }
    probe::EngineHealth health() override { return {}; }
    Task<void> close() override { return tasks_.close(); }

private:
    Task<void> throw_loop()
    {
        Timer timer(context_.loop.get_executor());
        while (!specs_.empty()) {
            for (const auto& [id, spec] : specs_) context_.sink(throw_one(spec));
            timer.expires_after(specs_.begin()->second.interval());
            co_await timer.async_wait(use_task);
        }
    }
    Sample throw_one(const ProbeSpec& spec) const
    {
        auto sample = make_sample(kDice, spec.id, context_.clock.wall());
        const auto pips = spec.number("sides");
        sample.numbers = {1, pips, kAbsent};
        quality::Histogram histogram;
        histogram.add(Micros(pips));
        sample.bytes[2] = histogram.compact();
        return sample;
    }

    probe::EngineContext context_;
    TaskGroup tasks_;
    std::map<ProbeId, ProbeSpec> specs_{};
};

// A browser, as far as the API is concerned.
struct Client {
    Loop& loop;
    Pool& pool;
    std::string base;
    std::string cookie{};
    std::string csrf{};

    net::ClientResponse call(net::Method method, const std::string& path, const std::string& body = "")
    {
        net::ClientRequest request{.method = method, .url = base + path, .body = body};
        request.headers = {{"Content-Type", "application/json"}, {"Cookie", cookie}, {"X-CSRF-Token", csrf}};
        auto response = testing::run(loop, net::fetch(pool, std::move(request)));
        REQUIRE(response);
        if (const auto set = response->headers.find("set-cookie"); set != response->headers.end())
            cookie = set->second.substr(0, set->second.find(';'));
        return *std::move(response);
    }
    net::Json json(net::Method method, const std::string& path, int status, const std::string& body = "")
    {
        const auto response = call(method, path, body);
        CAPTURE(response.body);
        REQUIRE(response.status == status);
        return *net::parse_json(response.body);
    }
};

std::string set_up(Client& client, store::Metadata& metadata, Random& random)
{
    const auto token = *metadata.write_now([&](store::MetadataTx& tx) { return api::make_setup_token(tx, random); });
    JsonWriter form;
    form.object()
        .field("token", token)
        .field("email", "a@example.com")
        .field("name", "Ana")
        .field("password", "correct horse battery")
        .field("workspace_name", "Dice")
        .end_object();
    const auto me = client.json(net::Method::Post, "/api/v1/setup", 201, form.str());
    client.csrf = *me.at("csrf_token").text();
    return "/api/v1/workspaces/" + *me.at("memberships").array()->front().at("workspace").at("id").text();
}

struct Created {
    std::string probe{};  // its path
    std::string token{};  // for the agent
};

Created create_probe(Client& client, const std::string& workspace)
{
    // Described to the panel, created and validated over the API.
    CHECK(*client.json(net::Method::Get, "/api/v1/kinds", 200).at("items").array()->front().at("name").text() == "dice");
    const auto created = client.json(net::Method::Post, workspace + "/agents", 201, R"({"name":"thrower"})");
    const auto agent_id = *created.at("agent").at("id").text();
    const auto refused = client.json(net::Method::Post, workspace + "/probes", 422,
                                     R"({"kind":"dice","agent_id":")" + agent_id + R"(","settings":{"sides":1}})");
    CHECK(*refused.at("errors").array()->front().at("field").text() == "settings.sides");
    const auto made =
        client.json(net::Method::Post, workspace + "/probes", 201,
                    R"({"kind":"dice","agent_id":")" + agent_id + R"(","settings":{"sides":20,"interval":50}})");
    const auto probe = workspace + "/probes/" + *made.at("items").array()->front().at("id").text();
    return {probe, *created.at("enrolment").at("token").text()};
}

void check_results(Client& client, const std::string& probe, const std::string& range, const net::Json& series)
{
    // Rolled up: the mean of the sums, and the median of the merged histograms within 1 %.
    const auto& metrics = series.at("summary").at("metrics");
    CHECK((metrics.at("mean_pips").integer() ? double(*metrics.at("mean_pips").integer()) : *metrics.at("mean_pips").real())
          == 20.0);
    CHECK(std::abs(*metrics.at("median").real() - 20.0) <= 0.2);
    CHECK(series.at("quantiles").at("pip_times").at("values").array());
    // Exported.
    const auto csv = client.call(net::Method::Get, probe + "/samples.csv?" + range);
    CHECK(csv.status == 200);
    CHECK(csv.body.starts_with("at,at_us,outcome,reason,address,clock,throws,pips\r\n"));
    CHECK(csv.body.find(",ok,,,none,1,20\r\n") != std::string::npos);
}

}  // namespace

TEST_CASE("a new probe kind needs a declaration and an engine, and nothing else")
{
    REQUIRE(sodium_init() >= 0);
    const testing::ScratchDir dir;
    const SystemClock clock;
    SystemRandom random;
    const Kinds kinds({&kDice});
    Loop loop;
    Pool pool(1);

    auto controller = controller::Controller::make({.data_dir = (dir / "controller").string(), .listen = {{"127.0.0.1", 0}}},
                                                   loop, clock, random, kinds, {});
    REQUIRE(controller);
    std::optional<Status> ended;
    asio::co_spawn(loop, (*controller)->run(), [&](std::exception_ptr, Status status) { ended = std::move(status); });
    while ((*controller)->ports().empty()) loop.run_one();
    Client client{loop, pool, "http://127.0.0.1:" + std::to_string((*controller)->ports().front())};
    const auto metadata = *store::Metadata::open(dir / "controller" / "metadata.db");
    // The controller makes a token of its own when it has started, and the newest one counts.
    const auto announced = [&] {
        return metadata->write_now([](store::MetadataTx& tx) { return tx.setting("setup_token_sha256"); })->has_value();
    };
    while (!announced()) loop.run_one_for(Millis(20));
    const auto workspace = set_up(client, *metadata, random);

    const auto [probe, token] = create_probe(client, workspace);

    // Measured by an agent that has the engine.
    REQUIRE(std::filesystem::create_directory(dir / "agent"));
    auto identity =
        testing::run(loop, agent::enrol(pool, random, {.controller = client.base, .token = token}, dir / "identity.json"));
    REQUIRE(identity);
    auto thrower = agent::Agent::open({.data_dir = dir / "agent", .identity = *identity, .version = "test"}, loop, kinds,
                                      clock, random, {}, [](const probe::EngineContext& context) {
                                          probe::Engines engines;
                                          engines.push_back(std::make_unique<DiceEngine>(context));
                                          return engines;
                                      });
    REQUIRE_MESSAGE(thrower, (thrower ? "" : thrower.error().what));
    (*thrower)->start();

    // Stored and queried: wait for the runs, not for a time.
    const auto now = to_us(clock.wall());
    const auto range = "from=" + std::to_string(now - 3'600'000'000) + "&to=" + std::to_string(now + 3'600'000'000);
    net::Json series;
    const auto deadline = clock.instant() + std::chrono::seconds(30);
    const auto runs = [&] { return series.object() ? *series.at("summary").at("runs").integer() : 0; };
    while (runs() < 10 && clock.instant() < deadline)
        series = client.json(net::Method::Get, probe + "/series?width=300&" + range, 200);
    REQUIRE(runs() >= 10);
    check_results(client, probe, range, series);
    // An edit reaches the engine.
    client.json(net::Method::Patch, probe, 200, R"({"settings":{"sides":3}})");
    std::string edited;
    while (edited.find(",1,3\r\n") == std::string::npos && clock.instant() < deadline)
        edited = client.call(net::Method::Get, probe + "/samples.csv?" + range).body;
    CHECK(edited.find(",1,3\r\n") != std::string::npos);

    testing::run(loop, (*thrower)->stop());
    (*controller)->stop();
    loop.restart();
    while (!ended) loop.run_one();
    CHECK(*ended);
}

}  // namespace nw
