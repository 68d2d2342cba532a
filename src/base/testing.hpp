// Helpers for tests of every module. Included by *_test.cpp and *_contract.hpp only.
#pragma once

#include "base/async.hpp"
#include "base/time.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace nw::testing {

template <class T>
Task<void> await_into(std::optional<T>& result, Task<T> task)
{
    result.emplace(co_await std::move(task));
}

// Drives a coroutine to completion on `loop`; an exception that escapes it fails the test.
template <class T>
T run(Loop& loop, Task<T> task)
{
    std::optional<T> result;
    std::exception_ptr thrown;
    bool done = false;  // the completion handler has run and refers to nothing here any more
    asio::co_spawn(loop, await_into(result, std::move(task)), [&](std::exception_ptr e) {
        thrown = e;
        done = true;
    });
    loop.restart();
    while (!done) loop.run_one();  // NOLINT(bugprone-infinite-loop): the handler ends it
    if (thrown) std::rethrow_exception(thrown);
    return *std::move(result);
}

inline void run(Loop& loop, Task<void> task)
{
    bool done = false;
    std::exception_ptr thrown;
    asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e) {
        thrown = e;
        done = true;
    });
    loop.restart();
    while (!done) loop.run_one();
    if (thrown) std::rethrow_exception(thrown);
}

template <class T>
auto run(Task<T> task)
{
    Loop loop;
    return run(loop, std::move(task));
}

// Time moves only when a test says so.
class ManualClock final : public Clock {
public:
    Instant instant() const override { return instant_; }
    WallTime wall() const override { return wall_; }
    void advance(Nanos by)
    {
        instant_ += by;
        wall_ += std::chrono::duration_cast<Micros>(by);
    }
    void set_wall(WallTime to) { wall_ = to; }

private:
    Instant instant_{std::chrono::hours{1}};
    WallTime wall_{std::chrono::hours{24 * 365}};
};

// What a case prints when it cannot run here; ./dev test counts the line as a skipped test, not as a passed one:
// `if (::geteuid() != 0) return nw::testing::skip("raw sockets: needs root");`
inline void skip(std::string_view why)
{
    std::printf("SKIPPED %.*s\n", int(why.size()), why.data());
    std::fflush(stdout);
}

// A directory that disappears with the test.
class ScratchDir {
public:
    ScratchDir()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "nw-test-XXXXXX").string();
        const auto* made = ::mkdtemp(pattern.data());
        REQUIRE(made != nullptr);
        path_ = pattern;
    }
    ~ScratchDir()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchDir(const ScratchDir&) = delete;
    ScratchDir& operator=(const ScratchDir&) = delete;
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_{};
};

}  // namespace nw::testing
