// The coroutine vocabulary: one io_context and one thread per loop, concrete executors, errors as values.
//
// A coroutine runs on the loop that spawned it and is owned by a TaskGroup (base/task_group.hpp). Parameters
// are taken by value, or by reference to objects that outlive the caller's co_await.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace nw {

namespace asio = boost::asio;

using Loop = asio::io_context;
using Executor = Loop::executor_type;

template <class T>
using Task = asio::awaitable<T, Executor>;

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

inline constexpr asio::use_awaitable_t<Executor> use_task{};
// `auto [error, n] = co_await operation(..., nothrow);`
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> nothrow{};

}  // namespace nw
