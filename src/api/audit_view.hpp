// Audit rows as the API shows them.
#pragma once

#include "base/json_writer.hpp"
#include "store/metadata/records.hpp"

namespace nw::api {

void write_audit_entry(JsonWriter& json, const store::AuditRow& row);

}  // namespace nw::api
