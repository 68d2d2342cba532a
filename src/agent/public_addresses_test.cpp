#include "agent/public_addresses.hpp"

#include "base/testing.hpp"

#include <vector>

namespace nw::agent {
namespace {

const std::string kSeen("\xcb\x00\x71\x05", 4);
const std::string kLan("\xc0\x00\x02\x01", 4);
const std::string kOtherLan("\xc0\x00\x02\x02", 4);

Interface uplink(std::string name, std::uint32_t index, std::string address = kLan)
{
    return {.name = std::move(name),
            .index = index,
            .up = true,
            .carrier = true,
            .addresses = {{.address = std::move(address), .prefix = 24}}};
}

HostNetwork host(std::vector<Interface> interfaces)
{
    HostNetwork network{.interfaces = std::move(interfaces)};
    for (const auto& interface : network.interfaces)
        network.routes.push_back({.table = 100, .gateway = kSeen, .interface = interface.name, .type = kUnicastRoute});
    return network;
}

struct Bench {
    Loop loop{};
    SystemClock clock{};
    SeededRandom random{5};
    std::vector<std::string> asked{};
    std::map<std::string, PublicAddress> found{};
    Result<std::string> answer = kSeen;
    PublicAddresses addresses{
        loop, clock, random, [this](std::string device, bool) { return ask(std::move(device)); },
        [this](const std::string& interface, bool, PublicAddress address) { found[interface] = std::move(address); }};
    TaskGroup tasks{loop.get_executor(), Log()};

    Bench() { addresses.start(tasks); }
    ~Bench() { testing::run(loop, tasks.close()); }
    Task<Result<std::string>> ask(std::string device)
    {
        asked.push_back(std::move(device));
        co_return answer;
    }
    // Everything that is ready now happens.
    void settle()
    {
        loop.restart();
        while (loop.poll_one() > 0) {
        }
    }
};

}  // namespace

TEST_CASE("every uplink is asked through once, and again only when something about it changed")
{
    Bench bench;
    bench.addresses.update(host({uplink("eth0", 2), uplink("eth1", 3)}));
    bench.settle();
    CHECK(bench.asked == std::vector<std::string>{"eth0", "eth1"});
    CHECK(bench.found["eth1"].address == kSeen);
    CHECK(bench.found["eth1"].seen_us > 0);
    bench.addresses.update(host({uplink("eth0", 2), uplink("eth1", 3)}));
    bench.settle();
    CHECK(bench.asked.size() == 2);
    bench.addresses.update(host({uplink("eth0", 2), uplink("eth1", 3, kOtherLan)}));
    bench.settle();
    CHECK(bench.asked == std::vector<std::string>{"eth0", "eth1", "eth1"});
}

TEST_CASE("no answer is an answer: the address is gone, the reason is there, when it was seen stays")
{
    Bench bench;
    bench.addresses.update(host({uplink("eth0", 2)}));
    bench.settle();
    const auto seen = bench.found["eth0"].seen_us;
    bench.answer = fail(Errc::Timeout, "timed out");
    bench.addresses.update(host({uplink("eth0", 7)}));
    bench.settle();
    CHECK(bench.found["eth0"] == PublicAddress{.address = "", .seen_us = seen, .problem = "timed out"});
}

TEST_CASE("an uplink that cannot send is not asked through and has no public address")
{
    Bench bench;
    bench.addresses.update(host({uplink("eth0", 2)}));
    bench.settle();
    auto down = host({uplink("eth0", 2)});
    down.interfaces[0].carrier = false;
    bench.addresses.update(down);
    bench.settle();
    CHECK(bench.asked.size() == 1);
    CHECK(bench.found["eth0"].address.empty());
    bench.addresses.update(host({uplink("eth0", 2)}));
    bench.settle();
    CHECK(bench.asked.size() == 2);
    CHECK(bench.found["eth0"].address == kSeen);
}

TEST_CASE("an interface without a default route, or without an address of the family, is no uplink")
{
    auto network = host({uplink("eth0", 2), uplink("eth1", 3)});
    network.routes[1].prefix = 8;
    network.routes[1].destination = std::string("\x0a\0\0\0", 4);
    CHECK(uplinks_of(network, false).size() == 1);
    CHECK(uplinks_of(network, true).empty());
    network.interfaces[0].addresses[0].tentative = true;
    CHECK(uplinks_of(network, false).empty());
}

}  // namespace nw::agent
