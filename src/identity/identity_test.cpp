#include "identity/attempt_limiter.hpp"
#include "identity/audit_budget.hpp"
#include "identity/identity.hpp"
#include "identity/secret.hpp"

#include "base/digest.hpp"
#include "base/testing.hpp"

namespace nw::identity {
namespace {

struct Fixture {
    testing::ScratchDir dir;
    testing::ManualClock clock;
    SeededRandom random{9};
    Loop loop;
    std::unique_ptr<store::Metadata> metadata = *store::Metadata::open(dir / "m.db");
    Identity identity{*metadata, clock, random};

    Fixture()
    {
        const auto hash = hash_password("correct horse");
        REQUIRE(testing::run(loop, metadata->write([&](store::MetadataTx& tx) {
            return tx.users().add({.id = UserId{1}, .email = "ana@example.com", .name = "Ana", .password_hash = hash});
        })));
    }
    Identity::SignInResult sign_in(std::string password, std::string email = "ana@example.com",
                                   std::string address = "192.0.2.1")
    {
        return *testing::run(loop, identity.sign_in(std::move(email), std::move(password), {.address = std::move(address)}));
    }
    PrincipalPtr who(const std::string& token) { return *testing::run(loop, identity.authenticate(token)); }
};

constexpr Instant at(int second) { return Instant{} + std::chrono::hours(1) + std::chrono::seconds(second); }

}  // namespace

TEST_CASE("a session lasts until it is ended, and its token is nowhere stored")
{
    Fixture f;
    const auto result = f.sign_in("correct horse", "ANA@example.com");
    REQUIRE(result.signed_in);
    const auto& token = result.signed_in->token;
    REQUIRE(f.who(token));
    CHECK(f.who(token)->user.name == "Ana");
    CHECK(f.who(token)->session.token_hash == sha256(token));
    CHECK(!f.who(token + "x"));
    REQUIRE(testing::run(f.loop, f.identity.end_session(UserId{1}, f.who(token)->session.id)));
    CHECK(!f.who(token));
}

TEST_CASE("a session that nobody uses ends")
{
    Fixture f;
    const auto token = f.sign_in("correct horse").signed_in->token;
    f.clock.advance(kSessionLife + std::chrono::seconds(1));
    CHECK(!f.who(token));
}

TEST_CASE("an unknown address and a wrong password look the same")
{
    Fixture f;
    CHECK(!f.sign_in("wrong").signed_in);
    CHECK(!f.sign_in("wrong", "nobody@example.com").signed_in);
    CHECK(!f.sign_in("", "nobody@example.com").signed_in);
}

TEST_CASE("guessing slows down for the guesser, not for the owner")
{
    Fixture f;
    for (int i = 0; i < 6; ++i) CHECK(!f.sign_in("guess", "ana@example.com", "203.0.113.9").wait);
    CHECK(f.sign_in("correct horse", "ana@example.com", "203.0.113.9").wait);
    CHECK(f.sign_in("correct horse").signed_in);
}

TEST_CASE("a new password ends every other session")
{
    Fixture f;
    const auto here = f.sign_in("correct horse").signed_in->token;
    const auto there = f.sign_in("correct horse").signed_in->token;
    const auto principal = f.who(here);
    const auto wrong = testing::run(f.loop, f.identity.change_password(principal, "wrong", "battery staple", "a"));
    CHECK(wrong.error().fields.at(0).field == "current");
    REQUIRE(testing::run(f.loop, f.identity.change_password(principal, "correct horse", "battery staple", "a")));
    CHECK(f.who(here));
    CHECK(!f.who(there));
    CHECK(!f.sign_in("correct horse").signed_in);
    CHECK(f.sign_in("battery staple").signed_in);
}

TEST_CASE("waits double, end, and are bounded")
{
    AttemptLimiter limiter(
        {.free_failures = 2, .address_failures = 5, .wait_max = std::chrono::seconds(60), .entries_max = 10});
    const auto fail_at = [&](int second) {
        limiter.failed("a", "x", at(second));
        return limiter.wait("a", "x", at(second));
    };
    CHECK(!fail_at(0));
    CHECK(!fail_at(0));
    CHECK(fail_at(0) == std::chrono::seconds(1));
    CHECK(fail_at(1) == std::chrono::seconds(2));
    CHECK(!limiter.wait("a", "y", at(1)));  // another address
    CHECK(!limiter.wait("b", "x", at(1)));  // another account
    limiter.failed("c", "x", at(1));
    limiter.failed("d", "x", at(1));
    CHECK(limiter.wait("b", "x", at(1)) == std::chrono::seconds(60));  // the address has tried too much
    CHECK(!limiter.wait("b", "x", at(62)));
    for (int i = 0; i < 50; ++i) limiter.failed("n" + std::to_string(i), "z" + std::to_string(i), at(100 + i));
    CHECK(limiter.size() <= 10);
}

TEST_CASE("the audit log takes a burst of a stranger's failures, then a trickle that says how many are missing")
{
    AuditBudget budget({.burst = 3, .refill_every = std::chrono::seconds(10)});
    for (int i = 0; i < 3; ++i) CHECK(budget.admit(at(100)) == 0);
    for (int i = 0; i < 5; ++i) CHECK(!budget.admit(at(101)));
    CHECK(budget.admit(at(110)) == 5);
    CHECK(!budget.admit(at(110)));
    CHECK(budget.admit(at(200)) == 1);  // filled up again, to the burst and not beyond
    CHECK(budget.admit(at(200)) == 0);
    CHECK(budget.admit(at(200)) == 0);
    CHECK(!budget.admit(at(200)));
    CHECK(budget.left_out_total() == 7);
}

TEST_CASE("roles only ever add permissions")
{
    for (const auto& info : kPermissions) {
        CHECK(name_of(info.permission) == info.name);
        CHECK(may(store::Role::Owner, info.permission));
        for (std::size_t role = 1; role < store::kRoleNames.size(); ++role)
            if (may(store::Role(role - 1), info.permission)) CHECK(may(store::Role(role), info.permission));
    }
    CHECK(!may(store::Role::Viewer, Permission::ProbesWrite));
    CHECK(may(store::Role::Operator, Permission::AgentsWrite));
    CHECK(!may(store::Role::Operator, Permission::AgentsDelete));
    CHECK(!may(store::Role::Operator, Permission::ProbesDelete));
    CHECK(may(store::Role::Admin, Permission::ProbesDelete));
    CHECK(!may(store::Role::Operator, Permission::MembersWrite));
    CHECK(!may(store::Role::Admin, Permission::WorkspaceDelete));
}

}  // namespace nw::identity
