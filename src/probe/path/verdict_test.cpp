#include "probe/path/simulation_testing.hpp"
#include "probe/path/verdict.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>

namespace nw::probe::path {
namespace {

using simulation::Fate;
using simulation::Network;

struct Seen {
    std::vector<HopEvidence> hops{};
    std::vector<int> refused{};
    std::vector<int> lost{};  // on the way there or back
    std::vector<int> lost_back{};
    bool reached = true;
};

Seen trace(Network& network, int cycles, Nanos spacing, std::uint8_t hops)
{
    Seen seen{.hops = std::vector<HopEvidence>(hops),
              .refused = std::vector<int>(hops),
              .lost = std::vector<int>(hops),
              .lost_back = std::vector<int>(hops)};
    for (int cycle = 0; cycle < cycles; ++cycle) {
        for (std::uint8_t ttl = 1; ttl <= hops; ++ttl) {
            const auto at = spacing * cycle;
            const auto outcome = network.walk(0, ttl, Seconds(1) + at);
            auto& hop = seen.hops[ttl - 1U];
            hop.probes.push_back({at, outcome.reply.has_value()});
            hop.ever_answered = hop.ever_answered || outcome.reply;
            seen.refused[ttl - 1U] += outcome.truth.fate == Fate::Refused;
            seen.lost_back[ttl - 1U] += outcome.truth.fate == Fate::LostOnTheWayBack;
            seen.lost[ttl - 1U] += outcome.truth.fate == Fate::LostOnTheWay || outcome.truth.fate == Fate::LostOnTheWayBack;
        }
    }
    return seen;
}

HopVerdict truth_of(const Seen& seen, std::size_t hop)
{
    if (seen.refused[hop] > 0) return HopVerdict::RateLimited;
    return seen.lost[hop] > 0 ? HopVerdict::Forwarding : HopVerdict::None;
}

constexpr std::uint8_t kHops = 8;

struct Case {
    double loss = 0;
    std::size_t lossy = 0;  // the hop behind the lossy link
    double rate = 0;
    std::size_t limited = 0;
    double depth = 1;
};

Seen run(const Case& given, std::uint64_t seed, int cycles = 300)
{
    Network network(seed);
    network.chain(0, kHops);
    if (given.loss > 0) network.nodes[given.lossy].loss = given.loss;
    if (given.rate > 0)
        network.nodes[given.limited].limiter = simulation::Limiter{given.rate, given.depth, given.depth, Seconds(1)};
    return trace(network, cycles, Millis(100), kHops);
}

// Of a bucket with room for one token only, more than the probes take flows over: what it lets through is less than
// its nominal rate, and all that can be known.
double let_through(const Seen& seen, std::size_t hop)
{
    return double(int(seen.hops[hop].probes.size()) - seen.refused[hop] - seen.lost[hop] + seen.lost_back[hop]) / 30.0;
}

std::string describe(const Case& given, const Seen& seen, std::size_t hop, const Judgement& verdict)
{
    return "loss " + std::to_string(given.loss) + " before hop " + std::to_string(given.lossy) + ", limit "
           + std::to_string(given.rate) + "/" + std::to_string(given.depth) + " at hop " + std::to_string(given.limited)
           + ": hop " + std::to_string(hop + 1) + " refused " + std::to_string(seen.refused[hop]) + " lost "
           + std::to_string(seen.lost[hop]) + " judged " + std::string(name_of(verdict.verdict)) + " "
           + std::to_string(verdict.confidence) + " rate " + std::to_string(verdict.limit_per_second.value_or(-1));
}

}  // namespace

// Loss is that of one link in each direction: 0.01 is 2 % of the round trips. Probes are sent ten times a second.
TEST_CASE("verdicts in all combinations of loss and limit, 300 probes per hop")
{
    int hops = 0, right = 0, rates = 0, rates_right = 0;
    for (const double loss : {0.0, 0.01, 0.02, 0.05, 0.1}) {
        for (const auto lossy : std::array<std::size_t, 3>{2, 5, 8}) {
            for (const double rate : {0.0, 0.5, 1.0, 2.0, 3.0, 5.0}) {
                for (const auto limited : std::array<std::size_t, 4>{1, 5, 6, 8}) {
                    for (const double depth : {1.0, 6.0, 20.0}) {
                        if ((loss == 0 && lossy != 2) || (rate == 0 && (limited != 1 || depth > 1))) continue;
                        const Case given{loss, lossy, rate, limited, depth};
                        const auto seen = run(given, 1000 + std::uint64_t(hops));
                        const auto verdicts = judge(seen.hops, true);
                        for (std::size_t hop = 0; hop < kHops; ++hop) {
                            ++hops;
                            const bool fits = verdicts[hop].verdict == truth_of(seen, hop);
                            right += fits;
                            CHECK_MESSAGE(fits, describe(given, seen, hop, verdicts[hop]));
                            if (seen.refused[hop] == 0 || !fits) continue;
                            ++rates;
                            const auto found = verdicts[hop].limit_per_second.value_or(0);
                            const auto passed = let_through(seen, hop);
                            const bool near = std::abs(found - rate) <= 0.1 * rate
                                              || (depth == 1 && std::abs(found - passed) <= 0.1 * passed);
                            rates_right += near;
                            CHECK_MESSAGE(near, describe(given, seen, hop, verdicts[hop]));
                        }
                    }
                }
            }
        }
    }
    MESSAGE("verdicts right: ", right, " of ", hops, "; rates within 10 %: ", rates_right, " of ", rates);
}

TEST_CASE("a hop that answers always, next to one that limits, is no fault; the limited one has no loss of its own")
{
    const auto seen = run({.rate = 1, .limited = 4, .depth = 6}, 5);
    const auto verdicts = judge(seen.hops, true);
    CHECK(verdicts[3].verdict == HopVerdict::RateLimited);
    CHECK(verdicts[3].forwarding_loss_ratio == 0);
    CHECK(verdicts[3].confidence > 0.99);
    CHECK(verdicts[7].verdict == HopVerdict::None);
    CHECK(verdicts[7].confidence > 0.9);
}

TEST_CASE("a limited hop behind a lossy link shows the loss of the path, not its own silence")
{
    const auto seen = run({.loss = 0.1, .lossy = 3, .rate = 1, .limited = 5, .depth = 6}, 5);
    const auto verdicts = judge(seen.hops, true);
    CHECK(verdicts[3].verdict == HopVerdict::Forwarding);
    CHECK(verdicts[4].verdict == HopVerdict::RateLimited);
    CHECK(verdicts[4].forwarding_loss_ratio == verdicts[3].forwarding_loss_ratio);
    CHECK(verdicts[4].forwarding_loss_ratio < 0.3);
}

TEST_CASE("silence and filters")
{
    Network network(3);
    network.chain(0, kHops);
    network.nodes[4].silent = true;
    auto seen = trace(network, 20, Millis(100), kHops);
    auto verdicts = judge(seen.hops, true);
    CHECK(verdicts[3].verdict == HopVerdict::Silent);
    CHECK(verdicts[3].confidence > 0.99);
    CHECK(verdicts[4].verdict == HopVerdict::None);

    network.nodes[6].filters = true;
    seen = trace(network, 20, Millis(100), kHops);
    verdicts = judge(seen.hops, false);
    CHECK(verdicts[3].verdict == HopVerdict::Silent);
    CHECK(verdicts[4].verdict == HopVerdict::None);
    for (std::size_t hop = 5; hop < kHops; ++hop) CHECK(verdicts[hop].verdict == HopVerdict::Filtered);
}

TEST_CASE("a path that breaks is loss, not a filter")
{
    Network network(3);
    network.chain(0, kHops);
    auto seen = trace(network, 100, Millis(100), kHops);
    network.nodes[6].filters = true;
    const auto broken = trace(network, 100, Millis(100), kHops);
    for (std::size_t hop = 0; hop < kHops; ++hop)
        for (const auto& probe : broken.hops[hop].probes)
            seen.hops[hop].probes.push_back({probe.at + Seconds(10), probe.answered});
    const auto verdicts = judge(seen.hops, true);
    CHECK(verdicts[4].verdict == HopVerdict::None);
    for (std::size_t hop = 5; hop < kHops; ++hop) {
        CHECK(verdicts[hop].verdict == HopVerdict::Forwarding);
        CHECK(verdicts[hop].forwarding_loss_ratio == doctest::Approx(0.5));
    }
}

TEST_CASE("little was seen: little is claimed")
{
    const auto one = run({}, 1, 1);
    CHECK(judge(one.hops, true)[0].verdict == HopVerdict::None);
    CHECK(judge({}, false).empty());
    std::vector<HopEvidence> nothing(3);
    for (const auto& verdict : judge(nothing, false)) CHECK(verdict.confidence == 0);
}

}  // namespace nw::probe::path
