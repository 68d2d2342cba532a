#include "base/digest.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"
#include "base/task_group.hpp"
#include "base/testing.hpp"
#include "base/text.hpp"
#include "base/together.hpp"

#include <array>

namespace nw {
namespace {

Result<int> half(int n)
{
    if (n % 2 != 0) return fail_field("n", "must be even");
    return n / 2;
}

Result<int> quarter(int n)
{
    NW_TRY(const int h, half(n));
    return half(h);
}

Task<void> forever(Executor loop, int& unwound)
{
    struct Guard {
        int& count;
        ~Guard() { ++count; }
    } guard{unwound};
    Timer never(loop, std::chrono::steady_clock::time_point::max());
    for (;;) co_await never.async_wait(use_task);
}

Task<void> work_then_wait(Executor loop, Pool& pool, int& unwound)
{
    (void)co_await run_on(pool, [] { return 1; });
    co_await forever(loop, unwound);
}

Task<int> close_after_pool_work(Loop& loop, Pool& pool)
{
    int unwound = 0;
    TaskGroup group(loop.get_executor(), {});
    group.spawn("worker", work_then_wait(loop.get_executor(), pool, unwound));
    (void)co_await run_on(pool, [] { return 2; });  // behind the worker's: that one has returned to the loop
    co_await asio::post(loop.get_executor(), use_task);
    co_await group.close();
    co_return unwound;
}

Task<int> close_after_spawning(Loop& loop)
{
    int unwound = 0;
    TaskGroup group(loop.get_executor(), {});
    group.spawn("a", forever(loop.get_executor(), unwound));
    group.spawn("b", forever(loop.get_executor(), unwound));
    co_await asio::post(loop.get_executor(), use_task);
    co_await group.close();
    group.spawn("too late", forever(loop.get_executor(), unwound));
    co_return unwound;
}

}  // namespace

TEST_CASE("an error travels outwards and says what was being done")
{
    CHECK(*quarter(8) == 2);
    const auto failed = quarter(6);
    REQUIRE(!failed);
    CHECK(failed.error().fields == std::vector{FieldProblem{"n", "must be even"}});
    CHECK(Error(failed.error()).while_doing("halve").what == "halve: n: must be even");
}

TEST_CASE("closing a group cancels its tasks and waits for them")
{
    Loop loop;
    CHECK(testing::run(loop, close_after_spawning(loop)) == 2);
}

TEST_CASE("a task that has used a pool can still be cancelled")
{
    Loop loop;
    Pool pool(1);
    CHECK(testing::run(loop, close_after_pool_work(loop, pool)) == 1);
}

TEST_CASE("blocking work returns to the caller's loop")
{
    Pool pool(1);
    CHECK(testing::run(run_on(pool, [] { return 42; })) == 42);
}

TEST_CASE("digests are SHA-256, and secrets are equal only as a whole")
{
    // FIPS 180-2, appendix B.1.
    CHECK(to_hex(bytes_of(sha256("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(equal_secrets("secret", "secret"));
    CHECK_FALSE(equal_secrets("secret", "secreT"));
    CHECK_FALSE(equal_secrets("secret", "secrets"));
}

TEST_CASE("ids survive their text form and nothing else is taken for one")
{
    for (const std::uint64_t id : {0ULL, 1ULL, 31ULL, 32ULL, 0x0123456789abcdefULL, ~0ULL})
        CHECK(from_base32(to_base32(id)) == id);
    CHECK(!from_base32("z000000000000"));  // needs a 65th bit
    CHECK(!from_base32("000000000000i"));
    CHECK(!from_base32("1"));
    CHECK(!from_hex("abc"));
    CHECK(!from_hex("zz"));
    CHECK(to_hex(*from_hex("00ff7a")) == "00ff7a");
}

TEST_CASE("text from outside is clean UTF-8 or refused")
{
    CHECK(is_clean_text("Zürich – 東京"));
    CHECK(!is_clean_text("a\nb"));
    CHECK(is_clean_text("a\nb", true));
    CHECK(!is_clean_text("\x1b[31m"));
    CHECK(!is_clean_text("\xc0\xaf"));      // overlong
    CHECK(!is_clean_text("\xed\xa0\x80"));  // surrogate
    CHECK(!is_clean_text("\xf5\x80\x80\x80"));
    CHECK(!is_clean_text("\xe2\x82"));  // cut short
}

TEST_CASE("a misspelt word is answered with its neighbour")
{
    constexpr std::array<std::string_view, 3> known{"listen", "data_dir", "log_level"};
    CHECK(nearest("lissen", known) == "listen");
    CHECK(nearest("datadir", known) == "data_dir");
    CHECK(!nearest("zebra", known));
}

TEST_CASE("a bounded random number stays within its bound")
{
    SeededRandom random(7);
    for (int i = 0; i < 1000; ++i) CHECK(random.below(10) < 10);
    CHECK(SystemRandom{}.hex(16).size() == 32);
}

namespace {

Task<void> work_then_wait(Pool& pool, Loop& loop, bool& waiting)
{
    co_await run_on(pool, [] { return 1; });
    waiting = true;
    Timer forever(loop, Timer::time_point::max());
    co_await forever.async_wait(use_task);
}

}  // namespace

TEST_CASE("a task that has run blocking work can still be cancelled")
{
    Loop loop;
    Pool pool(1);
    TaskGroup group(loop.get_executor(), Log());
    bool waiting = false;
    group.spawn("worker", work_then_wait(pool, loop, waiting));
    while (!waiting) loop.run_one();  // NOLINT(bugprone-infinite-loop): a handler ends it
    testing::run(loop, group.close());
    CHECK(group.size() == 0);
}

namespace {

// The first ends only after the last has begun.
Task<int> in_turn(Timer& last_begun, int number, int count)
{
    if (number + 1 == count) last_begun.cancel();
    else (void)co_await last_begun.async_wait(nothrow);
    co_return number;
}

Task<std::vector<int>> all_in_turn(Loop& loop, int count)
{
    Timer last_begun(loop, Timer::time_point::max());
    std::vector<Task<int>> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(in_turn(last_begun, i, count));
    co_return co_await together(std::move(tasks));
}

Task<void> forever_together(Loop& loop, int& unwound)
{
    const auto one = [](Executor on, int& count) -> Task<int> {
        co_await forever(on, count);
        co_return 0;
    };
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(one(loop.get_executor(), unwound));
    co_await together(std::move(tasks));
}

}  // namespace

TEST_CASE("tasks that are awaited together run at the same time, and their results are in order")
{
    Loop loop;
    CHECK(testing::run(loop, all_in_turn(loop, 5)) == std::vector{0, 1, 2, 3, 4});
    CHECK(testing::run(loop, all_in_turn(loop, 0)).empty());
}

TEST_CASE("tasks that are awaited together end with whoever awaits them")
{
    Loop loop;
    int unwound = 0;
    TaskGroup group(loop.get_executor(), Log());
    group.spawn("waiting", forever_together(loop, unwound));
    loop.poll();
    testing::run(loop, group.close());
    CHECK(unwound == 3);
}

}  // namespace nw
