// Made-up paths for tests and benchmarks: a network of routers with load balancing, limiters and loss, and runs of a
// path probe through it.
#pragma once

#include "base/random.hpp"
#include "topology/run.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace nw::topology::testing {

inline std::string v4(std::uint32_t number) { return {char(10), char(number >> 16), char(number >> 8), char(number)}; }

struct FakeHop {
    std::uint32_t router = 0;
    double answers = 1;  // the chance that it answers in a run
    std::uint32_t sent = 10;
    std::uint32_t received = 10;
    std::int64_t rtt_us = 1'000;
    HopVerdict verdict = HopVerdict::None;
};

// One flow's hops in order; the last one is the destination when `reached`.
struct FakeFlow {
    std::vector<FakeHop> hops{};
    bool reached = true;
};

inline PathHop path_hop(std::uint16_t path, std::uint8_t ttl, const FakeHop& fake, bool arrived)
{
    PathHop hop{.path = path, .ttl = ttl, .sent = fake.sent, .verdict = fake.verdict, .confidence = 0.9};
    if (fake.received == 0) {
        if (fake.verdict == HopVerdict::None) hop.verdict = HopVerdict::Silent;
        return hop;
    }
    hop.address = v4(fake.router);
    hop.answer = arrived ? HopAnswer::Arrived : HopAnswer::Exceeded;
    hop.icmp_type = arrived ? 0 : 11;
    hop.received = fake.received;
    hop.rtt_min_us = fake.rtt_us - 100;
    hop.rtt_max_us = fake.rtt_us + 100;
    hop.rtt_sum_us = fake.rtt_us * fake.received;
    hop.rtt_sum_squares_us2 = fake.rtt_us * fake.rtt_us * fake.received;
    hop.ipdv_sum_us = 10 * std::int64_t{fake.received - 1};
    hop.ipdv_count = fake.received - 1;
    return hop;
}

inline Run run_through(std::int64_t at_us, const std::vector<FakeFlow>& flows)
{
    Run run{.at_us = at_us};
    for (std::size_t f = 0; f < flows.size(); ++f) {
        const auto& hops = flows[f].hops;
        for (std::size_t i = 0; i < hops.size(); ++i) {
            const bool arrived = flows[f].reached && i + 1 == hops.size();
            run.hops.push_back(path_hop(std::uint16_t(f), std::uint8_t(i + 1), hops[i], arrived));
            if (arrived) run.address = v4(hops[i].router);
        }
    }
    if (run.hops.empty() || run.hops.back().answer != HopAnswer::Arrived) run.outcome = Outcome::Lost;
    return run;
}

// A chain of stages with some routers each, of which a flow takes one by chance.
inline FakeFlow sampled(const std::vector<std::vector<FakeHop>>& stages, Random& random)
{
    FakeFlow flow;
    for (const auto& stage : stages) {
        auto hop = stage[random.below(stage.size())];
        if (random.unit() >= hop.answers) hop.received = 0;
        flow.hops.push_back(hop);
    }
    return flow;
}

}  // namespace nw::topology::testing
