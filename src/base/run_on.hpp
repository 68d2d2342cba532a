// Runs blocking work on `pool` and resumes the caller on its own loop with the result.
#pragma once

#include "base/async.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace nw {

using Pool = asio::thread_pool;

// `work` may refer to the caller's locals: the caller stays suspended until it has finished. Cancellation does not
// interrupt it: nothing here listens to the slot; what the caller awaits next sees it.
template <class Work, class R = std::invoke_result_t<Work&>>
Task<R> run_on(Pool& pool, Work work)
{
    const auto loop = co_await asio::this_coro::executor;
    std::optional<R> result;
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        [&](auto done) {
            asio::post(pool, [&work, &result, loop, done = std::move(done)]() mutable {
                result.emplace(work());
                asio::post(loop, std::move(done));
            });
        },
        use_task);
    co_return *std::move(result);
}

}  // namespace nw
