#include "model/kinds/all.hpp"

#include "model/kinds/path.hpp"
#include "model/kinds/ping.hpp"

namespace nw {

Kinds all_kinds() { return Kinds({&kinds::ping, &kinds::path}); }

}  // namespace nw
