// A controller with nothing behind it, so that an agent's cost is measured and not a store's: wants PROBES ping probes
// every INTERVAL_MS with PACKETS packets each, acknowledges every batch, and prints what it got on SIGTERM.
//
//   bench_agent_sink PROBES INTERVAL_MS PACKETS
#include "model/kinds/all.hpp"
#include "net/http_server.hpp"
#include "wire/messages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace nw;

struct Sink {
    Kinds kinds = all_kinds();
    wire::State wanted{.number = 1};
    std::uint64_t rows = 0;
    std::uint64_t not_ok = 0;
    std::uint64_t batches = 0;
    AgentHealth health{};

    void want(std::uint64_t probes, std::int64_t interval_ms, std::int64_t packets)
    {
        const auto& ping = *kinds.by_name("ping");
        for (std::uint64_t i = 1; i <= probes; ++i) {
            const auto target = "127.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
            auto settings = validated(
                ping,
                {{"target", target}, {"interval", interval_ms}, {"packets", packets}, {"timeout", std::int64_t{1000}}});
            if (settings)
                wanted.upsert.push_back(
                    {.id = ProbeId{i << 20}, .revision = 1, .kind = &ping, .settings = *std::move(settings)});
        }
    }

    void take(net::MessageChannel& channel, wire::AgentMessage& message)
    {
        const auto post = [&](const wire::ControllerMessage& answer) { (void)channel.post(wire::encode(answer)); };
        if (const auto* hello = std::get_if<wire::Hello>(&message)) {
            post(wire::Welcome{.acked_seq = hello->first_unacked_seq - 1});
            post(wanted);
        } else if (const auto* raw = std::get_if<wire::RawBatch>(&message)) {
            const auto batch = wire::decode_batch(raw->bytes, kinds);
            if (!batch) return;
            ++batches;
            rows += batch->count;
            if (batch->health) health = *batch->health;
            for (const auto& kind : batch->kinds)
                for (const auto outcome : kind.outcome) not_ok += outcome != Outcome::Ok;
            post(wire::Ack{batch->stream, batch->last_seq()});
        } else if (const auto* clock = std::get_if<wire::ClockRequest>(&message)) {
            post(wire::ClockReply{clock->agent_us, clock->agent_us});
        }
    }

    Task<void> serve(std::unique_ptr<net::MessageChannel> channel)
    {
        for (;;) {
            auto bytes = co_await channel->receive();
            if (!bytes) co_return;
            auto message = wire::decode_agent_message(*bytes);
            if (message) take(*channel, *message);
        }
    }

    Task<net::Response> handle(net::Request request)
    {
        net::Response response;
        if (request.path != "/agent/v1/connect") response.status = 404;
        else {
            response.websocket = [this](std::unique_ptr<net::MessageChannel> channel) { return serve(std::move(channel)); };
            response.binary_messages = true;
            response.message_bytes_max = 4 << 20;
        }
        co_return response;
    }
};

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 4) return 2;
    Sink sink;
    sink.want(std::strtoull(argv[1], nullptr, 10), std::atoll(argv[2]), std::atoll(argv[3]));
    Loop loop(1);
    SystemClock clock;
    net::HttpServer server(loop, clock, Log(), {}, [&](net::Request request) { return sink.handle(std::move(request)); });
    const auto port = server.listen("127.0.0.1", 0, nullptr);
    if (!port) return 1;
    std::printf("{\"port\":%u}\n", *port);
    std::fflush(stdout);
    asio::basic_signal_set<Executor> signals(loop, SIGTERM, SIGINT);
    bool stop = false;
    signals.async_wait([&](const boost::system::error_code&, int) { stop = true; });
    while (!stop) loop.run_one();
    bool closed = false;
    asio::co_spawn(loop, server.close(), [&](const std::exception_ptr&) { closed = true; });
    while (!closed) loop.run_one();
    std::printf("{\"rows\":%llu,\"not_ok\":%llu,\"batches\":%llu,\"lateness_p99_us\":%llu,\"socket_drops\":%llu}\n",
                static_cast<unsigned long long>(sink.rows), static_cast<unsigned long long>(sink.not_ok),
                static_cast<unsigned long long>(sink.batches), static_cast<unsigned long long>(sink.health.lateness_p99_us),
                static_cast<unsigned long long>(sink.health.socket_drops));
}
