// Runs a short piece of work on another loop's thread and resumes the caller on its own loop with the result.
#pragma once

#include "base/async.hpp"

#include <boost/asio/post.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace nw::agent {

// `other` must be running until the work is done. The work may refer to the caller's locals.
template <class Work, class R = std::invoke_result_t<Work&>>
Task<R> call_on(Loop& other, Work work)
{
    const auto loop = co_await asio::this_coro::executor;
    std::optional<R> result;
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        [&](auto done) {
            asio::post(other, [&work, &result, loop, done = std::move(done)]() mutable {
                result.emplace(work());
                asio::post(loop, std::move(done));
            });
        },
        use_task);
    co_return *std::move(result);
}

}  // namespace nw::agent
