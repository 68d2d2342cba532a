#include "sqlite/database.hpp"

#include "base/testing.hpp"

namespace nw::sqlite {

TEST_CASE("what was committed is read back, what was not is gone")
{
    const testing::ScratchDir dir;
    auto db = *Database::open(dir / "a.db");
    REQUIRE(db->execute("CREATE TABLE t(a INTEGER, b TEXT, c BLOB)"));
    {
        auto transaction = *Transaction::begin(*db);
        Statement insert(*db, "INSERT INTO t VALUES(?,?,?)");
        REQUIRE(insert.bind(1, std::int64_t{7}).bind(2, "x").bind_blob(3, std::string_view("\0y", 2)).run());
        REQUIRE(transaction.commit());
    }
    {
        auto transaction = *Transaction::begin(*db);
        REQUIRE(db->execute("DELETE FROM t"));
    }
    Statement select(*db, "SELECT a,b,c,NULL FROM t");
    REQUIRE(*select.step());
    CHECK(select.integer(0) == 7);
    CHECK(select.text(1) == "x");
    CHECK(select.text(2) == std::string("\0y", 2));
    CHECK(!select.maybe_integer(3));
    CHECK(!*select.step());
}

TEST_CASE("an error says which file or which constraint")
{
    CHECK(Database::open("/nonexistent/nw.db").error().what == "open /nonexistent/nw.db: unable to open database file");
    auto db = *Database::open(":memory:");
    REQUIRE(db->execute("CREATE TABLE t(a INTEGER PRIMARY KEY)"));
    Statement insert(*db, "INSERT INTO t VALUES(1)");
    REQUIRE(insert.run());
    CHECK(insert.run().error().code == Errc::Conflict);
}

TEST_CASE("a backup of a database in use is complete")
{
    const testing::ScratchDir dir;
    auto db = *Database::open(dir / "a.db", {.page_size = 16384});
    REQUIRE(db->execute("CREATE TABLE t(a); INSERT INTO t VALUES(1),(2)"));
    REQUIRE(backup_to(*db, dir / "b.db"));
    auto copy = *Database::open(dir / "b.db", {.read_only = true});
    Statement count(*copy, "SELECT count(*) FROM t");
    REQUIRE(*count.step());
    CHECK(count.integer(0) == 2);
}

}  // namespace nw::sqlite
