#include "base/testing.hpp"
#include "model/kinds/@name@.hpp"
#include "probe/@name@/engine.hpp"
#include "probe/policy.hpp"
#include "probe/resolver.hpp"

#include <vector>

namespace nw::probe::@name@ {
namespace {

struct Bench {
    testing::ManualClock clock{};
    Loop loop{};
    Pool pool{1};
    SeededRandom random{4};
    Resolver resolver{loop, pool, clock};
    Policy policy{};
    std::vector<Sample> samples{};
    @Name@Engine engine;

    Bench() : engine({.loop = loop, .pool = pool, .clock = clock, .random = random, .resolver = resolver, .policy = policy,
                      .sink = [this](Sample sample) { samples.push_back(std::move(sample)); }},
                     answer_in_7_ms)
    {}
    ~Bench() { testing::run(loop, engine.close()); }

    static Task<void> answer_in_7_ms(const EngineContext&, const ProbeSpec& spec, Sample& sample)
    {
        sample.numbers[*spec.kind->column_index("sent")] = 1;
        sample.numbers[*spec.kind->column_index("received")] = 1;
        sample.numbers[*spec.kind->column_index("time_sum")] = 7'000;
        co_return;
    }
};

ProbeSpec spec(std::int64_t timeout)
{
    auto settings = validated(kinds::@name@, {{"target", "192.0.2.1"}, {"interval", 10'000}, {"timeout", timeout}});
    REQUIRE(settings);
    return {.id = ProbeId{5}, .revision = 1, .kind = &kinds::@name@, .settings = *std::move(settings)};
}

}  // namespace

TEST_CASE("@name@: a new probe has its first result at once")
{
    Bench bench;
    REQUIRE(bench.engine.start(spec(1'000)));
    bench.loop.poll();
    REQUIRE(bench.samples.size() == 1);
    CHECK(bench.samples[0].outcome == Outcome::Ok);
    CHECK(bench.samples[0].numbers[*kinds::@name@.column_index("time_sum")] == 7'000);
}

TEST_CASE("@name@: nothing is measured for a probe that was stopped")
{
    Bench bench;
    REQUIRE(bench.engine.start(spec(1'000)));
    bench.engine.stop(ProbeId{5});
    bench.loop.poll();
    CHECK(bench.samples.empty());
}

TEST_CASE("@name@: settings that cannot work are refused with their field")
{
    Bench bench;
    const auto refused = bench.engine.start(spec(20'000));
    REQUIRE(!refused);
    CHECK(refused.error().fields.at(0).field == "settings.timeout");
}

}  // namespace nw::probe::@name@
