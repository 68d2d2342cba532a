#include "probe/turns.hpp"

#include <algorithm>

namespace nw::probe {

Turns::Turns(Loop& loop, const Timekeeper& time, std::uint32_t packets_per_second_max)
    : time_(time), per_second_(double(packets_per_second_max)), timer_(loop)
{}

Moment Turns::begin()
{
    const auto when = time_.now();
    const auto passed = std::chrono::duration<double>(when - turned_).count();
    allowance_ = std::min(allowance_ + per_second_ * passed, per_second_ / 50 + 1);
    read_before_ = turned_;
    turned_ = when;
    return when;
}

Turns::Received Turns::received(std::optional<KernelTime> stamp) const
{
    const auto read = time_.now();
    if (!stamp) return {.at = read};
    // A stamp from outside the time since the last reading is not one of this clock: it was set in between.
    const auto at = time_.from_kernel(*stamp);
    const bool believable = at <= read + Millis(1) && at >= read_before_ - Millis(1);
    return {.at = believable ? at : read, .kernel_time = believable};
}

Moment Turns::next(Moment due, bool waiting, Nanos read_every) const
{
    if (waiting) due = std::min(due, turned_ + read_every);
    // The wheel knows timers some forty seconds ahead; a longer sleep gains nothing.
    return std::min(due, turned_ + Seconds(30));
}

Task<void> Turns::drive(std::function<void()> turn, std::function<Moment()> next)
{
    for (;;) {
        turn();
        const auto due = time_.to_instant(next());
        timer_.expires_at(due);
        const auto [cancelled] = co_await timer_.async_wait(nothrow);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return;
        if (!cancelled) lateness_.add(time_.clock().instant() - due);
    }
}

Nanos Turns::take_lateness_p99()
{
    const auto p99 = lateness_.empty() ? Nanos(0) : lateness_.quantile(0.99);
    lateness_.clear();
    return p99;
}

}  // namespace nw::probe
