#include "identity/identity.hpp"

#include "base/digest.hpp"
#include "identity/secret.hpp"

#include <algorithm>

namespace nw::identity {

const store::Membership* Principal::membership(std::string_view workspace_id_or_slug) const
{
    const auto id = parse_id<WorkspaceId>(workspace_id_or_slug);
    const auto found = std::ranges::find_if(memberships, [&](const auto& membership) {
        return id ? membership.workspace.id == *id : membership.workspace.slug == workspace_id_or_slug;
    });
    return found == memberships.end() ? nullptr : &*found;
}

Identity::Identity(store::Metadata& metadata, const Clock& clock, Random& random)
    : metadata_(metadata), clock_(clock), random_(random)
{}

Result<PrincipalPtr> Identity::load(store::MetadataTx& tx, const std::string& token_hash)
{
    NW_TRY(auto session, tx.users().session_by_token(token_hash));
    if (!session || session->expires_us <= to_us(clock_.wall())) return PrincipalPtr();
    NW_TRY(auto user, tx.users().get(session->user));
    NW_TRY(auto memberships, tx.workspaces().of_user(user.id));
    return std::make_shared<const Principal>(std::move(user), *std::move(session), std::move(memberships));
}

Task<Result<PrincipalPtr>> Identity::authenticate(std::string token)
{
    const auto key = sha256(token);
    if (const auto found = cache_.find(key); found != cache_.end()) {
        if (found->second.until > clock_.instant()) co_return found->second.principal;
        cache_.erase(found);
    }
    const auto now = clock_.wall();
    auto loaded = co_await metadata_.read([&](store::MetadataTx& tx) { return load(tx, key); });
    NW_CO_TRY(auto principal, std::move(loaded));
    if (!principal) co_return principal;
    // Once per cache life, not per request. It only informs: a full disk must not keep people from looking at what is
    // wrong, so that a session is as good when it cannot be noted.
    (void)co_await metadata_.write(
        [&](store::MetadataTx& tx) { return tx.users().touch_session(principal->session.id, now); });
    if (cache_.size() >= kPrincipalsMax) cache_.clear();
    cache_[key] = {principal, clock_.instant() + kCacheFor};
    co_return principal;
}

Task<Result<Identity::SignInResult>> Identity::sign_in(std::string email, std::string password, Origin origin)
{
    if (const auto wait = limiter_.wait(email, origin.address, clock_.instant())) co_return SignInResult{.wait = wait};
    // Counted before the slow hash: attempts in parallel do not pass the limit together.
    limiter_.failed(email, origin.address, clock_.instant());
    auto found = co_await metadata_.read([&](store::MetadataTx& tx) { return tx.users().by_email(email); });
    NW_CO_TRY(const auto user, std::move(found));
    const auto stored = user ? user->password_hash : std::string();
    const bool matches = co_await run_on(hash_pool_, [&] { return verify_password(stored, password); });
    if (!matches || !user) co_return SignInResult{};
    limiter_.succeeded(email, origin.address);
    NW_CO_TRY(auto signed_in, co_await open_session(user->id, std::move(origin)));
    co_return SignInResult{.signed_in = std::move(signed_in)};
}

Task<Result<SignedIn>> Identity::open_session(UserId user, Origin origin)
{
    auto token = make_token(random_);
    const auto now = clock_.wall();
    constexpr std::size_t agent_bytes_max = 300;
    const store::Session session{.id = make_id<SessionId>(random_, now),
                                 .user = user,
                                 .token_hash = sha256(token),
                                 .csrf_token = make_token(random_),
                                 .created_us = to_us(now),
                                 .last_seen_us = to_us(now),
                                 .expires_us = to_us(now + kSessionLife),
                                 .address = std::move(origin.address),
                                 .user_agent = origin.user_agent.substr(0, agent_bytes_max)};
    auto opened = co_await metadata_.write([&](store::MetadataTx& tx) -> Result<PrincipalPtr> {
        NW_CHECK(tx.users().end_expired_sessions(now));
        NW_CHECK(tx.users().add_session(session));
        return load(tx, session.token_hash);
    });
    NW_CO_TRY(auto principal, std::move(opened));
    co_return SignedIn{.token = std::move(token), .principal = std::move(principal)};
}

Task<Status> Identity::end_session(UserId user, SessionId session)
{
    auto ended = co_await metadata_.write([&](store::MetadataTx& tx) { return tx.users().end_session(user, session); });
    if (ended) changed({.user = user, .ended = session});
    co_return ended;
}

Task<Status> Identity::change_password(PrincipalPtr principal, std::string current, std::string fresh, std::string address)
{
    const auto& email = principal->user.email;
    if (const auto wait = limiter_.wait(email, address, clock_.instant()))
        co_return fail_field("current", "too many attempts; wait " + std::to_string(wait->count()) + " s");
    limiter_.failed(email, address, clock_.instant());
    const bool matches =
        co_await run_on(hash_pool_, [&] { return verify_password(principal->user.password_hash, current); });
    if (!matches) co_return fail_field("current", "is not your present password");
    limiter_.succeeded(email, address);
    const auto hashed = co_await hash(std::move(fresh));
    auto done = co_await metadata_.write([&](store::MetadataTx& tx) -> Status {
        NW_CHECK(tx.users().set_password(principal->user.id, hashed));
        return tx.users().end_other_sessions(principal->user.id, principal->session.id);
    });
    if (done) changed({.user = principal->user.id, .kept = principal->session.id});
    co_return done;
}

Task<std::string> Identity::hash(std::string password)
{
    co_return co_await run_on(hash_pool_, [&] { return hash_password(password); });
}

void Identity::forget(UserId user) { changed({.user = user}); }

void Identity::forget_all() { changed({}); }

void Identity::changed(const Change& change)
{
    std::erase_if(cache_, [&](const auto& item) { return !change.user || item.second.principal->user.id == *change.user; });
    if (listener_) listener_(change);
}

}  // namespace nw::identity
