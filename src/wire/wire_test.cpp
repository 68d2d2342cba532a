#include "wire/messages.hpp"

#include "base/random.hpp"
#include "model/kinds/all.hpp"

#include <doctest/doctest.h>

namespace nw::wire {
namespace {

Batch sample_batch(const Kinds& kinds, std::uint32_t count)
{
    const auto& ping = *kinds.by_name("ping");
    SeededRandom random(11);
    Batch batch{
        .stream = StreamId{5}, .first_seq = 100, .count = count, .clock_offset_us = -1500, .clock_uncertainty_us = 80};
    auto rows = make_rows(ping);
    for (std::uint32_t i = 0; i < count; ++i) {
        auto sample = make_sample(ping, ProbeId(1 + i % 3), from_us(1'700'000'000'000'000 + 1000LL * i));
        for (auto& number : sample.numbers)
            number = random.below(4) == 0 ? kAbsent : std::int64_t(random.below(1'000'000)) - 500;
        sample.bytes.back() = std::string("\x10\x02", 2);
        sample.address = std::string("\x7f\0\0\1", 4);
        if (i % 5 == 0) {
            sample.outcome = Outcome::Lost;
            sample.reason = "no reply";
        }
        append(rows, batch.first_seq + i, sample);
    }
    // Numbers of non-integer columns are not carried.
    batch.kinds.push_back(std::move(rows));
    batch.health = AgentHealth{.lateness_p99_us = 12, .probes = 3};
    return batch;
}

}  // namespace

TEST_CASE("a batch survives the wire")
{
    const auto kinds = all_kinds();
    const auto batch = sample_batch(kinds, 100);
    const auto decoded = decode_batch(encode_batch(batch), kinds);
    REQUIRE(decoded);
    CHECK(*decoded == batch);
}

TEST_CASE("a batch inside its message is handed on byte for byte")
{
    const auto kinds = all_kinds();
    const auto bytes = encode_batch(sample_batch(kinds, 7));
    const auto message = decode_agent_message(encode(AgentMessage(RawBatch{bytes})));
    REQUIRE(message);
    CHECK(std::get<RawBatch>(*message).bytes == bytes);
}

TEST_CASE("a batch that another program wrapped in its own way is found too")
{
    const auto kinds = all_kinds();
    const auto batch = sample_batch(kinds, 7);
    const auto plain = encode(AgentMessage(RawBatch{encode_batch(batch)}));
    // In two parts, which protobuf merges, and after a field that a newer agent may have.
    const auto health_apart = encode(AgentMessage(RawBatch{encode_batch(Batch{.health = AgentHealth{.probes = 9}})}));
    const auto unknown = std::string("\xfa\x01\x01x", 4);
    for (const auto& bytes : {plain + health_apart, unknown + plain}) {
        const auto message = decode_agent_message(bytes);
        REQUIRE(message);
        const auto decoded = decode_batch(std::get<RawBatch>(*message).bytes, kinds);
        REQUIRE(decoded);
        CHECK(decoded->kinds == batch.kinds);
    }
    CHECK_FALSE(decode_agent_message(plain.substr(0, plain.size() - 1)));
}

TEST_CASE("a cut or altered batch is refused, never half read")
{
    const auto kinds = all_kinds();
    const auto whole = encode_batch(sample_batch(kinds, 20));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto cut = decode_batch(std::string_view(whole).substr(0, length), kinds);
        if (cut) CHECK(cut->count == 20);  // only trailing optional fields can be missing
    }
    auto doubled = sample_batch(kinds, 2);
    doubled.kinds[0].seq[1] = doubled.kinds[0].seq[0];
    CHECK(decode_batch(encode_batch(doubled), kinds).error().what == "batch: a sequence outside the batch or twice in it");
    auto missing = sample_batch(kinds, 2);
    missing.count = 3;
    CHECK(decode_batch(encode_batch(missing), kinds).error().what == "batch: sequences without a row");
    CHECK(decode_batch(encode_batch(missing), kinds, Completeness::Partial) == missing);
    CHECK(!decode_batch(std::string(kBatchBytesMax + 1, 'x'), kinds));
}

TEST_CASE("messages survive the wire")
{
    const auto kinds = all_kinds();
    const auto& ping = *kinds.by_name("ping");
    const auto there = [](AgentMessage message) { return *decode_agent_message(encode(message)) == message; };
    CHECK(there(
        Hello{.capabilities = {"a"}, .version = "0.1.0", .stream = StreamId{9}, .hostname = "h", .kinds = {1}, .boot = 4}));
    CHECK(there(Lost{.stream = StreamId{1}, .first_seq = 3, .last_seq = 9, .reason = "spool full"}));
    CHECK(there(StateApplied{.number = 4, .need_full = true, .problems = {{ProbeId{3}, "no such interface"}}}));
    CHECK(there(AgentHealth{.cpu_permille = 3}));
    CHECK(there(ClockRequest{77}));
    const auto rows = encode_rows(sample_batch(kinds, 1).kinds[0]);
    CHECK(
        there(ActionReport{.id = ActionId{5}, .state = ActionState::Done, .steps_done = 9, .steps = 10, .reason = "lost"}));
    CHECK(there(ActionReport{.id = ActionId{5}, .result = rows}));
    CHECK_FALSE(decode_agent_message(encode(AgentMessage(ActionReport{.state = ActionState::Waiting}))));
    CHECK_FALSE(decode_agent_message(encode(AgentMessage(ActionReport{.steps_done = 2, .steps = 1}))));

    const auto back = [&](ControllerMessage message) {
        return *decode_controller_message(encode(message), kinds) == message;
    };
    CHECK(back(Welcome{.acked_seq = 8, .now_us = 5, .interfaces = 3}));
    CHECK(back(Ack{StreamId{2}, 88, 7}));
    CHECK(back(ClockReply{1, 2}));
    CHECK(back(Refused{RefusedReason::Revoked, "agent was deleted"}));
    const auto settings = *validated(ping, {{"target", "example.com"}});
    CHECK(back(Action{.id = ActionId{5}, .expires_in_ms = 30'000, .kind = &ping, .settings = settings}));
    CHECK(back(Action{.id = ActionId{5}, .cancel = true}));
    const auto bad = *decode_controller_message(encode(ControllerMessage(Action{.id = ActionId{5}, .kind = &ping})), kinds);
    CHECK_FALSE(std::get<Action>(bad).problem.empty());
    CHECK(std::get<Action>(bad).kind == nullptr);
    CHECK(back(State{.number = 3,
                     .base = 2,
                     .upsert = {{.id = ProbeId{1}, .revision = 2, .kind = &ping, .settings = settings}},
                     .remove = {ProbeId{9}}}));
}

TEST_CASE("rows by themselves come back, and no others")
{
    const auto kinds = all_kinds();
    auto rows = sample_batch(kinds, 3).kinds[0];
    for (std::size_t i = 0; i < rows.size(); ++i) rows.seq[i] = i;
    const auto bytes = encode_rows(rows);
    const auto back = decode_rows(bytes, kinds);
    REQUIRE(back);
    CHECK(*back == rows);
    CHECK_FALSE(decode_rows(bytes, Kinds({})));
    for (std::size_t length = 1; length < bytes.size(); ++length)
        if (const auto cut = decode_rows(bytes.substr(0, length), kinds)) CHECK(cut->size() <= 3);
}

TEST_CASE("a probe the agent must refuse is reported, the others are applied")
{
    const auto kinds = all_kinds();
    const auto& ping = *kinds.by_name("ping");
    const auto good = *validated(ping, {{"target", "example.com"}});
    auto bad = good;
    bad["interval"] = std::int64_t{1};
    const State state{
        .number = 1,
        .upsert = {{.id = ProbeId{1}, .kind = &ping, .settings = good}, {.id = ProbeId{2}, .kind = &ping, .settings = bad}}};
    const auto decoded = decode_state(encode_state(state), kinds);
    REQUIRE(decoded);
    CHECK(decoded->upsert.size() == 1);
    REQUIRE(decoded->invalid.size() == 1);
    CHECK(decoded->invalid[0].probe == ProbeId{2});
}

namespace {

Interfaces report_of_everything()
{
    const std::string v4("\xc0\x00\x02\x01", 4);
    const std::string v6(16, '\x20');
    Interface wifi{
        .name = "wlan0",
        .index = 3,
        .kind = LinkKind::Wifi,
        .mac = std::string("\x02\x11\x22\x33\x44\x55", 6),
        .mtu = 1500,
        .speed_mbps = 300,
        .duplex = Duplex::Half,
        .up = true,
        .carrier = true,
        .state = LinkState::Dormant,
        .parent = "phy0",
        .master = "br0",
        .addresses = {{.address = v6, .prefix = 64, .scope = AddressScope::Link, .temporary = true, .tentative = true},
                      {.address = v4, .prefix = 24, .deprecated = true}},
        .dns = {v4, v6},
        .public_v4 = {.address = v4, .seen_us = 9},
        .public_v6 = {.problem = "timed out"}};
    return {.number = 7,
            .at_us = 1'700'000'000'000'000,
            .network = {.hostname = "edge-1",
                        .interfaces = {std::move(wifi)},
                        .routes = {{.v6 = true,
                                    .table = 1000,
                                    .prefix = 0,
                                    .gateway = v6,
                                    .interface = "wlan0",
                                    .metric = 5,
                                    .protocol = 9,
                                    .scope = 0,
                                    .type = 1,
                                    .source = v6},
                                   {.destination = v4, .prefix = 32, .gateway = v6, .type = 6}},
                        .rules = {{.priority = 100,
                                   .from = v4,
                                   .from_prefix = 32,
                                   .oif = "wlan0",
                                   .fwmark = 0,
                                   .fwmask = 255,
                                   .table = 1000,
                                   .action = 1}},
                        .dns = {v4},
                        .interfaces_total = 1,
                        .routes_total = 5000,
                        .rules_total = 1},
            .failovers = {{.at_us = 5, .from = "eth0", .to = "wlan0", .took_us = 0}, {.v6 = true, .from = "a", .to = "b"}}};
}

}  // namespace

TEST_CASE("a report of an agent's network survives the wire and the store, with what is not known")
{
    const auto report = report_of_everything();
    CHECK(*decode_agent_message(encode(AgentMessage(report))) == AgentMessage(report));
    CHECK(*decode_interfaces(encode_interfaces(report)) == report);
    CHECK(report.network.truncated());
    CHECK(*decode_interfaces(encode_interfaces({.number = 1})) == Interfaces{.number = 1});
}

TEST_CASE("a report that breaks a limit is refused as a whole")
{
    const auto refused = [](auto spoil) {
        auto report = report_of_everything();
        spoil(report);
        return !decode_interfaces(encode_interfaces(report));
    };
    CHECK_FALSE(refused([](Interfaces&) {}));
    CHECK(refused([](Interfaces& r) { r.network.hostname = "a\nb"; }));
    CHECK(refused([](Interfaces& r) { r.network.interfaces[0].name = ""; }));
    CHECK(refused([](Interfaces& r) { r.network.interfaces[0].parent = "\x1b[2J"; }));
    CHECK(refused([](Interfaces& r) { r.network.interfaces[0].addresses[0].address = "abc"; }));
    CHECK(refused([](Interfaces& r) { r.network.interfaces[0].addresses[1].prefix = 33; }));
    CHECK(refused([](Interfaces& r) { r.network.interfaces[0].mac = std::string(33, 'x'); }));
    CHECK(refused([](Interfaces& r) { r.network.interfaces[0].public_v4.problem = std::string(257, 'x'); }));
    CHECK(refused([](Interfaces& r) { r.network.routes[1].destination = std::string(16, 'x'); }));
    CHECK(refused([](Interfaces& r) { r.network.rules[0].from = "x"; }));
    CHECK(refused([](Interfaces& r) { r.network.dns[0] = ""; }));
    CHECK(refused([](Interfaces& r) { r.failovers[0].took_us = -1; }));
    CHECK(refused([](Interfaces& r) { r.failovers.resize(kFailoversMax + 1); }));
    CHECK(refused([](Interfaces& r) { r.network.interfaces.resize(kInterfacesMax + 1, r.network.interfaces[0]); }));
    CHECK(refused([](Interfaces& r) { r.network.routes.resize(kRoutesMax + 1); }));
}

TEST_CASE("the largest report that an agent makes fits into a message")
{
    auto report = report_of_everything();
    auto& network = report.network;
    network.interfaces[0].name = network.interfaces[0].parent = network.interfaces[0].master = "abcdefghijklmno";
    network.interfaces[0].addresses.resize(kAddressesPerInterfaceMax, network.interfaces[0].addresses[0]);
    network.interfaces.resize(kInterfacesMax, network.interfaces[0]);
    network.routes.resize(kRoutesMax, network.routes[0]);
    network.rules.resize(kRulesMax, network.rules[0]);
    CHECK(encode(AgentMessage(report)).size() <= kMessageBytesMax);
    CHECK(decode_interfaces(encode_interfaces(report)));
}

}  // namespace nw::wire
