// Fan-out of events to the panels that watch: bounded, in order, and resumable without a hole.
//
// Every event of a topic has a number; a cursor is "<this process's mark>.<number>". A subscriber that comes back with
// its last cursor gets what it missed from the topic's ring, or is told to reset when that no longer holds it.
// A topic's ring exists while somebody watches it and for kKeepFor afterwards.
//
// Belongs to one loop; sinks are called on it and must not block.
#pragma once

#include "base/time.hpp"
#include "model/ids.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::live {

inline constexpr std::chrono::seconds kKeepFor{120};
inline constexpr std::size_t kRingBytesMax = 1 << 20;  // per topic

enum class TopicKind : std::uint8_t { Agents, Probes, Probe, Topology, Trace };

struct Topic {
    WorkspaceId workspace{};
    TopicKind kind = TopicKind::Agents;
    ProbeId probe{};    // for TopicKind::Probe
    ActionId action{};  // for TopicKind::Trace
    friend auto operator<=>(const Topic&, const Topic&) = default;
};

// Called with the events (complete JSON values) and the cursor that stands behind them.
using Sink = std::function<void(const std::string& cursor, const std::vector<std::string>& events)>;
enum class SubscriptionId : std::uint64_t {};

struct Subscribed {
    SubscriptionId id{};
    std::string cursor{};  // where the subscription stands: behind `missed`
    bool reset = false;    // `after` is no longer kept: read everything again
    std::vector<std::string> missed{};
};

struct HubStats {
    std::uint64_t subscriptions = 0;
    std::uint64_t topics = 0;
    std::uint64_t events = 0;
    std::uint64_t resets = 0;
};

class Hub {
public:
    // `mark` differs for every process, so that cursors of an earlier one are recognised.
    Hub(const Clock& clock, std::string mark) : clock_(clock), mark_(std::move(mark)) {}

    Subscribed subscribe(const Topic& topic, std::optional<std::string_view> after, Sink sink);
    void unsubscribe(SubscriptionId id);
    // Whether an event of this topic would reach anybody now or soon.
    bool wanted(const Topic& topic) const;
    void publish(const Topic& topic, std::vector<std::string> events);
    // Drops rings that nobody came back for; called now and then.
    void tidy();
    HubStats stats() const;

private:
    struct Event {
        std::uint64_t number = 0;
        std::string json{};
    };
    struct Stream {
        std::uint64_t last = 0;     // number of the newest event
        std::uint64_t dropped = 0;  // events up to this one are no longer in the ring
        std::deque<Event> ring{};
        std::size_t ring_bytes = 0;
        std::map<SubscriptionId, Sink> sinks{};
        Instant idle_since{};
    };

    std::string cursor(std::uint64_t number) const;
    std::optional<std::uint64_t> number_of(std::string_view cursor) const;

    const Clock& clock_;
    std::string mark_;
    std::map<Topic, Stream> streams_{};
    std::map<SubscriptionId, Topic> topics_{};
    std::uint64_t next_subscription_ = 1;
    std::uint64_t next_event_ = 1;  // one count for all topics: a ring made anew never repeats a number
    HubStats stats_{};
};

}  // namespace nw::live
