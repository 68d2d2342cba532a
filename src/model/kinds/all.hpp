// The list of probe kinds of the product, written out by hand.
#pragma once

#include "model/kind.hpp"

namespace nw {

Kinds all_kinds();

}  // namespace nw
