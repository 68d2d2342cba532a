// @NAME@: say here what is measured, and by which standard.
#pragma once

#include "model/kind.hpp"

namespace nw::kinds {

extern const Kind @name@;

}  // namespace nw::kinds
