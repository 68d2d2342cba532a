#include "probe/path/mtu.hpp"
#include "probe/path/simulation_testing.hpp"

#include <doctest/doctest.h>

#include <array>

namespace nw::probe::path {
namespace {

using simulation::Network;

struct Searched {
    MtuFound found{};
    int packets = 0;
};

Searched search(Network& network, std::uint8_t end, std::uint16_t size_max = 1500)
{
    MtuSettings settings{.end = end, .size_max = size_max};
    for (std::uint8_t ttl = 1; ttl < end; ++ttl)
        if (!network.nodes[ttl].silent) settings.answering.push_back(ttl);
    MtuSearch search(std::move(settings));
    Searched result;
    Nanos now = Seconds(10);
    while (!search.done()) {
        const auto probe = search.next();
        REQUIRE(probe);
        CHECK(!search.next());
        ++result.packets;
        REQUIRE(result.packets < 1'000);
        const auto outcome = network.walk(0, probe->ttl, now, probe->size);
        now += Millis(500);
        if (outcome.reply) search.answered(*outcome.reply);
        else search.unanswered();
    }
    result.found = search.found();
    return result;
}

}  // namespace

TEST_CASE("a path that takes the largest packet is done after one")
{
    Network network(1);
    network.chain(0, 6);
    const auto result = search(network, 6);
    CHECK(result.packets == 1);
    CHECK(result.found == MtuFound{.mtu = std::uint16_t{1500}, .size_max = 1500});
}

TEST_CASE("routers that say what they take are believed, one after the other")
{
    Network network(1);
    network.chain(0, 6);
    network.nodes[3].mtu = 1400;
    network.nodes[5].mtu = 1280;
    const auto result = search(network, 6);
    CHECK(result.found.mtu == 1280);
    CHECK(result.found.narrow
          == std::vector<NarrowLink>{{simulation::address_of(2), 1400}, {simulation::address_of(4), 1280}});
    CHECK(!result.found.black_hole_after);
    CHECK(result.packets == 3);
}

TEST_CASE("an old router that refuses without saying the size is asked by halves")
{
    Network network(1);
    network.chain(0, 6);
    network.nodes[4].mtu = 1006;
    network.nodes[4].mtu_untold = true;
    const auto result = search(network, 6);
    CHECK(result.found.mtu == 1006);
    CHECK(result.found.narrow == std::vector<NarrowLink>{{simulation::address_of(3), 1006}});
    CHECK(!result.found.black_hole_after);
}

TEST_CASE("a black hole has a size and a place, wherever it is")
{
    for (std::uint8_t place = 2; place <= 7; ++place) {
        for (const auto mtu : std::array<std::uint16_t, 4>{576, 1280, 1399, 1492}) {
            Network network(1);
            network.chain(0, 7);
            network.nodes[place].mtu = mtu;
            network.nodes[place].mute_about_mtu = true;
            network.nodes[4].silent = true;
            const auto result = search(network, 7);
            CHECK(result.found.mtu == mtu);
            // A silent hop cannot be told from the one before it.
            CHECK(int(*result.found.black_hole_after) == (place == 5 ? 3 : place - 1));
        }
    }
}

TEST_CASE("an honest narrow link before a black hole")
{
    Network network(1);
    network.chain(0, 7);
    network.nodes[3].mtu = 1450;
    network.nodes[6].mtu = 1300;
    network.nodes[6].mute_about_mtu = true;
    const auto result = search(network, 7);
    CHECK(result.found.mtu == 1300);
    CHECK(result.found.narrow == std::vector<NarrowLink>{{simulation::address_of(2), 1450}});
    CHECK(result.found.black_hole_after == 5);
}

TEST_CASE("plain loss is no black hole, and a limiter is none either")
{
    int unknown = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Network network(seed);
        network.chain(0, 6);
        network.nodes[3].loss = 0.1;  // 19 % of the round trips
        const auto result = search(network, 6);
        CHECK(!result.found.black_hole_after);
        unknown += !result.found.mtu;
        if (result.found.mtu) CHECK(result.found.mtu == 1500);
    }
    CHECK(unknown <= 2);
    for (const double rate : {0.5, 0.7, 1.0, 1.5}) {
        Network network(1);
        network.chain(0, 6);
        network.nodes[6].limiter = simulation::Limiter{rate, 1, 0, Seconds(10)};
        CHECK(!search(network, 6).found.black_hole_after);
    }
}

TEST_CASE("a black hole behind a lossy link is still found")
{
    int right = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Network network(seed);
        network.chain(0, 6);
        network.nodes[2].loss = 0.03;
        network.nodes[5].mtu = 1400;
        network.nodes[5].mute_about_mtu = true;
        const auto result = search(network, 6);
        right += result.found.mtu == 1400 && result.found.black_hole_after == 4;
    }
    CHECK(right == 50);
}

TEST_CASE("a destination that answers nothing allows no claim")
{
    Network network(1);
    network.chain(0, 6);
    network.nodes[6].silent = true;
    const auto result = search(network, 6);
    CHECK(!result.found.mtu);
    CHECK(!result.found.black_hole_after);
    CHECK(result.packets == 10);
}

TEST_CASE("this host's own link may be the narrow one")
{
    MtuSearch search({.end = 3, .size_max = 9000});
    for (int i = 0; i < 100 && !search.done(); ++i) {
        const auto probe = search.next();
        REQUIRE(probe);
        if (probe->size > 1500) search.refused_here();
        else search.answered({.answer = Answer::Arrived});
    }
    CHECK(search.found().mtu == 1500);
    CHECK(!search.found().black_hole_after);
}

}  // namespace nw::probe::path
