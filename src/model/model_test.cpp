#include "model/id_batch.hpp"
#include "model/ids.hpp"
#include "model/kinds/all.hpp"
#include "model/probe_spec.hpp"
#include "model/rows.hpp"

#include "base/testing.hpp"

#include <algorithm>
#include <set>

namespace nw {

TEST_CASE("an id keeps its type in its text")
{
    SeededRandom random(1);
    const auto now = WallTime(std::chrono::sys_days{std::chrono::year(2026) / 11 / 23});
    const auto probe = make_id<ProbeId>(random, now);
    CHECK(parse_id<ProbeId>(to_text(probe)) == probe);
    CHECK(!parse_id<AgentId>(to_text(probe)));
    CHECK(!parse_id<ProbeId>("prb_"));
    CHECK(std::int64_t(probe) > 0);
    CHECK(probe < make_id<ProbeId>(random, now + Seconds{1}));
}

TEST_CASE("a thousand ids of one moment are all different")
{
    SeededRandom random(11);
    const auto now = WallTime(std::chrono::sys_days{std::chrono::year(2026) / 11 / 23});
    for (int round = 0; round < 20; ++round) {
        const auto ids = make_ids<ProbeId>(random, now, 1000);
        CHECK(std::set<ProbeId>(ids.begin(), ids.end()).size() == 1000);
        CHECK(std::ranges::all_of(ids, [&](ProbeId id) { return std::uint64_t(id) >> 20 == std::uint64_t(ids[0]) >> 20; }));
    }
}

TEST_CASE("every declaration is sound")
{
    for (const auto* kind : all_kinds().all()) {
        CAPTURE(kind->name);
        std::set<std::string_view> names;
        for (const auto& setting : kind->settings) {
            CHECK(names.insert(setting.name).second);
            CHECK(!setting.label.empty());
        }
        for (const auto& metric : kind->metrics) {
            CAPTURE(metric.name);
            CHECK(kind->column_index(metric.a));
            if (!metric.b.empty()) CHECK(kind->column_index(metric.b));
            if (!metric.c.empty()) CHECK(kind->column_index(metric.c));
        }
        for (const auto& tile : kind->presentation.tiles) CHECK(kind->metric(tile));
        // Defaults satisfy their own declaration; only what is required is missing.
        const auto defaults = validated(*kind, {});
        if (!defaults)
            for (const auto& problem : defaults.error().fields) CHECK(problem.what == "is required");
    }
}

TEST_CASE("settings are checked field by field and completed")
{
    const auto& ping = *all_kinds().by_name("ping");
    const auto settings = validated(ping, {{"target", "192.0.2.1"}, {"packets", std::int64_t{5}}});
    REQUIRE(settings);
    CHECK(std::get<std::int64_t>(settings->at("packets")) == 5);
    CHECK(std::get<std::int64_t>(settings->at("timeout")) == 2000);
    CHECK(std::get<std::string>(settings->at("family")) == "auto");

    const auto refused = validated(
        ping, {{"target", "bad host"}, {"packets", std::int64_t{0}}, {"family", "v5"}, {"timout", std::int64_t{1}}});
    REQUIRE(!refused);
    const auto& problems = refused.error().fields;
    REQUIRE(problems.size() == 4);
    CHECK(problems[0] == FieldProblem{"settings.target", "must be a host name or an IPv4 or IPv6 address"});
    CHECK(problems[1] == FieldProblem{"settings.packets", "must be 1 to 1000 packets"});
    CHECK(problems[2].what == "must be one of auto, v4, v6");
    CHECK(problems[3].what == "is not a setting of ping; did you mean timeout?");
}

TEST_CASE("hosts are names or addresses, not something in between")
{
    for (const auto* good : {"a", "example.com", "example.com.", "_sip._udp.example.com", "10.0.0.1", "::1", "fe80::1%eth0"})
        CHECK_MESSAGE(is_host(good), good);
    for (const auto* bad : {"", "10.0.0.300", "-a.example", "a..b", "a b", "http://x", "x/y"})
        CHECK_MESSAGE(!is_host(bad), bad);
}

TEST_CASE("samples survive their column form")
{
    const auto& ping = *all_kinds().by_name("ping");
    auto sample = make_sample(ping, ProbeId{7}, from_us(1'000'000));
    sample.outcome = Outcome::Unreachable;
    sample.reason = "icmp 3/1 from 192.0.2.9";
    sample.address = std::string("\xc0\x00\x02\x01", 4);
    sample.numbers[0] = 20;
    auto rows = make_rows(ping);
    append(rows, 41, make_sample(ping, ProbeId{6}, from_us(5)));
    append(rows, 42, sample);
    CHECK(rows.size() == 2);
    CHECK(sample_at(rows, 1) == sample);
    auto copy = make_rows(ping);
    append_row(copy, rows, 1);
    CHECK(copy.seq == std::vector<std::uint64_t>{42});
    CHECK(sample_at(copy, 0) == sample);
}

}  // namespace nw
