// A process that appends, seals and compacts is killed at random moments, again and again in the same directory. Each
// time the store must open, and hold every sample that was acknowledged exactly once.
//
// 12 kills unless NW_LONG=1 makes it 100; NW_SEED: other moments.
#include "base/testing.hpp"
#include "model/kinds/all.hpp"
#include "model/kinds/ping.hpp"
#include "store/telemetry/embedded.hpp"
#include "store/telemetry/telemetry_contract.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>

using namespace nw;
using namespace nw::store;
using contract::kStart;
using contract::ping_sample;

namespace {

constexpr std::uint64_t kStreams = 4;
constexpr std::uint64_t kBatchRows = 50;
constexpr std::uint64_t kProbes = 16;

// The sample a sequence number stands for: three days, in order within a stream.
Sample sample_of(std::uint64_t stream, std::uint64_t seq)
{
    const auto at = kStart + std::int64_t(seq % 3) * kDayUs + std::int64_t(seq) * 50'000;
    return ping_sample(1 + (seq + stream) % kProbes, at, 3, {std::int64_t(1000 + seq % 500)});
}

EmbeddedOptions options(const std::filesystem::path& dir)
{
    return {.dir = dir, .self_maintenance = false, .disk_free_min_bytes = 0};
}

struct Ack {
    std::uint64_t stream = 0;
    std::uint64_t seq = 0;
};

Task<void> append_for_ever(Telemetry& store, std::uint64_t stream, int pipe)
{
    auto next = *co_await store.watermark(AgentId(1), StreamId(stream)) + 1;
    for (;;) {
        std::vector<Sample> samples;
        for (std::uint64_t i = 0; i < kBatchRows; ++i) samples.push_back(sample_of(stream, next + i));
        auto batch = contract::batch_of(StreamId(stream), next, samples);
        auto bytes = wire::encode_batch(batch);
        const auto appended =
            co_await store.append({AgentId(1), std::move(batch), std::move(bytes), from_us(kStart + 3 * kDayUs)});
        if (!appended || appended->acked_seq != next + kBatchRows - 1) ::_exit(3);
        const Ack ack{stream, appended->acked_seq};
        if (::write(pipe, &ack, sizeof ack) != sizeof ack) ::_exit(4);
        next = appended->acked_seq + 1;
    }
}

Task<void> keep_house_for_ever(Telemetry& store)
{
    // Each look is from half a day further on: every day is compacted again and again.
    for (std::int64_t round = 0;; ++round) {
        if (!co_await store.seal()) ::_exit(5);
        if (!co_await store.maintain(from_us(kStart + (8 + round % 20) * kDayUs / 2))) ::_exit(6);
    }
}

[[noreturn]] void live(const std::filesystem::path& dir, int pipe)
{
    testing::ManualClock clock;
    clock.set_wall(from_us(kStart + 4 * kDayUs));
    const auto kinds = all_kinds();
    auto store = open_embedded(options(dir), kinds, clock, Log{});
    if (!store) {
        std::fprintf(stderr, "%s\n", store.error().what.c_str());
        ::_exit(2);
    }
    const Ack ready{};
    if (::write(pipe, &ready, sizeof ready) != sizeof ready) ::_exit(4);
    Loop loop;
    const auto forever = [](std::exception_ptr) { ::_exit(7); };
    for (std::uint64_t stream = 1; stream <= kStreams; ++stream)
        asio::co_spawn(loop, append_for_ever(**store, stream, pipe), forever);
    asio::co_spawn(loop, keep_house_for_ever(**store), forever);
    loop.run();
    ::_exit(8);
}

// Reads acknowledgements until the child is gone.
void collect(int pipe, std::array<std::uint64_t, kStreams + 1>& acked)
{
    Ack ack;
    while (::read(pipe, &ack, sizeof ack) == sizeof ack)
        if (ack.stream != 0) acked[ack.stream] = std::max(acked[ack.stream], ack.seq);
}

void kill_once(const std::filesystem::path& dir, Random& random, std::array<std::uint64_t, kStreams + 1>& acked)
{
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::close(ends[0]);
        live(dir, ends[1]);
    }
    ::close(ends[1]);
    Ack ready;
    REQUIRE(::read(ends[0], &ready, sizeof ready) == sizeof ready);
    // The moment of the kill is the point of the test: time itself, not an event, decides it.
    std::thread killer([child, after = Millis(random.below(350))] {
        std::this_thread::sleep_for(after);
        ::kill(child, SIGKILL);
    });
    collect(ends[0], acked);
    killer.join();
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    INFO("the child must die by the signal, exit status " << (WIFEXITED(status) ? WEXITSTATUS(status) : -1));
    REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

// Every sequence from 1 to the watermark once, in its probe, with its content.
void check_contents(Telemetry& store, const std::array<std::uint64_t, kStreams + 1>& acked)
{
    std::array<std::set<std::uint64_t>, kStreams + 1> seen;
    for (std::uint64_t probe = 1; probe <= kProbes; ++probe) {
        std::string cursor;
        do {
            const auto page = testing::run(store.samples({.probe = ProbeId(probe),
                                                          .kind = &kinds::ping,
                                                          .range = {0, kTimeMaxUs},
                                                          .limit = 10'000,
                                                          .cursor = cursor}));
            REQUIRE(page);
            for (std::size_t row = 0; row < page->rows.size(); ++row) {
                const auto stream = std::uint64_t(page->rows.stream[row]);
                const auto seq = page->rows.rows.seq[row];
                REQUIRE((stream >= 1 && stream <= kStreams));
                if (!seen[stream].insert(seq).second) FAIL("twice: stream " << stream << " sequence " << seq);
                if (sample_at(page->rows.rows, row) != sample_of(stream, seq))
                    FAIL("altered: stream " << stream << " sequence " << seq);
            }
            cursor = page->next;
        } while (!cursor.empty());
    }
    for (std::uint64_t stream = 1; stream <= kStreams; ++stream) {
        const auto watermark = testing::run(store.watermark(AgentId(1), StreamId(stream)));
        REQUIRE(watermark);
        CHECK(*watermark >= acked[stream]);
        CHECK(seen[stream].size() == *watermark);
        if (!seen[stream].empty()) CHECK(*seen[stream].rbegin() == *watermark);
    }
    CHECK(testing::run(store.stats()).corrupt_chunks == 0);
}

}  // namespace

TEST_CASE("what was acknowledged survives a kill at any moment, once")
{
    const auto* longer = std::getenv("NW_LONG");
    const auto* seed = std::getenv("NW_SEED");
    const int kills = longer && std::string_view(longer) == "1" ? 100 : 12;
    SeededRandom random(seed ? std::strtoull(seed, nullptr, 10) : 1);
    testing::ScratchDir scratch;
    std::array<std::uint64_t, kStreams + 1> acked{};
    const auto kinds = all_kinds();
    testing::ManualClock clock;
    clock.set_wall(from_us(kStart + 4 * kDayUs));
    for (int kill = 0; kill < kills; ++kill) {
        INFO("kill " << kill);
        kill_once(scratch.path(), random, acked);
        if (kill % 4 != 3 && kill + 1 < kills) continue;  // some kills hit a store that was never opened in between
        auto store = open_embedded(options(scratch.path()), kinds, clock, Log{});
        if (!store) FAIL(store.error().what);
        check_contents(**store, acked);
        testing::run((*store)->close());
    }
    std::uint64_t total = 0;
    for (const auto seq : acked) total += seq;
    MESSAGE(kills << " kills, " << total << " acknowledged samples");
    CHECK(total > 0);
}
