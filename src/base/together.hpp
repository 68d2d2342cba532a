// Several tasks at the same time on the caller's loop; their results in the order of the tasks.
#pragma once

#include "base/async.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <exception>
#include <utility>
#include <vector>

namespace nw {

// The caller stays suspended until all have ended, so they may refer to its locals. Whoever cancels the caller cancels all
// of them. An exception that escapes from one is the caller's.
template <class T>
Task<std::vector<T>> together(std::vector<Task<T>> tasks)
{
    const auto loop = co_await asio::this_coro::executor;
    const auto start = [&](Task<T>&& task) { return asio::co_spawn(loop, std::move(task), asio::deferred); };
    std::vector<decltype(start(std::declval<Task<T>>()))> started;
    for (auto& task : tasks) started.push_back(start(std::move(task)));
    if (started.empty()) co_return std::vector<T>();
    auto [order, errors, results] = co_await asio::experimental::make_parallel_group(std::move(started))
                                        .async_wait(asio::experimental::wait_for_all(), use_task);
    for (const auto& error : errors)
        if (error) std::rethrow_exception(error);
    co_return std::move(results);
}

}  // namespace nw
