#include "ingest/twins.hpp"

#include "base/testing.hpp"

namespace nw::ingest {
namespace {

constexpr AgentId kAgent{7};
Instant at(int seconds) { return Instant(std::chrono::seconds(seconds)); }

TEST_CASE("a process that comes back after another had the session is a twin")
{
    TwinWatch twins;
    CHECK(!twins.greeted(kAgent, 1, "192.0.2.1", at(0)));
    CHECK(!twins.greeted(kAgent, 2, "192.0.2.2", at(10)));  // a restart looks like this
    CHECK(twins.greeted(kAgent, 1, "192.0.2.1", at(20)) == "192.0.2.2");
    CHECK(twins.greeted(kAgent, 2, "192.0.2.2", at(30)) == "192.0.2.1");
}

TEST_CASE("restarts and reconnects are no twins")
{
    TwinWatch twins;
    for (int i = 1; i <= 20; ++i) {
        CHECK(!twins.greeted(kAgent, std::uint64_t(i), "192.0.2.1", at(10 * i)));
        CHECK(!twins.greeted(kAgent, std::uint64_t(i), "198.51.100.1", at(10 * i + 5)));
    }
    CHECK(!twins.greeted(AgentId{8}, 1, "192.0.2.1", at(300)));  // another agent's process
}

TEST_CASE("who was away for long is forgotten")
{
    TwinWatch twins;
    CHECK(!twins.greeted(kAgent, 1, "192.0.2.1", at(0)));
    CHECK(!twins.greeted(kAgent, 2, "192.0.2.2", at(600)));
    CHECK(!twins.greeted(kAgent, 1, "192.0.2.1", at(1000)));
}

}  // namespace
}  // namespace nw::ingest
