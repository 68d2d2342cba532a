#include "api/setup_token.hpp"

#include "base/digest.hpp"
#include "base/text.hpp"
#include "identity/secret.hpp"

namespace nw::api {
namespace {

constexpr std::string_view kKey = "setup_token_sha256";

}  // namespace

Result<bool> setup_needed(store::MetadataTx& tx)
{
    NW_TRY(const auto users, tx.users().count());
    return users == 0;
}

Result<std::string> make_setup_token(store::MetadataTx& tx, Random& random)
{
    NW_TRY(const bool needed, setup_needed(tx));
    if (!needed) return fail(Errc::Conflict, "the set-up has been done");
    auto token = identity::make_token(random);
    NW_CHECK(tx.set_setting(kKey, to_hex(bytes_of(sha256(token)))));
    return token;
}

Status check_setup_token(store::MetadataTx& tx, std::string_view token)
{
    NW_TRY(const bool needed, setup_needed(tx));
    if (!needed) return fail(Errc::Conflict, "the set-up has been done; sign in");
    NW_TRY(const auto stored, tx.setting(kKey));
    if (!stored || !equal_secrets(*stored, to_hex(bytes_of(sha256(token)))))
        return fail(Errc::Denied, "the set-up token is not right; use the newest URL that the controller printed");
    return {};
}

Status end_setup(store::MetadataTx& tx) { return tx.remove_setting(kKey); }

}  // namespace nw::api
