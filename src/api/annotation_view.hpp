// An annotation as the API shows it.
#pragma once

#include "base/json_writer.hpp"
#include "store/metadata/records.hpp"

namespace nw::api {

void write_annotation(JsonWriter& json, const store::Annotation& annotation);

}  // namespace nw::api
