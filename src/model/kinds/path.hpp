// PATH: which way the packets go, and what each router on it does to them.
#pragma once

#include "model/kind.hpp"

namespace nw::kinds {

extern const Kind path;

}  // namespace nw::kinds
