#include "live/hub.hpp"

#include <charconv>

namespace nw::live {

std::string Hub::cursor(std::uint64_t number) const { return mark_ + "." + std::to_string(number); }

std::optional<std::uint64_t> Hub::number_of(std::string_view text) const
{
    if (!text.starts_with(mark_ + ".")) return std::nullopt;
    text.remove_prefix(mark_.size() + 1);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

Subscribed Hub::subscribe(const Topic& topic, std::optional<std::string_view> after, Sink sink)
{
    auto [at, fresh] = streams_.try_emplace(topic);
    auto& stream = at->second;
    if (fresh) stream.last = stream.dropped = next_event_ - 1;
    Subscribed result{.id = SubscriptionId(next_subscription_++), .cursor = cursor(stream.last)};
    if (after) {
        const auto seen = number_of(*after);
        result.reset = !seen || *seen < stream.dropped || *seen > stream.last;
        if (result.reset) ++stats_.resets;
        else
            for (const auto& event : stream.ring)
                if (event.number > *seen) result.missed.push_back(event.json);
    }
    stream.sinks.emplace(result.id, std::move(sink));
    topics_.emplace(result.id, topic);
    return result;
}

void Hub::unsubscribe(SubscriptionId id)
{
    const auto found = topics_.find(id);
    if (found == topics_.end()) return;
    auto& stream = streams_.at(found->second);
    stream.sinks.erase(id);
    stream.idle_since = clock_.instant();
    topics_.erase(found);
}

bool Hub::wanted(const Topic& topic) const { return streams_.contains(topic); }

void Hub::publish(const Topic& topic, std::vector<std::string> events)
{
    const auto found = streams_.find(topic);
    if (found == streams_.end() || events.empty()) return;
    auto& stream = found->second;
    stats_.events += events.size();
    stream.last = next_event_ + events.size() - 1;
    const auto here = cursor(stream.last);
    // A sink may unsubscribe itself or others while it is called.
    const auto sinks = stream.sinks;
    for (const auto& [id, sink] : sinks)
        if (stream.sinks.contains(id)) sink(here, events);
    for (auto& json : events) {
        stream.ring_bytes += json.size();
        stream.ring.push_back({next_event_++, std::move(json)});
    }
    while (stream.ring_bytes > kRingBytesMax && !stream.ring.empty()) {
        stream.dropped = stream.ring.front().number;
        stream.ring_bytes -= stream.ring.front().json.size();
        stream.ring.pop_front();
    }
}

void Hub::tidy()
{
    const auto now = clock_.instant();
    const auto dropped = std::erase_if(
        streams_, [&](const auto& item) { return item.second.sinks.empty() && now - item.second.idle_since > kKeepFor; });
    // A ring made anew begins behind every cursor that was given out for the old one: those are resets.
    if (dropped > 0) ++next_event_;
}

HubStats Hub::stats() const
{
    auto stats = stats_;
    stats.subscriptions = topics_.size();
    stats.topics = streams_.size();
    return stats;
}

}  // namespace nw::live
