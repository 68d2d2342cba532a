#include "store/telemetry/memory.hpp"

#include "store/telemetry/telemetry_contract.hpp"

using namespace nw;
using namespace nw::store;

TEST_CASE("the in-memory store keeps the contract")
{
    testing::ManualClock clock;
    clock.set_wall(from_us(contract::kStart + 2 * kDayUs));
    contract::check_telemetry_contract({.make = [&] { return make_memory_telemetry(clock); }, .clock = &clock});
}
