// What workspaces say about how long their data is kept, for the store: it knows probes, not workspaces.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"

namespace nw::api {

struct Services;

// At start, after a change, and now and then for probes that were added since.
Task<Status> apply_retention(Services& services);

}  // namespace nw::api
