// Writes valid inputs of the binary decoders into corpus/, from which fuzzing starts: nw_fuzz_make_seeds CORPUS_DIR.
// Run it after a change of the wire layout; what it writes is committed.
#include "base/random.hpp"
#include "model/kinds/all.hpp"
#include "model/kinds/ping.hpp"
#include "model/path_run.hpp"
#include "quality/aggregate.hpp"
#include "wire/messages.hpp"

#include <filesystem>
#include <fstream>

namespace {

using namespace nw;

void write(const std::filesystem::path& folder, int number, const std::string& bytes)
{
    std::filesystem::create_directories(folder);
    std::ofstream(folder / ("seed-" + std::to_string(number)), std::ios::binary) << bytes;
}

wire::Batch batch_of(std::uint32_t count, SeededRandom& random)
{
    wire::Batch batch{.stream = StreamId{7}, .first_seq = 41, .count = count, .clock_offset_us = -900};
    auto rows = make_rows(kinds::ping);
    for (std::uint32_t i = 0; i < count; ++i) {
        auto sample = make_sample(kinds::ping, ProbeId(1 + i % 2), from_us(1'700'000'000'000'000 + 5'000'000LL * i));
        for (auto& number : sample.numbers) number = random.below(5) == 0 ? kAbsent : std::int64_t(random.below(90'000));
        quality::Histogram histogram;
        for (int packet = 0; packet < 10; ++packet) histogram.add(Nanos(std::int64_t(random.below(90'000'000))));
        sample.bytes.back() = histogram.compact();
        sample.address = i % 2 == 0 ? std::string("\x0a\0\0\1", 4) : std::string(16, '\xfd');
        if (i % 4 == 3) {
            sample.outcome = Outcome::Lost;
            sample.reason = "no reply";
        }
        append(rows, batch.first_seq + i, sample);
    }
    batch.kinds.push_back(std::move(rows));
    batch.health = AgentHealth{.cpu_permille = 3, .probes = 2};
    return batch;
}

void agent_messages(const std::filesystem::path& folder, const wire::Batch& batch)
{
    using namespace wire;
    const std::vector<AgentMessage> messages{
        Hello{.capabilities = {"x"}, .version = "0.1.0", .stream = StreamId{7}, .hostname = "h", .kinds = {1}, .boot = 4},
        RawBatch{encode_batch(batch)},
        Lost{.stream = StreamId{7}, .first_seq = 3, .last_seq = 9, .reason = "spool full", .from_us = 1, .until_us = 2},
        StateApplied{.number = 4, .need_full = true, .problems = {{ProbeId{3}, "no such interface"}}},
        AgentHealth{.cpu_permille = 3},
        ClockRequest{77},
        Interfaces{.number = 3,
                   .at_us = 5,
                   .network = {.hostname = "h",
                               .interfaces = {{.name = "eth0",
                                               .index = 2,
                                               .mac = "abcdef",
                                               .addresses = {{.address = "\x7f\1\1\1", .prefix = 8}},
                                               .public_v4 = {.address = "\x7f\1\1\1", .seen_us = 1, .problem = "p"}}},
                               .routes = {{.gateway = "\x7f\1\1\1", .interface = "eth0", .type = kUnicastRoute}},
                               .rules = {{.priority = 9, .oif = "eth0", .fwmark = 1}},
                               .dns = {"\x7f\1\1\1"}},
                   .failovers = {{.at_us = 1, .from = "a", .to = "b", .took_us = 2}}}};
    for (std::size_t i = 0; i < messages.size(); ++i) write(folder, int(i), encode(messages[i]));
}

void controller_messages(const std::filesystem::path& folder)
{
    using namespace wire;
    const auto settings = *validated(kinds::ping, {{"target", "example.com"}, {"interval", std::int64_t{5000}}});
    const State state{
        .number = 3, .upsert = {{.id = ProbeId{1}, .kind = &kinds::ping, .settings = settings}}, .remove = {ProbeId{9}}};
    const std::vector<ControllerMessage> messages{Welcome{.acked_seq = 8, .now_us = 5}, Ack{StreamId{2}, 88}, state,
                                                  ClockReply{1, 2}, Refused{RefusedReason::Revoked, "deleted"}};
    for (std::size_t i = 0; i < messages.size(); ++i) write(folder, int(i), encode(messages[i]));
    write(folder, int(messages.size()), encode_state(state));
}

void hops(const std::filesystem::path& folder)
{
    PathHop router{.ttl = 1, .address = std::string("\x0a\0\0\1", 4), .name = "gw.example", .answer = HopAnswer::Exceeded};
    router.icmp_type = 11;
    router.sent = router.received = 10;
    router.rtt_min_us = router.rtt_max_us = 700;
    router.rtt_sum_us = 7000;
    router.mpls = {{16'001, 3, true, 254}};
    router.interfaces = {{.role = 2, .index = 7, .address = std::string(16, '\xfd'), .name = "ge-0/0/1", .mtu = 1500}};
    PathHop silent{.path = 1, .ttl = 2, .sent = 10, .verdict = HopVerdict::RateLimited, .limit_per_second = 1.5};
    silent.nat_destination = router.address;
    write(folder, 0, encode_hops({router}));
    write(folder, 1, encode_hops({router, silent}));
    write(folder, 2, encode_hops({silent, silent, router}));
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) return 2;
    const std::filesystem::path corpus = argv[1];
    SeededRandom random(3);
    auto aggregate = quality::make_aggregate(kinds::ping);
    int number = 0;
    for (const std::uint32_t count : {1u, 2u, 5u, 12u}) {
        const auto batch = batch_of(count, random);
        write(corpus / "wire_batch", number, wire::encode_batch(batch));
        for (std::size_t row = 0; row < count; ++row) {
            write(corpus / "quality_histogram", number, std::string(batch.kinds[0].columns.back().bytes.at(row)));
            quality::add(aggregate, batch.kinds[0], row);
        }
        std::string bytes;
        quality::encode(kinds::ping, aggregate, bytes);
        write(corpus / "quality_aggregate", number++, bytes);
    }
    hops(corpus / "model_child_rows");
    agent_messages(corpus / "wire_agent_message", batch_of(3, random));
    controller_messages(corpus / "wire_controller_message");
    return 0;
}
