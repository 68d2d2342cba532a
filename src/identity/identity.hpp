// Who is calling: sign-in, server-side sessions and what they may do. Belongs to one loop.
//
// A session is a random token in an HttpOnly cookie; the store keeps its SHA-256. Principals are cached for
// kCacheFor, so that an ordinary request costs no query; every change made through this process drops the cache
// entries it touches.
#pragma once

#include "base/async.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"
#include "base/time.hpp"
#include "identity/attempt_limiter.hpp"
#include "identity/permission.hpp"
#include "store/metadata/metadata.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::identity {

inline constexpr std::chrono::seconds kCacheFor{30};
inline constexpr std::chrono::hours kSessionLife{24 * 30};  // since last use
inline constexpr std::size_t kPrincipalsMax = 20'000;

struct Principal {
    store::User user{};
    store::Session session{};
    std::vector<store::Membership> memberships{};

    const store::Membership* membership(std::string_view workspace_id_or_slug) const;
};
using PrincipalPtr = std::shared_ptr<const Principal>;

struct Origin {
    std::string address{};
    std::string user_agent{};
};

struct SignedIn {
    std::string token{};  // for the cookie; not stored anywhere
    PrincipalPtr principal{};
};

// What has changed about who may do what. No user: anybody's rights.
struct Change {
    std::optional<UserId> user{};
    std::optional<SessionId> ended{};  // not the rights: this session of the user has ended
    std::optional<SessionId> kept{};   // not the rights: all sessions of the user but this one have ended

    bool ends_session() const { return ended || kept; }
    bool touches(UserId other, SessionId session) const
    {
        if (user && *user != other) return false;
        return ended ? session == *ended : kept ? session != *kept : true;
    }
};

class Identity {
public:
    Identity(store::Metadata& metadata, const Clock& clock, Random& random);

    // The session of a cookie; null when there is none (any more).
    Task<Result<PrincipalPtr>> authenticate(std::string token);
    // A wrong password and an unknown address look the same: an empty optional. The time to wait when limited.
    struct SignInResult {
        std::optional<SignedIn> signed_in{};
        std::optional<std::chrono::seconds> wait{};
    };
    Task<Result<SignInResult>> sign_in(std::string email, std::string password, Origin origin);
    // Opens a session for a user who has proved himself otherwise (set-up, invitation).
    Task<Result<SignedIn>> open_session(UserId user, Origin origin);
    Task<Status> end_session(UserId user, SessionId session);
    // Ends all other sessions of the user. Invalid, naming `current`, when that is wrong.
    Task<Status> change_password(PrincipalPtr principal, std::string current, std::string fresh, std::string address);
    Task<std::string> hash(std::string password);

    // Role or membership changes: the next request reads them anew.
    void forget(UserId user);
    void forget_all();
    // Called when what a user may do, or whether he is signed in, may have changed. What was opened with the old rights
    // is then closed.
    using Listener = std::function<void(const Change&)>;
    void on_change(Listener listener) { listener_ = std::move(listener); }

private:
    struct Cached {
        PrincipalPtr principal{};
        Instant until{};
    };

    Result<PrincipalPtr> load(store::MetadataTx& tx, const std::string& token_hash);
    void changed(const Change& change);

    store::Metadata& metadata_;
    const Clock& clock_;
    Random& random_;
    AttemptLimiter limiter_{};
    std::map<std::string, Cached> cache_{};  // by token hash
    Listener listener_{};
    Pool hash_pool_{2};
};

}  // namespace nw::identity
