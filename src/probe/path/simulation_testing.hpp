// A simulated network as the path engine's port, for tests: routers with delays, loss per link and direction, token
// buckets for their errors, silence, filters, and load balancing by flow or by packet. It writes the truth of every
// probe. Included by *_test.cpp only.
#pragma once

#include "base/random.hpp"
#include "probe/path/port.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <vector>

namespace nw::probe::path::simulation {

struct Limiter {
    double per_second = 0;
    double depth = 1;
    double tokens = 1;
    Nanos filled{};

    bool allow(Nanos now)
    {
        tokens = std::min(depth, tokens + per_second * std::chrono::duration<double>(now - filled).count());
        filled = now;
        if (tokens < 1) return false;
        tokens -= 1;
        return true;
    }
};

struct Node {
    packet::Address address{};
    std::vector<std::size_t> next{};  // nothing: a destination
    bool per_packet = false;
    Nanos delay = Millis(1);  // of the link before it, one way
    double loss = 0;          // of that link, each way
    std::optional<Limiter> limiter{};
    bool silent = false;
    bool filters = false;            // nothing passes
    bool refuses = false;            // nothing passes, and it says so
    std::uint32_t mtu = 9000;        // of the link before it
    bool mute_about_mtu = false;     // the router before that link says nothing: a black hole
    bool mtu_untold = false;         // it refuses, but does not say what it would take
    bool answers_with_data = false;  // which names no packet
    std::uint64_t salt = 0;
};

enum class Fate : std::uint8_t { Answered, LostOnTheWay, LostOnTheWayBack, Refused, Silent, Filtered };

struct Truth {
    std::uint16_t flow = 0;
    std::uint8_t ttl = 0;
    std::size_t node = 0;  // where the packet ended
    Fate fate = Fate::Answered;
};

inline packet::Address address_of(std::size_t node)
{
    packet::Address address;
    address.bytes = {10, std::uint8_t(node >> 16), std::uint8_t(node >> 8), std::uint8_t(node)};
    return address;
}

// Node 0 is the host that traces.
class Network {
public:
    explicit Network(std::uint64_t seed) : random_(seed) { nodes.emplace_back(); }

    std::size_t add(std::vector<std::size_t> before)
    {
        const auto index = nodes.size();
        nodes.push_back({.address = address_of(index), .salt = random_.u64()});
        for (const auto node : before) nodes[node].next.push_back(index);
        return index;
    }
    // A chain behind `before`; returns its last node.
    std::size_t chain(std::size_t before, std::size_t length)
    {
        for (std::size_t i = 0; i < length; ++i) before = add({before});
        return before;
    }

    struct Outcome {
        Truth truth{};
        std::optional<Reply> reply{};
        Nanos took{};
    };

    Outcome walk(std::uint16_t flow, std::uint8_t ttl, Nanos at, std::uint32_t size = 64)
    {
        Outcome outcome{.truth = {.flow = flow, .ttl = ttl}};
        std::vector<std::size_t> way;
        std::size_t node = 0;
        for (; ttl > 0; --ttl) {
            if (nodes[node].next.empty()) break;
            const auto before = node;
            node = choose(nodes[node], flow);
            if (size > nodes[node].mtu) return too_big(std::move(outcome), before, node, at);
            way.push_back(node);
            outcome.took += nodes[node].delay;
            outcome.truth.node = node;
            if (random_.unit() < nodes[node].loss) return lost(outcome, Fate::LostOnTheWay);
            if (nodes[node].filters) return lost(outcome, Fate::Filtered);
            if (nodes[node].refuses && ttl > 1) return refused(std::move(outcome), node);
        }
        auto& end = nodes[node];
        if (end.silent) return lost(outcome, Fate::Silent);
        if (end.limiter && !end.limiter->allow(at + outcome.took)) return lost(outcome, Fate::Refused);
        for (const auto back : way)
            if (random_.unit() < nodes[back].loss) return lost(outcome, Fate::LostOnTheWayBack);
        outcome.took *= 2;
        outcome.reply = Reply{.answer = end.next.empty() ? Answer::Arrived : Answer::Exceeded,
                              .responder = end.address,
                              .ttl = std::uint8_t(64 - way.size())};
        return outcome;
    }

