// Samples from WebSocket to durable acknowledgement: bench_ingest CONTROLLER_BINARY [rows].
//
// A controller as it is installed, and beside it on the same cores fifty agents that speak the real protocol: greeting,
// batches of 100 samples, eight of them under way. The batches are made before the clock runs. Measured are the rate
// until the last acknowledgement and the controller's CPU; the peer is DuckDB's appender with the same rows.
#include "duck.hpp"
#include "generator.hpp"
#include "installation.hpp"
#include "measure.hpp"

#include "base/task_group.hpp"
#include "net/tls.hpp"
#include "net/ws_client.hpp"
#include "wire/messages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace {

using namespace nw;
using namespace nw::bench;

constexpr std::size_t kAgents = 50;
constexpr std::size_t kWindow = 8;
constexpr double kRateBar = 300'000;
constexpr double kCpuBar = 0.3;
constexpr Seconds kDeadline{120};

struct Load {
    const Kinds kinds{{&kinds::ping}};
    std::vector<std::vector<std::string>> messages = std::vector<std::vector<std::string>>(kAgents);  // by agent
    std::vector<std::vector<std::uint64_t>> last = std::vector<std::vector<std::uint64_t>>(kAgents);
    std::size_t rows = 0;
};

// One sample a second of each probe, ending now: what agents bring after an outage.
Load make_load(std::size_t rows)
{
    Load load;
    const auto probes = kAgents * kProbesPerAgent;
    const SystemClock clock;
    Generator generator(probes, Seconds(1), to_us(clock.wall()) - std::int64_t(rows / probes + 2) * 1'000'000);
    for (const auto& batch : generator.batches(rows)) {
        const auto agent = (std::uint64_t(batch.kinds[0].probe[0]) - 1) / kProbesPerAgent;
        load.messages[agent].push_back(wire::encode(wire::AgentMessage(wire::RawBatch{wire::encode_batch(batch)})));
        load.last[agent].push_back(batch.last_seq());
        load.rows += batch.count;
    }
    return load;
}

struct Run {
    Loop& loop;
    Pool& pool;
    TaskGroup& writers;
    std::string url;
    net::SslContext tls;
    const Load& load;
    std::size_t greeted = 0;
    std::size_t done = 0;
    std::string failure{};
    Timer go;
    std::vector<double> waits{};  // seconds from sending a batch to its acknowledgement
};

Task<Result<std::unique_ptr<net::MessageChannel>>> connect(Run& run, const EnrolledAgent& agent)
{
    net::WebSocketTarget target{.url = run.url, .tls = run.tls};
    target.headers.emplace_back("Authorization", agent.authorization());
    for (;;) {
        auto channel = co_await net::connect_websocket(run.pool, run.writers, target);
        if (channel || channel.error().code == Errc::Denied) co_return channel;
        Timer pause(run.loop.get_executor(), std::chrono::milliseconds(20));  // the controller is starting
        (void)co_await pause.async_wait(nothrow);
    }
}

Task<Status> deliver(Run& run, std::size_t index, const EnrolledAgent& agent)
{
    NW_CO_TRY(const auto channel, co_await connect(run, agent));
    const wire::Hello hello{.version = "bench", .stream = stream_of(index * kProbesPerAgent), .kinds = {1}, .boot = 1};
    NW_CO_CHECK(co_await channel->send(wire::encode(wire::AgentMessage(hello))));
    for (bool welcome = false; !welcome;) {
        NW_CO_TRY(const auto bytes, co_await channel->receive());
        NW_CO_TRY(const auto message, wire::decode_controller_message(bytes, run.load.kinds));
        welcome = std::holds_alternative<wire::Welcome>(message);
    }
    ++run.greeted;
    (void)co_await run.go.async_wait(nothrow);
    const auto& messages = run.load.messages[index];
    const auto& last = run.load.last[index];
    std::vector<double> sent_at(messages.size());
    std::size_t sent = 0;
    std::size_t acked = 0;
    while (acked < messages.size()) {
        for (; sent < messages.size() && sent - acked < kWindow; ++sent) {
            sent_at[sent] = now_s();
            NW_CO_CHECK(co_await channel->send(messages[sent]));
        }
        NW_CO_TRY(const auto bytes, co_await channel->receive());
        NW_CO_TRY(const auto message, wire::decode_controller_message(bytes, run.load.kinds));
        if (const auto* refused = std::get_if<wire::Refused>(&message))
            co_return fail(Errc::Unavailable, "refused: " + refused->what);
        const auto* ack = std::get_if<wire::Ack>(&message);
        for (; ack && acked < sent && last[acked] <= ack->acked_seq; ++acked) run.waits.push_back(now_s() - sent_at[acked]);
    }
    co_return Status{};
}

Task<void> be_agent(Run& run, std::size_t index, const EnrolledAgent& agent)
{
    const auto delivered = co_await deliver(run, index, agent);
    if (!delivered && run.failure.empty()) run.failure = delivered.error().what;
    ++run.done;
}

