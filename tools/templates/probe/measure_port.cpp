#include "probe/@name@/measure.hpp"

namespace nw::probe::@name@ {

// To be written: resolve spec.text("target") with context.resolver, ask context.policy about the address, exchange
// packets with a deadline, and fill in the columns. Until then every run says truthfully that nothing was measured.
Task<void> measure(const EngineContext&, const ProbeSpec&, Sample& sample)
{
    sample.outcome = Outcome::NotMeasured;
    sample.reason = "this agent cannot measure @name@ yet";
    co_return;
}

}  // namespace nw::probe::@name@
