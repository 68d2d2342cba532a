// The agent that the controller can run on its own host, as the API sees it. The composition root implements it.
#pragma once

#include "model/ids.hpp"

#include <optional>
#include <string_view>

namespace nw::api {

// In the metadata's instance settings: the id of the agent.
inline constexpr std::string_view kBuiltinAgentSetting = "builtin_agent";

class BuiltinAgent {
public:
    virtual ~BuiltinAgent() = default;
    // Whether this controller can run one: it is not turned off, and the program is there.
    virtual bool available() const = 0;
    virtual std::optional<AgentId> id() const = 0;
    // The setting, or the agent that it names, was changed in the store.
    virtual void changed() = 0;
};

}  // namespace nw::api
