// Raw rows in columns: in the answers about samples and in live events.
#pragma once

#include "base/json_writer.hpp"
#include "model/rows.hpp"

namespace nw::api {

// {at_us, outcome, reason, address, clock, columns}; histogram columns are left out.
void write_rows(JsonWriter& json, const Rows& rows);

}  // namespace nw::api
