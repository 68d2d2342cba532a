// What benchmarks of the store's parts need around them. An error ends the program: a figure of half a run is none.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

namespace nw::bench {

// The wall clock says what it is told to; time goes on as it does.
class SetClock final : public Clock {
public:
    explicit SetClock(std::int64_t start_us) : wall_us(start_us) {}
    Instant instant() const override { return std::chrono::steady_clock::now(); }
    WallTime wall() const override { return from_us(wall_us.load()); }
    std::atomic<std::int64_t> wall_us;
};

inline void must(const Status& status)
{
    if (status) return;
    fmt::print(stderr, "{}\n", status.error().what);
    std::exit(1);
}
template <class T>
T must(Result<T> result)
{
    if (result) return *std::move(result);
    fmt::print(stderr, "{}\n", result.error().what);
    std::exit(1);
}

// Runs one coroutine to its end.
template <class T>
T wait(Loop& loop, Task<T> task)
{
    std::optional<T> result;
    asio::co_spawn(
        loop,
        [](Task<T> inner, std::optional<T>& out) -> Task<void> { out.emplace(co_await std::move(inner)); }(std::move(task),
                                                                                                           result),
        [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
    loop.restart();
    loop.run();
    return *std::move(result);
}

}  // namespace nw::bench
