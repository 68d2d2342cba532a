// What an agent is asked to do once, such as a trace now: a kind and its settings, run at most once.
#pragma once

#include "model/ids.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace nw {

// The numbers are formats.
enum class ActionState : std::uint8_t {
    Waiting = 0,  // for the agent
    Running = 1,
    Done = 2,       // there is a result, whatever it says of the target
    Failed = 3,     // there is none
    Cancelled = 4,  // by somebody, or the agent stopped
    Expired = 5,    // the agent did not begin in time
};
inline constexpr std::array<std::string_view, 6> kActionStateNames{"waiting", "running",   "done",
                                                                   "failed",  "cancelled", "expired"};
constexpr std::string_view name_of(ActionState state) { return kActionStateNames[std::size_t(state)]; }
constexpr bool is_over(ActionState state) { return state >= ActionState::Done; }

}  // namespace nw
