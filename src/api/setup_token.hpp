// The one-time token of the set-up: made at the first start, printed as a URL, gone with the first administrator.
#pragma once

#include "base/random.hpp"
#include "base/result.hpp"
#include "store/metadata/metadata.hpp"

#include <string>
#include <string_view>

namespace nw::api {

Result<bool> setup_needed(store::MetadataTx& tx);
// A new token that replaces an older one; Conflict when the set-up has been done.
Result<std::string> make_setup_token(store::MetadataTx& tx, Random& random);
// Conflict when the set-up has been done, Denied when the token is wrong.
Status check_setup_token(store::MetadataTx& tx, std::string_view token);
Status end_setup(store::MetadataTx& tx);

}  // namespace nw::api
