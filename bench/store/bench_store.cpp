// The figures of the embedded store, each beside its peer in the same run: bench_store [--quick] [--dir DIR].
// The peer is DuckDB (duck.hpp) or, for the acknowledgement, a bare loop of write and fdatasync with the same bytes.
#include "../support.hpp"
#include "duck.hpp"
#include "generator.hpp"
#include "measure.hpp"

#include "base/run_on.hpp"
#include "quality/accumulator.hpp"
#include "store/telemetry/embedded.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <thread>

using namespace nw;
using namespace nw::bench;
using namespace nw::store;

namespace {

namespace fs = std::filesystem;

struct Setup {
    fs::path dir{};
    bool quick = false;
};

class Store {
public:
    Store(const fs::path& dir, SetClock& clock) : dir_(dir), clock_(clock) { open(); }
    ~Store() { close(); }

    void open()
    {
        telemetry_ = must(open_embedded({.dir = dir_,
                                         .retention = {.raw = Seconds(200 * 86'400),
                                                       .five_minutes = Seconds(300 * 86'400),
                                                       .hour = Seconds(900 * 86'400)},
                                         .self_maintenance = false},
                                        kinds_, clock_, Log{}));
    }
    void close()
    {
        asio::co_spawn(loop_, telemetry_->close(), [](std::exception_ptr) {});
        loop_.restart();
        loop_.run();
        telemetry_.reset();
    }
    Telemetry& operator*() { return *telemetry_; }
    Telemetry* operator->() { return telemetry_.get(); }
    template <class T>
    T get(Task<Result<T>> task)
    {
        return must(wait(loop_, std::move(task)));
    }
    void run(Task<Status> task) { must(wait(loop_, std::move(task))); }

    // Appends encoded batches, many sessions at a time, each decoding its own as ingest does.
    void append(const std::vector<std::string>& encoded, const std::vector<AgentId>& agents, WallTime received)
    {
        std::size_t next = 0;
        for (int session = 0; session < 64; ++session)
            asio::co_spawn(loop_, append_some(encoded, agents, received, next), [](std::exception_ptr error) {
                if (error) std::rethrow_exception(error);
            });
        loop_.restart();
        loop_.run();
    }

    Loop& loop() { return loop_; }
    const Kinds& kinds() const { return kinds_; }

private:
    Task<void> append_some(const std::vector<std::string>& encoded, const std::vector<AgentId>& agents, WallTime received,
                           std::size_t& next)
    {
        while (next < encoded.size()) {
            const auto i = next++;
            auto batch = must(wire::decode_batch(encoded[i], kinds_));
            const auto appended = must(co_await telemetry_->append({agents[i], std::move(batch), encoded[i], received}));
            if (appended.gap) std::exit(2);
        }
    }

    fs::path dir_;
    SetClock& clock_;
    Kinds kinds_{{&kinds::ping}};
    Loop loop_;
    std::unique_ptr<Telemetry> telemetry_{};
};

struct Slice {
    std::vector<std::string> encoded{};
    std::vector<AgentId> agents{};
};

Slice encode(const std::vector<wire::Batch>& batches)
{
    Slice slice;
    for (const auto& batch : batches) {
        slice.encoded.push_back(wire::encode_batch(batch));
        slice.agents.push_back(agent_of(std::uint64_t(batch.kinds[0].probe[0]) - 1));
    }
    return slice;
}

// Appends `rows` rows in slices, sealing about every hour of their time; CPU seconds up to the acknowledgement.
double fill(Store& store, SetClock& clock, Generator& generator, std::size_t rows, std::size_t seal_rows, double& seal_cpu)
{
    double cpu = 0;
    std::size_t unsealed = 0;
    for (std::size_t done = 0; done < rows;) {
        const auto count = std::min<std::size_t>(50'000, rows - done);
        const auto batches = generator.batches(count);
        clock.wall_us = batches.back().kinds[0].at_us.back() + 61'000'000;
        const auto slice = encode(batches);
        const auto begin = cpu_s();
        store.append(slice.encoded, slice.agents, clock.wall());
        cpu += cpu_s() - begin;
        done += count;
        unsealed += count;
        if (unsealed < seal_rows && done < rows) continue;
        const auto seal_begin = cpu_s();
        store.run(store->seal());
        seal_cpu += cpu_s() - seal_begin;
        unsealed = 0;
    }
    return cpu;
}

std::uint64_t bytes_under(const fs::path& dir, std::string_view part)
{
    std::uint64_t total = 0;
    for (const auto& entry : fs::recursive_directory_iterator(dir))
        if (entry.is_regular_file() && entry.path().filename().string().find(part) != std::string::npos)
            total += entry.file_size();
    return total;
}

std::vector<ProbeId> first_probes(std::size_t count)
{
    std::vector<ProbeId> probes;
    for (std::size_t i = 1; i <= count; ++i) probes.push_back(ProbeId(i));
    return probes;
}

struct PeerIngest {
    std::optional<double> cpu_per_row{};  // ingest, sorting and checkpoint
};

PeerIngest duck_ingest(Duck& duck, std::size_t probes, std::size_t rows)
{
    Generator generator(probes, Seconds(60));
    double cpu = 0;
    std::vector<Ping> slice;
    for (std::size_t done = 0; done < rows;) {
        const auto count = std::min<std::size_t>(50'000, rows - done);
        slice.clear();
        for (std::size_t i = 0; i < count; ++i) slice.push_back(generator.next());
        const auto begin = cpu_s();
        for (std::size_t at = 0; at < count; at += 5'000) duck.append(slice, at, std::min(count, at + 5'000));
        cpu += cpu_s() - begin;
        done += count;
    }
    const auto begin = cpu_s();
    duck.sort();
    return {.cpu_per_row = (cpu + cpu_s() - begin) / double(rows)};
}

// As the engine seals at one row per probe and minute: hourly where that is 24 MiB (of about 65 bytes a row), else every
// fourth hour.
std::size_t seal_hours(std::size_t probes) { return probes * 60 * 65 >= (24U << 20) ? 1 : 4; }

// One day of `probes` pings a minute: cost of a row, size of a day, charts of a day.
void bench_day(const Setup& setup, Duck* duck)
{
    const std::size_t probes = setup.quick ? 200 : 1'000;
    const std::size_t rows = probes * 1440;
    SetClock clock(kStart);
    Store store(setup.dir / "day", clock);
    Generator generator(probes, Seconds(60));
    double seal_cpu = 0;
    const auto ack_cpu = fill(store, clock, generator, rows, probes * 60 * seal_hours(probes), seal_cpu);
    const auto begin = cpu_s();
    clock.wall_us = kStart + 2 * kDayUs;
    store.run(store->maintain(clock.wall()));
    const auto compact_cpu = cpu_s() - begin;
    PeerIngest peer;
    if (duck) {
        duck->open(setup.dir / "day.duckdb", 2);
        peer = duck_ingest(*duck, probes, rows);
    }
    const auto per_row = [&](double cpu) { return cpu / double(rows) * 1e6; };
    const auto peer_us = peer.cpu_per_row ? std::optional(*peer.cpu_per_row * 1e6) : std::nullopt;
    print("store", {"CPU per row up to the acknowledgement", "us", per_row(ack_cpu), peer_us, 0.3, true});
    print("store", {"CPU per row, intake + sealing + compaction + roll-ups", "us", per_row(ack_cpu + seal_cpu + compact_cpu),
                    peer_us, 0.8, true});
    print("store", {"sealed day, bytes per row with histogram", "B",
                    double(bytes_under(setup.dir / "day", "-d")) / double(rows), std::nullopt, 26, false});
    std::vector<double> ours;
    std::vector<double> theirs;
    Chance chance(7);
    for (int i = 0; i < 200; ++i) {
        const auto probe = 1 + chance.u64() % probes;
        auto from = now_s();
        (void)store.get(store->series(
            {.probes = {ProbeId(probe)}, .kind = &kinds::ping, .range = {kStart, kStart + kDayUs}, .buckets_max = 300}));
        ours.push_back((now_s() - from) * 1e3);
        if (!duck) continue;
        from = now_s();
        duck->run(fmt::format("SELECT ts // 288000000 b, sum(rtt_sum)/sum(received), min(rtt_min), max(rtt_max), "
                              "quantile_cont(rtt_max, 0.95), "
                              "sum(sent), sum(received) FROM sorted WHERE probe={} GROUP BY b ORDER BY b",
                              probe));
        theirs.push_back((now_s() - from) * 1e3);
    }
    const auto peer_chart = duck ? std::optional(percentile(theirs, 0.5)) : std::nullopt;
    print("store", {"one probe, 24 h into 300 points, median", "ms", percentile(ours, 0.5), peer_chart, 0.3, true});
    print("store",
          {"one probe, 24 h into 300 points, p95 of 200 probes", "ms", percentile(ours, 0.95), std::nullopt, 3, false});
    if (duck) duck->close();
}

// 90 days of a few probes: raw rows, and charts from roll-ups.
void bench_quarter(const Setup& setup, Duck* duck)
{
    const std::size_t probes = 4;
    const std::int64_t days = setup.quick ? 10 : 90;
    const std::size_t rows = probes * 1440 * std::size_t(days);
    SetClock clock(kStart);
    Store store(setup.dir / "quarter", clock);
    Generator generator(probes, Seconds(60));
    double seal_cpu = 0;
    (void)fill(store, clock, generator, rows, 20'000, seal_cpu);
    clock.wall_us = kStart + (days + 1) * kDayUs;
    store.run(store->maintain(clock.wall()));
    const TimeRange range{kStart, kStart + days * kDayUs};
    const std::vector<const Metric*> metrics{kinds::ping.metric("rtt_mean"), kinds::ping.metric("loss_ratio"),
                                             kinds::ping.metric("rtt_max")};
    std::vector<double> raw;
    std::vector<double> rolled;
    std::vector<double> peer;
    for (int i = 0; i < 9; ++i) {
        const auto probe = ProbeId(1 + std::uint64_t(i) % probes);
        auto begin = cpu_s();
        // The widest raw chart: every raw row is read, a day at a time in steps of a minute.
        for (std::int64_t day = 0; day < days; ++day)
            (void)store.get(store->series({.probes = {probe},
                                           .kind = &kinds::ping,
                                           .range = {kStart + day * kDayUs, kStart + (day + 1) * kDayUs},
                                           .buckets_max = 1440,
                                           .metrics = metrics}));
        raw.push_back((cpu_s() - begin) * 1e3);
        begin = now_s();
        (void)store.get(store->series({.probes = {probe}, .kind = &kinds::ping, .range = range, .buckets_max = 300}));
        rolled.push_back((now_s() - begin) * 1e3);
    }
    if (duck) {
        duck->open(setup.dir / "quarter.duckdb", 2);
        (void)duck_ingest(*duck, probes, rows);
        for (int i = 0; i < 9; ++i) {
            const auto begin = cpu_s();
            duck->run(fmt::format("SELECT ts // 60000000 b, sum(rtt_sum)/sum(received), sum(sent), sum(received), "
                                  "max(rtt_max) FROM sorted WHERE probe={} "
                                  "GROUP BY b ORDER BY b",
                                  1 + i % int(probes)));
            peer.push_back((cpu_s() - begin) * 1e3);
        }
        duck->close();
    }
    print("store", {fmt::format("one probe, {} d raw by the minute, CPU", days), "ms", percentile(raw, 0.5),
                    duck ? std::optional(percentile(peer, 0.5)) : std::nullopt, 1.2, true});
    print("store",
          {fmt::format("one probe, {} d from roll-ups", days), "ms", percentile(rolled, 0.5), std::nullopt, 5, false});
}

// Mean and deviation of every probe from the generator itself.
struct Truth {
    std::map<std::uint64_t, quality::Aggregate> sums{};
};

void bench_week(const Setup& setup)
{
    const std::size_t probes = setup.quick ? 1'000 : 10'000;
    SetClock clock(kStart);
    Store store(setup.dir / "week", clock);
    Generator generator(probes, Seconds(3'600));
    double seal_cpu = 0;
    (void)fill(store, clock, generator, probes * 24 * 7, probes * 6, seal_cpu);
    clock.wall_us = kStart + 8 * kDayUs;
    store.run(store->maintain(clock.wall()));
    Truth truth;
    Generator again(probes, Seconds(3'600));
    for (std::size_t i = 0; i < probes * 24 * 7; ++i) {
        const auto& ping = again.next();
        auto& sum = truth.sums.try_emplace(ping.probe + 1, quality::make_aggregate(kinds::ping)).first->second;
        auto one = quality::make_aggregate(kinds::ping);
        one.runs = 1;
        one.first_at_us = one.last_at_us = ping.at_us;
        one.numbers = ping.numbers;
        merge(kinds::ping, sum, one);
    }
    const auto wanted = first_probes(probes);
    const auto* mean = kinds::ping.metric("rtt_mean");
    const auto* deviation = kinds::ping.metric("rtt_deviation");
    std::vector<double> took;
    double worst = 0;
    for (int i = 0; i < 5; ++i) {
        const auto begin = now_s();
        const auto sums = store.get(store->summaries(
            {.probes = wanted, .kind = &kinds::ping, .range = {kStart, kStart + 7 * kDayUs}, .metrics = {mean, deviation}}));
        std::vector<double> values;
        for (const auto& sum : sums.probes)
            for (const auto* metric : {mean, deviation}) values.push_back(evaluate(kinds::ping, *metric, *sum).value_or(-1));
        took.push_back((now_s() - begin) * 1e3);
        for (std::size_t p = 0; p < probes; ++p) {
            const auto& sum = truth.sums.at(p + 1);
            worst = std::max(worst, std::fabs(values[2 * p] / *evaluate(kinds::ping, *mean, sum) - 1));
            worst = std::max(worst, std::fabs(values[2 * p + 1] / *evaluate(kinds::ping, *deviation, sum) - 1));
        }
    }
    print("store", {fmt::format("7-day mean and deviation of {} probes", probes), "ms", percentile(took, 0.5), std::nullopt,
                    150, false});
    print("store", {"7-day mean and deviation, error against the generator", "ratio", worst, std::nullopt, 1e-9, false});
    took.clear();
    for (int i = 0; i < 5; ++i) {
        const auto begin = now_s();
        (void)store.get(store->top({.probes = wanted,
                                    .kind = &kinds::ping,
                                    .metric = "rtt_p95",
                                    .range = {kStart + kDayUs, kStart + 2 * kDayUs},
                                    .count = 20}));
        took.push_back((now_s() - begin) * 1e3);
    }
    print("store", {fmt::format("top 20 of {} probes by p95, a closed day", probes), "ms", percentile(took, 0.5),
                    std::nullopt, 100, false});
}

// An hour of 10,000 probes in memory: latest values, restart, memory. In a process of its own, for the memory's sake.
void bench_hot(const Setup& setup)
{
    const auto child = ::fork();
    if (child != 0) {
        int status = 0;
        ::waitpid(child, &status, 0);
        return;
    }
    const std::size_t probes = setup.quick ? 1'000 : 10'000;
    SetClock clock(kStart);
    const auto wanted = first_probes(probes);
    {
        Store store(setup.dir / "hot", clock);
        Generator generator(probes, Seconds(60));
        double seal_cpu = 0;
        (void)fill(store, clock, generator, probes * 30, probes * 1'000, seal_cpu);
        (void)fill(store, clock, generator, probes * 60, probes * 1'000, seal_cpu);
        // As a panel does that looks every `seconds`: meanwhile that share of the probes has measured once more.
        const auto ask_every = [&](std::size_t seconds) {
            std::vector<double> took;
            for (int i = 0; i < 9; ++i) {
                (void)fill(store, clock, generator, probes * seconds / 60, probes * 1'000, seal_cpu);
                const auto begin = now_s();
                (void)store.get(store->latest({.probes = wanted, .kind = &kinds::ping, .now = clock.wall()}));
                took.push_back((now_s() - begin) * 1e3);
            }
            return percentile(took, 0.5);
        };
        print("store", {fmt::format("latest value and 15-minute aggregates of {} probes, asked every 5 s", probes), "ms",
                        ask_every(5), std::nullopt, 20, false});
        print("store", {fmt::format("the same, asked every minute: all of them have changed"), "ms", ask_every(60),
                        std::nullopt, 20, false});
        std::fflush(stdout);
        const auto stats = wait(store.loop(), store->stats());
        fmt::print(stderr, "hot: {} rows, {} MiB\n", stats.hot_rows, stats.hot_bytes >> 20);
    }
    ::_exit(0);
}

void bench_restart(const Setup& setup)
{
    const auto child = ::fork();
    if (child != 0) {
        int status = 0;
        ::waitpid(child, &status, 0);
        return;
    }
    const std::size_t probes = setup.quick ? 1'000 : 10'000;
    SetClock clock(kStart);
    Store store(setup.dir / "restart", clock);
    Generator generator(probes, Seconds(60));
    double cpu = 0;
    for (std::size_t done = 0; done < probes * 60; done += 50'000) {
        const auto batches = generator.batches(50'000);
        clock.wall_us = batches.back().kinds[0].at_us.back() + 61'000'000;
        const auto slice = encode(batches);
        store.append(slice.encoded, slice.agents, clock.wall());
    }
    (void)cpu;
    print("store", {fmt::format("anonymous memory with an hour of {} probes", probes), "MiB", anonymous_mib(), std::nullopt,
                    256, false});
    store.close();
    const auto begin = now_s();
    store.open();
    (void)store.get(store->series(
        {.probes = {ProbeId(1)}, .kind = &kinds::ping, .range = {kStart, kStart + kHourUs}, .buckets_max = 60}));
    print("store", {fmt::format("restart with an hour of {} probes to the first answer", probes), "s", now_s() - begin,
                    std::nullopt, 1.5, false});
    std::fflush(stdout);
    store.close();
    ::_exit(0);
}

// Times of write + fdatasync of the same bytes at the same pace.
std::vector<double> bare_loop(const fs::path& file, const std::vector<std::string>& encoded, double seconds_each)
{
    const int fd = ::open(file.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    std::vector<double> took;
    auto due = now_s();
    for (const auto& bytes : encoded) {
        std::this_thread::sleep_for(std::chrono::duration<double>(std::max(0.0, due - now_s())));
        due += seconds_each;
        const auto begin = now_s();
        if (::write(fd, bytes.data(), bytes.size()) < 0 || ::fdatasync(fd) != 0) std::exit(3);
        took.push_back((now_s() - begin) * 1e3);
    }
    ::close(fd);
    return took;
}

Task<void> paced(Store& store, const Slice& slice, SetClock& clock, double seconds_each, std::vector<double>& took,
                 std::atomic<bool>& done)
{
    Timer timer(co_await asio::this_coro::executor);
    const auto start = std::chrono::steady_clock::now();
    std::size_t running = 0;
    for (std::size_t i = 0; i < slice.encoded.size(); ++i) {
        timer.expires_at(start + std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(double(i) * seconds_each)));
        co_await timer.async_wait(nothrow);
        ++running;
        asio::co_spawn(
            store.loop(),
            [](Store& to, const Slice& from, std::size_t at, WallTime received, std::vector<double>& times,
               std::size_t& left) -> Task<void> {
                const auto begin = now_s();
                auto batch = must(wire::decode_batch(from.encoded[at], to.kinds()));
                (void)must(co_await to->append({from.agents[at], std::move(batch), from.encoded[at], received}));
                times.push_back((now_s() - begin) * 1e3);
                --left;
            }(store, slice, i, clock.wall(), took, running),
            [](std::exception_ptr) {});
    }
    while (running > 0) {  // NOLINT(bugprone-infinite-loop): the coroutines above count it down
        timer.expires_after(Millis(1));
        co_await timer.async_wait(nothrow);
    }
    done = true;
}

Task<void> disturb(Store& store, const std::atomic<bool>& done)
{
    for (std::int64_t round = 0; !done; ++round) {
        must(co_await store->seal());
        must(co_await store->maintain(from_us(kStart + 2 * kDayUs + round * kDayUs)));
    }
}

Task<void> chart(Store& store, const std::atomic<bool>& done, std::vector<double>& took)
{
    for (std::uint64_t i = 0; !done; ++i) {
        const auto begin = now_s();
        (void)must(co_await store->series({.probes = {ProbeId(1 + i % 1'000)},
                                           .kind = &kinds::ping,
                                           .range = {kStart, kStart + kDayUs},
                                           .buckets_max = 300}));
        took.push_back((now_s() - begin) * 1e3);
        Timer pause(co_await asio::this_coro::executor, Millis(50));
        co_await pause.async_wait(nothrow);
    }
}

// 20,000 rows/s while the store seals and compacts without a break and a chart is drawn over and over.
void bench_acknowledge(const Setup& setup)
{
    const std::size_t rows = setup.quick ? 60'000 : 300'000;
    const double rows_per_s = 20'000;
    SetClock clock(kStart);
    Store store(setup.dir / "acknowledge", clock);
    Generator generator(2'000, Seconds(60));
    double seal_cpu = 0;
    (void)fill(store, clock, generator, 600'000, 100'000, seal_cpu);
    const auto slice = encode(generator.batches(rows));
    const auto each = double(rows) / double(slice.encoded.size()) / rows_per_s;
    std::atomic<bool> done{false};
    std::vector<double> took;
    std::vector<double> charts;
    const auto rethrow = [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    };
    asio::co_spawn(store.loop(), paced(store, slice, clock, each, took, done), rethrow);
    asio::co_spawn(store.loop(), disturb(store, done), rethrow);
    asio::co_spawn(store.loop(), chart(store, done, charts), rethrow);
    store.loop().restart();
    store.loop().run();
    const auto bare = bare_loop(setup.dir / "bare", slice.encoded, each);
    const auto stats = wait(store.loop(), store->stats());
    fmt::print(stderr, "acknowledge: {} appends, {} commits, {} seals, {} compactions, {} charts (p95 {:.1f} ms)\n",
               took.size(), stats.commits, stats.seals, stats.compactions, charts.size(), percentile(charts, 0.95));
    print("store", {"acknowledgement at 20,000 rows/s, p99", "ms", percentile(took, 0.99), percentile(bare, 0.99), 5, true});
    print("store",
          {"acknowledgement at 20,000 rows/s, longest", "ms", percentile(took, 1), percentile(bare, 1), 250, false});
}

}  // namespace

int main(int argc, char** argv)
{
    Setup setup{.dir = fs::temp_directory_path()};
    std::string only;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--quick") == 0) setup.quick = true;
        if (std::strcmp(argv[i], "--dir") == 0 && i + 1 < argc) setup.dir = argv[++i];
        if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = argv[++i];
    }
    setup.dir /= fmt::format("nw-bench-store-{}", ::getpid());  // removed at the end, so never one that was there
    fs::create_directories(setup.dir);
    const auto duck = Duck::load();
    fmt::print(stderr, "peer: {}\n",
               duck ? "DuckDB " + duck->version() : "missing (run `npm ci` in bench/store, or set NW_DUCKDB)");
    const auto wanted = [&](std::string_view name) { return only.empty() || only == name; };
    // The ones that fork come first, while there is one thread.
    if (wanted("hot")) bench_hot(setup);
    if (wanted("restart")) bench_restart(setup);
    if (wanted("day")) bench_day(setup, duck.get());
    if (wanted("quarter")) bench_quarter(setup, duck.get());
    if (wanted("week")) bench_week(setup);
    if (wanted("acknowledge")) bench_acknowledge(setup);
    fs::remove_all(setup.dir);
    return 0;
}
