#include "agent/desired_state.hpp"
#include "agent/host.hpp"
#include "base/testing.hpp"
#include "model/kinds/all.hpp"

#include <array>
#include <fstream>

namespace nw::agent {
namespace {

ProbeSpec ping(std::uint64_t id, std::string target)
{
    static const auto kinds = all_kinds();
    const auto& kind = *kinds.by_name("ping");
    return {.id = ProbeId{id}, .revision = 1, .kind = &kind, .settings = *validated(kind, {{"target", std::move(target)}})};
}

// Another kind, to show that nothing here knows one by name.
constexpr std::array<Setting, 1> kToySettings{
    {{.name = "interval", .type = SettingType::Duration, .default_number = 1000, .min = 1, .max = 1000}}};
constexpr std::array<Column, 1> kToyColumns{{{.name = "value"}}};
constexpr Kind kToy{.number = 999, .name = "toy", .settings = kToySettings, .columns = kToyColumns};

ProbeSpec toy(std::uint64_t id) { return {.id = ProbeId{id}, .kind = &kToy, .settings = *validated(kToy, {})}; }

class RecordingEngine final : public probe::Engine {
public:
    RecordingEngine(const Kind& kind, std::vector<std::string>& log) : kind_(kind), log_(log) {}
    const Kind& kind() const override { return kind_; }
    Status start(const ProbeSpec& spec) override
    {
        if (spec.settings.contains("target") && spec.text("target") == "192.0.2.66")
            return fail(Errc::Denied, "not that one");
        log_.push_back(std::string(kind_.name) + " start " + std::to_string(std::uint64_t(spec.id)));
        return {};
    }
    void stop(ProbeId probe) override
    {
        log_.push_back(std::string(kind_.name) + " stop " + std::to_string(std::uint64_t(probe)));
    }
    probe::EngineHealth health() override { return {.packets_sent = 5, .lateness_p99 = Nanos(kind_.number)}; }
    Task<void> close() override { co_return; }

private:
    const Kind& kind_;
    std::vector<std::string>& log_;
};

}  // namespace

TEST_CASE("a full state replaces everything, a diff only what it names")
{
    DesiredState state;
    auto change = state.apply({.number = 1, .upsert = {ping(1, "a.example"), ping(2, "b.example")}});
    REQUIRE(change);
    CHECK(change->start.size() == 2);
    change = state.apply({.number = 2, .base = 1, .upsert = {ping(2, "c.example")}, .remove = {ProbeId{1}}});
    REQUIRE(change);
    CHECK(change->start == std::vector{ping(2, "c.example")});
    CHECK(change->stop == std::vector{ProbeId{1}});
    change = state.apply({.number = 3, .upsert = {ping(2, "c.example"), ping(3, "d.example")}});
    REQUIRE(change);
    CHECK(change->start == std::vector{ping(3, "d.example")});  // what did not change is left alone
    CHECK(change->stop.empty());
    CHECK(state.number() == 3);
}

TEST_CASE("a diff from another state changes nothing")
{
    DesiredState state;
    REQUIRE(state.apply({.number = 5, .upsert = {ping(1, "a.example")}}));
    CHECK(!state.apply({.number = 7, .base = 6, .remove = {ProbeId{1}}}));
    CHECK(state.number() == 5);
    CHECK(state.probes().size() == 1);
}

TEST_CASE("a probe whose new settings are refused is not measured with the old ones")
{
    DesiredState state;
    REQUIRE(state.apply({.number = 1, .upsert = {ping(1, "a.example")}}));
    const auto change = state.apply({.number = 2, .base = 1, .invalid = {{ProbeId{1}, "bad"}}});
    REQUIRE(change);
    CHECK(change->stop == std::vector{ProbeId{1}});
}

TEST_CASE("the state survives a restart, and a damaged file is told from a missing one")
{
    testing::ScratchDir dir;
    const auto kinds = all_kinds();
    CHECK(load_desired_state(dir / "state.bin", kinds).error().code == Errc::NotFound);
    DesiredState state;
    REQUIRE(state.apply({.number = 8, .upsert = {ping(1, "a.example"), ping(4, "b.example")}}));
    REQUIRE(save(state, dir / "state.bin"));
    const auto loaded = load_desired_state(dir / "state.bin", kinds);
    REQUIRE(loaded);
    CHECK(loaded->number() == 8);
    CHECK(loaded->probes().size() == 2);
    CHECK(loaded->probes().at(ProbeId{4}).settings == state.probes().at(ProbeId{4}).settings);
    {
        std::ofstream file(dir / "state.bin", std::ios::binary);
        file << "\xff\xff\xff\xff";
    }
    CHECK(load_desired_state(dir / "state.bin", kinds).error().code == Errc::Corrupt);
    CHECK(!std::filesystem::exists(dir / "state.bin.new"));
}

TEST_CASE("probes go to the engine of their kind, and what an engine refuses is reported")
{
    std::vector<std::string> log;
    const auto kinds = all_kinds();
    probe::Engines engines;
    engines.push_back(std::make_unique<RecordingEngine>(*kinds.by_name("ping"), log));
    engines.push_back(std::make_unique<RecordingEngine>(kToy, log));
    Host host(std::move(engines));
    CHECK(host.kinds() == std::vector<std::uint32_t>{1, 999});
    CHECK(host.apply({.start = {ping(1, "a.example"), toy(2)}}).empty());
    CHECK(log == std::vector<std::string>{"ping start 1", "toy start 2"});
    log.clear();
    // Another kind under the same id: the old engine lets go of it first.
    CHECK(host.apply({.start = {toy(1)}, .stop = {ProbeId{2}}}).empty());
    CHECK(log == std::vector<std::string>{"toy stop 2", "ping stop 1", "toy start 1"});
    const auto problems = host.apply({.start = {ping(3, "192.0.2.66")}});
    REQUIRE(problems.size() == 1);
    CHECK(problems[0] == wire::ProbeProblem{ProbeId{3}, "not that one"});
    CHECK(host.running() == 1);
    CHECK(host.health().packets_sent == 10);
    CHECK(host.health().lateness_p99 == Nanos(999));
    log.clear();
    host.stop_all();
    CHECK(log == std::vector<std::string>{"toy stop 1"});
}

}  // namespace nw::agent