    std::vector<Node> nodes{};

private:
    static Outcome lost(Outcome outcome, Fate fate)
    {
        outcome.truth.fate = fate;
        return outcome;
    }

    Outcome refused(Outcome outcome, std::size_t router)
    {
        outcome.took *= 2;
        outcome.reply = Reply{.answer = Answer::Unreachable, .responder = nodes[router].address, .type = 3, .code = 13};
        return outcome;
    }

    Outcome too_big(Outcome outcome, std::size_t router, std::size_t behind, Nanos)
    {
        if (nodes[behind].mute_about_mtu || router == 0) return lost(std::move(outcome), Fate::Filtered);
        outcome.truth.node = router;
        outcome.took *= 2;
        outcome.reply = Reply{.answer = Answer::TooBig,
                              .responder = nodes[router].address,
                              .type = 3,
                              .code = 4,
                              .mtu = nodes[behind].mtu_untold ? 0 : nodes[behind].mtu};
        return outcome;
    }

    std::size_t choose(const Node& node, std::uint16_t flow)
    {
        if (node.next.size() == 1) return node.next[0];
        if (node.per_packet) return node.next[random_.below(node.next.size())];
        auto mixed = (node.salt ^ flow) * 0x9e3779b97f4a7c15ULL;
        mixed = (mixed ^ (mixed >> 29)) * 0xbf58476d1ce4e5b9ULL;
        return node.next[(mixed >> 33) % node.next.size()];
    }

    SeededRandom random_;
};

// The network behind the engine's port, under the test's clock.
class SimulatedPort final : public Port {
public:
    SimulatedPort(Network& network, const Clock& clock) : network_(network), clock_(clock) {}

    std::uint32_t acquire(const Route& route) override
    {
        routes.push_back(route);
        return std::uint32_t(routes.size() - 1);
    }
    void release(std::uint32_t) override { ++released; }
    std::expected<Prepared, NotReady> prepare(std::uint32_t, const Destination&, Protocol, Moment) override
    {
        if (obstacle) return std::unexpected(*obstacle);
        return Prepared{};
    }
    std::optional<NotReady> check(std::uint32_t, Moment) override { return obstacle; }
    void send(std::span<const Outgoing> packets, Moment, PortEvents&) override
    {
        const auto now = KernelTime(clock_.wall());
        for (const auto& packet : packets) {
            sent.push_back(packet);
            auto outcome = network_.walk(packet.flow, packet.ttl, now.time_since_epoch(), packet.size);
            truths.push_back(outcome.truth);
            latest_[{packet.id.slot, packet.flow}] = packet.id;
            if (!outcome.reply) continue;
            outcome.reply->id = packet.id;
            if (outcome.reply->answer == Answer::Arrived && network_.nodes[outcome.truth.node].answers_with_data)
                outcome.reply->of_flow = true;
            outcome.reply->received = now + outcome.took;
            flying_.push({now, packet.flow, *std::move(outcome.reply)});
        }
    }
    void receive(PortEvents& events) override
    {
        const auto now = KernelTime(clock_.wall());
        while (!flying_.empty() && *flying_.top().reply.received <= now) {
            const auto top = flying_.top();
            flying_.pop();
            events.on_transmitted(top.reply.id, top.left);
            auto reply = top.reply;
            if (reply.of_flow) reply.id = latest_.at({reply.id.slot, top.flow});
            events.on_reply(reply);
        }
    }

    std::vector<Route> routes{};
    std::vector<Outgoing> sent{};
    std::vector<Truth> truths{};
    std::optional<NotReady> obstacle{};
    int released = 0;

private:
    struct Flying {
        KernelTime left{};
        std::uint16_t flow = 0;
        Reply reply{};
        bool operator<(const Flying& other) const { return *reply.received > *other.reply.received; }
    };
    Network& network_;
    const Clock& clock_;
    std::priority_queue<Flying> flying_{};
    std::map<std::pair<std::uint32_t, std::uint16_t>, Identity> latest_{};  // by slot and flow
};

}  // namespace nw::probe::path::simulation
