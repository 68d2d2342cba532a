#include "base/random.hpp"
#include "base/testing.hpp"
#include "spool/spool.hpp"

#include <fstream>

namespace nw::spool {
namespace {

constexpr WallTime at(std::int64_t seconds) { return WallTime(Seconds(1'700'000'000 + seconds)); }

Spool::Content content(std::uint32_t count, std::string bytes, std::int64_t second = 0)
{
    return {count, to_us(at(second)), to_us(at(second)), std::move(bytes)};
}

std::unique_ptr<Spool> reopen(const std::filesystem::path& file, Limits limits = {}, std::uint64_t stream = 77)
{
    auto spool = Spool::open(file, limits, stream);
    REQUIRE(spool);
    return *std::move(spool);
}

}  // namespace

TEST_CASE("reports are there after a restart, until they are dropped")
{
    testing::ScratchDir dir;
    {
        auto spool = reopen(dir / "spool.db");
        REQUIRE(spool->keep_report(8, "eight"));
        REQUIRE(spool->keep_report(7, std::string_view("se\0en", 5)));
        REQUIRE(spool->keep_report(9, "nine"));
        REQUIRE(spool->keep_report(8, "eight again"));
    }
    auto spool = reopen(dir / "spool.db");
    CHECK(*spool->reports() == std::vector<std::string>{{"se\0en", 5}, "eight again", "nine"});
    REQUIRE(spool->drop_reports(8));
    CHECK(*spool->reports() == std::vector<std::string>{"nine"});
}

TEST_CASE("what goes in comes out in order, numbered without gaps, until it is acknowledged")
{
    testing::ScratchDir dir;
    auto spool = reopen(dir / "spool.db");
    spool->append({content(3, "a"), content(2, "bb")}, at(0));
    spool->append({content(1, std::string("\0c", 2))}, at(1));
    auto blocks = spool->peek(0, 10);
    REQUIRE(blocks.size() == 3);
    CHECK(blocks[0].first_seq == 1);
    CHECK(blocks[1].first_seq == 4);
    CHECK(blocks[2].first_seq == 6);
    CHECK(blocks[2].bytes == std::string("\0c", 2));
    CHECK(spool->peek(3, 1).at(0).bytes == "bb");
    CHECK(spool->depth().rows == 6);
    spool->release(5);
    CHECK(spool->peek(0, 10).size() == 1);
    CHECK(spool->first_unacked() == 6);
    CHECK(spool->depth().rows == 1);
}

TEST_CASE("a restart finds stream, numbers and contents again")
{
    testing::ScratchDir dir;
    {
        auto spool = reopen(dir / "spool.db", {}, 42);
        spool->append({content(5, "x"), content(5, "y")}, at(0));
        spool->release(5);
    }
    auto spool = reopen(dir / "spool.db", {}, 43);
    CHECK(spool->stream() == 42);
    CHECK(spool->next_seq() == 11);
    CHECK(spool->first_unacked() == 6);
    CHECK(spool->peek(0, 10).at(0).bytes == "y");
}

TEST_CASE("over its size the oldest go first, and the loss is declared, across restarts too")
{
    testing::ScratchDir dir;
    const Limits small{.bytes_max = 10'000};
    {
        auto spool = reopen(dir / "spool.db", small);
        for (int i = 0; i < 30; ++i) spool->append({content(10, std::string(1000, char('a' + i)), i)}, at(i));
        CHECK(spool->depth().bytes <= 10'000);
    }
    auto spool = reopen(dir / "spool.db", small);
    const auto lost = spool->lost_after(0);
    REQUIRE(lost.size() == 1);
    CHECK(lost[0].first_seq == 1);
    CHECK(lost[0].reason == "the agent's spool was full");
    CHECK(lost[0].from_us == to_us(at(0)));
    const auto kept = spool->peek(0, 100);
    CHECK(kept.front().first_seq == lost[0].last_seq + 1);
    CHECK(kept.back().last_seq() == 300);
    spool->release(lost[0].last_seq);
    CHECK(spool->lost_after(spool->first_unacked() - 1).empty());
}

TEST_CASE("what is too old goes, and is declared lost")
{
    testing::ScratchDir dir;
    auto spool = reopen(dir / "spool.db", {.age_max = Seconds(100)});
    spool->append({content(1, "old", 0)}, at(0));
    spool->append({content(1, "new", 150)}, at(150));
    CHECK(spool->peek(0, 10).size() == 1);
    REQUIRE(spool->lost_after(0).size() == 1);
    CHECK(spool->lost_after(0)[0].reason == "older than the agent keeps");
}

TEST_CASE("a damaged file is set aside and a new stream begun")
{
    testing::ScratchDir dir;
    {
        std::ofstream file(dir / "spool.db", std::ios::binary);
        file << std::string(20'000, 'z');
    }
    auto spool = reopen(dir / "spool.db", {}, 9);
    CHECK(spool->stream() == 9);
    CHECK(std::filesystem::exists(dir / "spool.db.damaged"));
    spool->append({content(1, "x")}, at(0));
    CHECK(spool->peek(0, 1).size() == 1);
}

TEST_CASE("numbers that power loss took back are not given out again: another stream begins")
{
    testing::ScratchDir dir;
    {
        auto spool = reopen(dir / "spool.db", {}, 1);
        spool->append({content(10, "stored at the controller")}, at(0));
    }
    auto spool = reopen(dir / "spool.db", {}, 1);  // the controller has numbers up to 50
    spool->append({content(7, "new"), content(3, "newer")}, at(5));
    CHECK(spool->opened_next_seq() == 11);
    spool->restart_stream(2);
    CHECK(spool->stream() == 2);
    const auto blocks = spool->peek(0, 10);
    REQUIRE(blocks.size() == 2);
    CHECK(blocks[0] == Block{1, 7, to_us(at(0)), to_us(at(0)), "new"});
    CHECK(blocks[1].first_seq == 8);
    CHECK(spool->next_seq() == 11);
    CHECK(reopen(dir / "spool.db")->stream() == 2);
}

TEST_CASE("a disk that refuses to write loses nothing that fits into memory, and says what does not")
{
    testing::ScratchDir dir;
    auto spool = reopen(dir / "spool.db", {.memory_bytes_max = 5'000});
    spool->append({content(1, "on disk")}, at(0));
    // Another writer holds the file for good, as far as the spool can see.
    auto other = sqlite::Database::open(dir / "spool.db", {.busy_timeout = std::chrono::milliseconds(0)});
    REQUIRE(other);
    REQUIRE((*other)->execute("BEGIN IMMEDIATE"));
    spool->set_patience(Millis(1));
    spool->append({content(2, "in memory")}, at(1));
    CHECK(spool->depth().disk_refuses);
    CHECK(!spool->trouble().empty());
    auto blocks = spool->peek(0, 10);
    REQUIRE(blocks.size() == 2);
    CHECK(blocks[1].bytes == "in memory");
    for (int i = 0; i < 10; ++i) spool->append({content(1, std::string(1000, 'x'))}, at(2));
    REQUIRE(!spool->lost_after(0).empty());
    CHECK(spool->lost_after(0)[0].first_seq == 2);
    CHECK(spool->lost_after(0)[0].reason == "the agent's disk refused to write");
    REQUIRE((*other)->execute("ROLLBACK"));
    spool->append({content(1, "again")}, at(3));
    CHECK(!spool->depth().disk_refuses);
    // Every number is either there or declared.
    std::uint64_t expected = 1;
    blocks = spool->peek(0, 100);
    auto lost = spool->lost_after(0);
    for (std::size_t i = 0, j = 0; expected < spool->next_seq();) {
        if (i < blocks.size() && blocks[i].first_seq == expected) {
            expected = blocks[i++].last_seq() + 1;
        } else {
            REQUIRE(j < lost.size());
            REQUIRE(lost[j].first_seq == expected);
            expected = lost[j++].last_seq + 1;
        }
    }
}

}  // namespace nw::spool
