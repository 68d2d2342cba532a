// A probe's settings as a JSON object, as the API and the metadata store write them.
#pragma once

#include "base/result.hpp"
#include "model/probe_spec.hpp"

#include <string>
#include <string_view>

namespace nw::net {
class Json;
}

namespace nw::store {

// Whole numbers, true and false, and text; anything else is refused, naming "<prefix><setting>". Not yet validated
// against the kind's declaration: model/probe_spec does that.
Result<Settings> settings_from(const net::Json& object, std::string_view prefix = "settings.");
Result<Settings> settings_from_text(std::string_view json);

// Booleans as true and false. Secrets are written only when `with_secrets`.
std::string to_json(const Kind& kind, const Settings& settings, bool with_secrets);

}  // namespace nw::store
