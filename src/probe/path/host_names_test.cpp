#include "base/testing.hpp"
#include "probe/path/host_names.hpp"

#include <atomic>

namespace nw::probe::path {
namespace {

packet::Address address(std::uint8_t last) { return {.bytes = {192, 0, 2, last}}; }

// Runs the loop until `done`, at most ten seconds.
template <class Done>
void run_until(Loop& loop, Done done)
{
    const auto deadline = std::chrono::steady_clock::now() + Seconds(10);
    while (!done() && std::chrono::steady_clock::now() < deadline) {
        loop.restart();
        loop.run_one_for(Millis(50));
    }
    CHECK(done());
}

}  // namespace

TEST_CASE("names are empty until they are known, asked once, and few at a time")
{
    Loop loop;
    Pool pool(8);
    testing::ManualClock clock;
    std::atomic<int> asked = 0, running = 0, most = 0;
    HostNames names(loop, pool, clock, [&](const packet::Address& which, const std::string& device) {
        const int now = ++running;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        ++asked;
        --running;
        return which.bytes[3] == 9 ? std::string() : device + "host-" + std::to_string(which.bytes[3]) + ".example";
    });
    for (std::uint8_t last = 0; last < 20; ++last) CHECK(names.name_of(address(last), "").empty());
    for (std::uint8_t last = 0; last < 20; ++last) CHECK(names.name_of(address(last), "").empty());
    run_until(loop, [&] { return names.name_of(address(19), "") == "host-19.example" && asked == 20; });
    CHECK(names.name_of(address(3), "") == "host-3.example");
    CHECK(asked == 20);
    CHECK(most <= int(kLookupsMax));
    // Through a device it is another question.
    CHECK(names.name_of(address(3), "wan2-").empty());
    run_until(loop, [&] { return names.name_of(address(3), "wan2-") == "wan2-host-3.example"; });
    CHECK(names.name_of(address(3), "") == "host-3.example");
    CHECK(asked == 21);
    // One without a name is asked again, but not soon.
    run_until(loop, [&] { return running == 0; });
    CHECK(names.name_of(address(9), "").empty());
    CHECK(asked == 21);
    clock.advance(kRetryAfter + Seconds(1));
    (void)names.name_of(address(9), "");
    run_until(loop, [&] { return asked == 22; });
    testing::run(loop, names.close());
}

}  // namespace nw::probe::path
