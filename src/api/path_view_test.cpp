#include "api/path_view.hpp"

#include "api/route_history.hpp"
#include "api/topology_view.hpp"

#include "base/testing.hpp"
#include "net/json.hpp"
#include "topology/testing.hpp"

#include <algorithm>

namespace nw::api {
namespace {

using topology::testing::FakeHop;
using topology::testing::run_through;
using topology::testing::v4;

constexpr std::int64_t kMinute = 60'000'000;

net::Json path_json(const std::vector<topology::Run>& runs)
{
    JsonWriter json;
    write_path(json, {.agent = AgentId{7}, .agent_name = "edge", .target = "www", .protocol = "udp"},
               {.at_us = 9, .from_us = 1, .until_us = 9}, topology::merge(runs), {});
    auto parsed = net::parse_json(json.str());
    REQUIRE(parsed);
    return *std::move(parsed);
}

const net::Json& hop_of(const net::Json& path, std::string_view id)
{
    for (const auto& hop : *path.at("hops").array())
        if (*hop.at("id").text() == id) return hop;
    FAIL("no hop " << id);
    std::abort();
}

store::PathChange change_at(std::int64_t at_us) { return {.probe = ProbeId{1}, .at_us = at_us, .confirmed_us = at_us + 2}; }

}  // namespace

TEST_CASE("a limiter and silence are no fault; loss that goes on is one, at every hop behind it")
{
    const FakeHop limited{.router = 2, .sent = 50, .received = 5, .verdict = HopVerdict::RateLimited};
    const FakeHop silent{.sent = 50, .received = 0, .verdict = HopVerdict::Silent};
    const FakeHop lossy{.router = 4, .sent = 50, .received = 40, .verdict = HopVerdict::Forwarding};
    const FakeHop end{.router = 9, .sent = 50, .received = 40, .verdict = HopVerdict::Forwarding};
    const auto path =
        path_json({run_through(kMinute, {{{{.router = 1, .sent = 50, .received = 50}, limited, silent, lossy, end}}})});
    CHECK(*hop_of(path, "2:10.0.0.2").at("grade").text() == "excellent");
    CHECK(*hop_of(path, "3:*").at("grade").text() == "unknown");
    CHECK(*hop_of(path, "3:*").at("grade_reason").text() == "no reply");
    CHECK(*hop_of(path, "4:10.0.0.4").at("grade").text() == "critical");
    CHECK(*hop_of(path, "5:10.0.0.9").at("grade_reason").text() == "loss 10 of 50, critical at 10 %");
    CHECK(*hop_of(path, "1:10.0.0.1").at("grade").text() == "excellent");
    const auto healthy = path_json({run_through(kMinute, {{{limited, silent, {.router = 9, .sent = 50, .received = 50}}}})});
    CHECK(*hop_of(healthy, "1:10.0.0.2").at("grade").text() == "excellent");
    CHECK(*hop_of(healthy, "1:10.0.0.2").at("verdict").text() == "rate_limited");
}

TEST_CASE("names from the network cannot carry anything but printable ASCII")
{
    CHECK(!shown_name(""));
    CHECK(*shown_name("core1.example.net") == "core1.example.net");
    CHECK(*shown_name("a\nb\x1b[31m \xe2\x80\xae\xff") == "a?b?[31m?????");
    CHECK(shown_name(std::string(10'000, 'x'))->size() == kHopNameBytesMax);
    auto run = run_through(kMinute, {{{{1}, {9}}}});
    run.hops[0].name = "\"><script>\x01\xc3";
    run.hops[0].interfaces = {{.role = 2,
                               .name = "\xff\xfe"
                                       "eth0"}};
    const auto path = path_json({run});
    CHECK(*hop_of(path, "1:10.0.0.1").at("name").text() == "\"><script>??");
    CHECK(*hop_of(path, "1:10.0.0.1").at("interfaces").array()->front().at("name").text() == "??eth0");
}

TEST_CASE("a path without runs says so")
{
    const auto path = path_json({});
    CHECK(*path.at("runs").integer() == 0);
    CHECK(path.at("last_run_us").is_null());
    CHECK(path.at("reached").is_null());
    CHECK(path.at("hops").array()->empty());
}

TEST_CASE("routes are what was taken between changes, with their share of the time")
{
    RouteHistory history({change_at(11 * kMinute), change_at(21 * kMinute)}, kMinute);
    const auto go = [&](int from, int until, std::uint32_t router) {
        for (int i = from; i < until; ++i) history.add(run_through(i * kMinute, {{{{1}, {router}, {9}}}}));
    };
    go(1, 11, 2);
    go(11, 21, 5);
    go(21, 41, 2);
    history.finish();
    REQUIRE(history.routes().size() == 2);
    CHECK(history.runs() == 40);
    CHECK(history.time_us() == 40 * kMinute);
    CHECK(history.routes()[0].time_us == 30 * kMinute);
    CHECK(history.routes()[0].route.hops[1] == std::vector{v4(2)});
    CHECK(history.routes()[0].first_us == kMinute);
    CHECK(history.routes()[0].last_us == 40 * kMinute);
    CHECK(history.before(0) == history.routes()[0].id);
    CHECK(history.after(0) == history.routes()[1].id);
    CHECK(history.after(1) == history.before(0));
}

TEST_CASE("time without runs is nobody's")
{
    RouteHistory history({}, kMinute);
    history.add(run_through(1 * kMinute, {{{{1}, {9}}}}));
    history.add(run_through(1'000 * kMinute, {{{{1}, {9}}}}));
    history.finish();
    CHECK(history.time_us() == 3 * kMinute);
    RouteHistory nothing({}, kMinute);
    nothing.finish();
    CHECK(nothing.routes().empty());
}

TEST_CASE("a change of which no runs are left still names its routes")
{
    auto change = change_at(kMinute);
    topology::Route before, after;
    topology::add(before, 1, v4(1));
    topology::add(after, 1, v4(2));
    change.before = topology::encode_route(before);
    change.after = topology::encode_route(after);
    RouteHistory history({change}, kMinute);
    history.finish();
    CHECK(history.before(0) == topology::digest(before));
    CHECK(history.after(0) == topology::digest(after));
    change.added = {{.ttl = 1, .address = "10.0.0.2"}};
    CHECK(summary_of(change) == "1 hop added");
    change.removed = {{.ttl = 1, .address = "10.0.0.1"}, {.ttl = 2, .address = "10.0.0.3"}};
    CHECK(summary_of(change) == "1 hop added, 2 removed");
}

TEST_CASE("the map names agents, grades by forwarding loss and tells what has changed")
{
    topology::Graph graph;
    const FakeHop silent{.received = 0, .verdict = HopVerdict::Silent};
    const FakeHop lossy{.router = 9, .sent = 100, .received = 70, .verdict = HopVerdict::Forwarding};
    graph.replace(ProbeId{1}, {.agent = AgentId{7}, .target_name = "www", .protocol = "icmp"},
                  topology::merge(
                      std::vector{run_through(kMinute, {{{{.router = 1, .sent = 100, .received = 100}, silent, lossy}}})}));
    MapContext context;
    context.agents[AgentId{7}] = {.id = AgentId{7}, .name = "edge", .site = "north", .labels = {"core"}};
    const auto map = net::parse_json(topology_json(&graph, {.generation = "m.1", .live = true}, context));
    REQUIRE(map);
    CHECK(map->at("nodes").array()->size() == 4);
    for (const auto& node : *map->at("nodes").array()) {
        const auto& kind = *node.at("kind").text();
        const auto& grade = *node.at("grade").text();
        if (kind == "agent") CHECK(*node.at("name").text() == "edge");
        if (kind == "agent") CHECK(*node.at("site").text() == "north");
        if (kind == "anonymous") CHECK(grade == "unknown");
        if (kind == "router") CHECK(grade == "excellent");
        if (kind == "target") CHECK(*node.at("reason").text() == "loss 30 of 100, critical at 10 %");
    }
    CHECK(map->at("paths").array()->front().at("nodes").array()->size() == 4);
    CHECK(*map->at("paths").array()->front().at("grade").text() == "critical");
    const auto before = graph.generation();
    graph.remove(ProbeId{1});
    const auto event = net::parse_json(topology_event(graph, *graph.changes_since(before), "m.1", "m.2", context));
    REQUIRE(event);
    CHECK(event->at("removed").at("nodes").array()->size() == 4);
    CHECK(event->at("removed").at("paths").array()->size() == 1);
    CHECK(net::parse_json(topology_json(nullptr, {}, context)));
}

}  // namespace nw::api
