#include "live/hub.hpp"

#include "base/testing.hpp"

namespace nw::live {
namespace {

const Topic kTopic{.workspace = WorkspaceId{1}, .kind = TopicKind::Probe, .probe = ProbeId{7}};

struct Client {
    std::string seen{};
    std::string cursor{};
    Sink sink()
    {
        return [this](const std::string& at, const std::vector<std::string>& events) {
            for (const auto& event : events) seen += event;
            cursor = at;
        };
    }
};

}  // namespace

TEST_CASE("a client that comes back misses nothing and gets nothing twice")
{
    testing::ManualClock clock;
    Hub hub(clock, "m1");
    Client client;
    const auto first = hub.subscribe(kTopic, std::nullopt, client.sink());
    hub.publish(kTopic, {"a", "b"});
    hub.unsubscribe(first.id);
    hub.publish(kTopic, {"c"});
    hub.publish({.workspace = WorkspaceId{2}, .kind = TopicKind::Probe, .probe = ProbeId{7}}, {"x"});
    hub.publish(kTopic, {"d"});
    const auto again = hub.subscribe(kTopic, client.cursor, client.sink());
    CHECK(!again.reset);
    CHECK(again.missed == std::vector<std::string>{"c", "d"});
    hub.publish(kTopic, {"e"});
    CHECK(client.seen == "abe");
}

TEST_CASE("what is no longer kept, or came from another process, is a reset")
{
    testing::ManualClock clock;
    Hub hub(clock, "m1");
    Client client;
    const auto id = hub.subscribe(kTopic, std::nullopt, client.sink()).id;
    hub.publish(kTopic, {"a"});
    const auto early = client.cursor;
    hub.publish(kTopic, {std::string(kRingBytesMax, 'x'), "b"});
    CHECK(hub.subscribe(kTopic, early, client.sink()).reset);
    CHECK(!hub.subscribe(kTopic, client.cursor, client.sink()).reset);
    CHECK(hub.subscribe(kTopic, "m0.1", client.sink()).reset);
    CHECK(hub.subscribe(kTopic, "m1.99999", client.sink()).reset);
    CHECK(hub.subscribe(kTopic, "nonsense", client.sink()).reset);
    hub.unsubscribe(id);
}

TEST_CASE("a topic is kept for a while after its last watcher, then dropped")
{
    testing::ManualClock clock;
    Hub hub(clock, "m1");
    CHECK(!hub.wanted(kTopic));
    Client client;
    const auto id = hub.subscribe(kTopic, std::nullopt, client.sink()).id;
    hub.publish(kTopic, {"a"});
    const auto cursor = client.cursor;
    hub.unsubscribe(id);
    clock.advance(kKeepFor);
    hub.tidy();
    CHECK(hub.wanted(kTopic));
    clock.advance(std::chrono::seconds(1));
    hub.tidy();
    CHECK(!hub.wanted(kTopic));
    hub.publish(kTopic, {"lost on nobody"});
    CHECK(hub.subscribe(kTopic, cursor, client.sink()).reset);
}

TEST_CASE("a sink may unsubscribe while it is called")
{
    testing::ManualClock clock;
    Hub hub(clock, "m1");
    SubscriptionId id{};
    int calls = 0;
    id = hub.subscribe(kTopic, std::nullopt,
                       [&](const auto&, const auto&) {
                           ++calls;
                           hub.unsubscribe(id);
                       })
             .id;
    hub.publish(kTopic, {"a"});
    hub.publish(kTopic, {"b"});
    CHECK(calls == 1);
}

}  // namespace nw::live
