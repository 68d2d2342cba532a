#include "quality/grade.hpp"

#include "model/kinds/ping.hpp"

#include <doctest/doctest.h>

using namespace nw;
using namespace nw::quality;

namespace {

const Kind& ping = kinds::ping;

struct Given {
    Outcome outcome = Outcome::Ok;
    std::uint64_t runs = 1;
    std::int64_t sent = 0;
    std::int64_t received = 0;
    std::int64_t rtt_us = 20'000;
    std::int64_t jitter_us = 1'000;
};

Graded graded(const std::vector<Given>& given)
{
    auto aggregate = make_aggregate(ping);
    for (const auto& each : given) {
        auto part = make_aggregate(ping);
        part.runs = each.runs;
        part.outcomes[std::size_t(each.outcome)] = each.runs;
        part.first_at_us = part.last_at_us = 1;
        const auto set = [&](std::string_view name, std::int64_t v) { part.numbers[*ping.column_index(name)] = v; };
        if (each.sent > 0) {
            set("sent", each.sent);
            set("received", each.received);
            set("ipdv_sum", each.jitter_us * each.received);
            set("ipdv_count", each.received);
            part.histograms[0].add(Micros(each.rtt_us), std::uint64_t(each.received));
        }
        merge(ping, aggregate, part);
    }
    return grade(ping, aggregate);
}

}  // namespace

TEST_CASE("loss is graded by what the packets prove")
{
    const auto loss = [](std::int64_t lost, std::int64_t sent) { return graded({{.sent = sent, .received = sent - lost}}); };
    CHECK(loss(0, 100).grade == Grade::Excellent);
    CHECK(loss(1, 20).grade <= Grade::Good);
    CHECK(loss(1, 20).reason == "loss 1 of 20, good at 0.1 %");
    CHECK(loss(12, 100) == Graded{Grade::Critical, "loss 12 of 100, critical at 10 %"});
    CHECK(loss(5, 100).grade == Grade::Poor);
    CHECK(loss(2, 100).grade == Grade::Fair);
    CHECK(loss(10, 20).grade == Grade::Critical);
    CHECK(graded({{.outcome = Outcome::Lost, .sent = 20, .received = 0}}).grade == Grade::Critical);
}

TEST_CASE("latency and jitter are held against their levels, the worst decides")
{
    CHECK(graded({{.sent = 100, .received = 100, .rtt_us = 160'000}}).grade == Grade::Fair);
    CHECK(graded({{.sent = 100, .received = 100, .rtt_us = 700'000}}).grade == Grade::Critical);
    CHECK(graded({{.sent = 100, .received = 100, .jitter_us = 60'000}})
          == Graded{Grade::Poor, "jitter 60 ms, poor at 50 ms"});
    CHECK(graded({{.sent = 100, .received = 88, .jitter_us = 60'000}}).reason == "loss 12 of 100, critical at 10 %");
}

TEST_CASE("the agent's own trouble is unknown and never dilutes or worsens the target's grade")
{
    CHECK(graded({}).reason == "no data");
    CHECK(graded({{.outcome = Outcome::NotMeasured, .runs = 5}})
          == Graded{Grade::Unknown, "agent: not_measured in 5 of 5 runs"});
    CHECK(graded({{.outcome = Outcome::BindError, .runs = 3}}).grade == Grade::Unknown);
    CHECK(graded({{.outcome = Outcome::NotMeasured, .runs = 500}, {.sent = 100, .received = 100}}).grade
          == Grade::Excellent);
}

TEST_CASE("runs that fail before any packet are failures of the target")
{
    CHECK(graded({{.outcome = Outcome::DnsError, .runs = 15}})
          == Graded{Grade::Critical, "dns_error in 15 of 15, critical at 10 %"});
    CHECK(graded({{.outcome = Outcome::DnsError, .runs = 1}, {.runs = 14, .sent = 280, .received = 280}}).grade
          <= Grade::Fair);
    // A router's ICMP error is a lost packet of its run and is not counted a second time.
    CHECK(graded({{.outcome = Outcome::Unreachable, .sent = 100, .received = 0}}).reason
          == "loss 100 of 100, critical at 10 %");
}

TEST_CASE("trouble began with the first run of the buckets that last until now")
{
    const auto since = [](const std::vector<Grade>& grades) {
        std::vector<std::optional<Aggregate>> buckets;
        for (std::size_t i = 0; i < grades.size(); ++i) {
            buckets.emplace_back();
            if (grades[i] == Grade::Unknown) continue;
            buckets.back() = make_aggregate(ping);
            buckets.back()->first_at_us = std::int64_t(i) * 1000 + 7;
        }
        return degraded_since_us(buckets, grades);
    };
    using enum Grade;
    CHECK(since({Good, Good, Poor, Critical}) == 2007);
    CHECK(since({Poor, Good, Fair, Fair}) == 2007);
    CHECK(since({Good, Good, Poor, Unknown}) == 2007);
    CHECK(since({Good, Unknown, Poor, Poor}) == 2007);
    CHECK(since({Good, Poor, Unknown, Poor}) == 1007);
    CHECK(since({Unknown, Unknown, Fair}) == 2007);
    CHECK_FALSE(since({Poor, Poor}));
    CHECK_FALSE(since({Poor, Good}));
    CHECK_FALSE(since({Good, Unknown}));
    CHECK_FALSE(since({}));
}

TEST_CASE("packets without a kind are graded by the same levels")
{
    CHECK(grade(PacketCounts{}).grade == Grade::Unknown);
    CHECK(grade(PacketCounts{.sent = 100, .lost = 0}).grade == Grade::Excellent);
    CHECK(grade(PacketCounts{.sent = 10, .lost = 1}).grade <= Grade::Fair);
    const auto lossy = grade(PacketCounts{.what = "forwarding loss", .sent = 100, .lost = 12});
    CHECK(lossy.grade == Grade::Critical);
    CHECK(lossy.reason == "forwarding loss 12 of 100, critical at 10 %");
    CHECK(grade(PacketCounts{.sent = 100, .delays = 100, .delay_us = 200e3}).grade == Grade::Fair);
    CHECK(grade(PacketCounts{.sent = 100, .delays = 2, .delay_us = 200e3}).grade == Grade::Excellent);
    CHECK(grade(PacketCounts{.sent = 100, .delays = 100, .delay_us = 1e3, .jitter_us = 60e3}).grade == Grade::Poor);
}
