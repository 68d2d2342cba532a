#include "probe/engine.hpp"

#include "probe/path/sampler.hpp"
#include "probe/ping/engine.hpp"

namespace nw::probe {

Engines make_engines(const EngineContext& context)
{
    Engines engines;
    engines.push_back(ping::make_ping_engine(context));
    engines.push_back(path::make_path_sampler(context));
    return engines;
}

}  // namespace nw::probe
