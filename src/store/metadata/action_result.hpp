// What an action has found so far, out of its record.
#pragma once

#include "base/result.hpp"
#include "model/rows.hpp"
#include "store/metadata/records.hpp"

namespace nw::store {

// One row; NotFound before the first result, Corrupt when it cannot be read.
Result<Rows> result_of(const Action& action, const Kinds& kinds);

}  // namespace nw::store