struct Measured {
    double rate = 0;
    double cpu_us = 0;
};

std::optional<Measured> measure(const std::filesystem::path& binary, const Load& load, bool tls)
{
    const auto installation = make_installation(kAgents, kProbesPerAgent);
    if (installation.agents.empty()) return std::nullopt;
    ControllerProcess controller(binary, installation, tls);
    controller.start();
    Loop loop(1);
    Pool pool(1);
    TaskGroup tasks(loop.get_executor(), {});
    Run run{.loop = loop,
            .pool = pool,
            .writers = tasks,
            .url = controller.connect_url(),
            .tls = tls ? *net::make_tls_client({.ca_file = installation.certificate().string()}) : net::SslContext{},
            .load = load,
            .go = Timer(loop.get_executor(), Timer::time_point::max())};
    for (std::size_t i = 0; i < kAgents; ++i) tasks.spawn("agent", be_agent(run, i, installation.agents[i]));
    const auto until = [&](std::size_t& count) {
        const auto limit = now_s() + double(kDeadline.count());
        while (count < kAgents && run.failure.empty() && now_s() < limit) loop.run_one_for(Millis(100));
    };
    until(run.greeted);
    const auto cpu_before = controller.cpu_s();
    const auto begin = now_s();
    run.go.cancel();
    until(run.done);
    const auto took = now_s() - begin;
    const auto cpu = controller.cpu_s() - cpu_before;
    const bool complete = run.done == kAgents && run.failure.empty();
    if (!complete) fmt::print(stderr, "{} of {} agents delivered; {}\n", run.done, kAgents, run.failure);
    controller.kill_now();
    bool closed = false;
    asio::co_spawn(loop, tasks.close(), [&](std::exception_ptr) { closed = true; });
    while (!closed) loop.run_one();
    std::error_code ignored;
    std::filesystem::remove_all(installation.dir, ignored);
    if (!complete) return std::nullopt;
    fmt::print(
        "{{\"bench\":\"ingest\",\"transport\":\"{}\",\"rows\":{},\"seconds\":{:.2f},\"ack_ms_p50\":{:.1f},\"ack_ms_p99\":"
        "{:.1f}}}\n",
        tls ? "wss" : "ws", load.rows, took, 1e3 * percentile(run.waits, 0.5), 1e3 * percentile(run.waits, 0.99));
    return Measured{.rate = double(load.rows) / took, .cpu_us = 1e6 * cpu / double(load.rows)};
}

// DuckDB with the same samples, in microseconds of CPU for each.
struct Peer {
    std::optional<double> appended{};  // by its appender, 5,000 rows in a transaction
    std::optional<double> sorted{};    // and then in the order in which they are read
};

Peer measure_peer(std::size_t rows)
{
    const auto duck = Duck::load();
    if (!duck) return {};
    const auto file = std::filesystem::temp_directory_path() / "nw-bench-ingest.duckdb";
    duck->open(file, 2);
    Generator generator(kAgents * kProbesPerAgent, Seconds(1));
    std::vector<Ping> slice;
    double cpu = 0;
    for (std::size_t done = 0; done < rows; done += slice.size()) {
        slice.clear();
        const auto count = std::min<std::size_t>(50'000, rows - done);
        while (slice.size() < count) slice.push_back(generator.next());
        const auto begin = cpu_s();
        for (std::size_t at = 0; at < count; at += 5'000) duck->append(slice, at, std::min(count, at + 5'000));
        cpu += cpu_s() - begin;
    }
    const auto begin = cpu_s();
    duck->sort();
    const auto sorting = cpu_s() - begin;
    duck->close();
    std::filesystem::remove(file);
    std::filesystem::remove(file.string() + ".wal");
    return {.appended = 1e6 * cpu / double(rows), .sorted = 1e6 * (cpu + sorting) / double(rows)};
}

int run(const std::filesystem::path& binary, std::size_t rows)
{
    const auto peer = measure_peer(rows);
    const auto load = make_load(rows);
    bool good = true;
    for (const bool tls : {false, true}) {
        const auto found = measure(binary, load, tls);
        if (!found) return 1;
        const auto how = std::string(tls ? "WebSocket over TLS" : "WebSocket");
        const auto cpu = how + ": controller CPU per acknowledged sample, against DuckDB's ";
        print("ingest", {cpu + "appender", "us", found->cpu_us, peer.appended, kCpuBar, true});
        print("ingest", {cpu + "appender and sorting", "us", found->cpu_us, peer.sorted, kCpuBar, true});
        fmt::print("{{\"bench\":\"ingest\",\"figure\":\"{}: samples per second\",\"ours\":{:.0f},\"bar\":\">= "
                   "{:.0f}\",\"ok\":{}}}\n",
                   how, found->rate, kRateBar, found->rate >= kRateBar);
        good = good && found->rate >= kRateBar;
    }
    return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_ingest CONTROLLER_BINARY [rows]\n");
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    return run(argv[1], argc > 2 ? std::size_t(std::strtoull(argv[2], nullptr, 10)) : 1'000'000);
}
