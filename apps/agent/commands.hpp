// The agent program's verbs. Each returns the exit code.
#pragma once

#include "agent/enrolment.hpp"
#include "config.hpp"

namespace nw::app {

int enroll_command(const Config& config, agent::EnrolRequest request);
int run_command(const Config& config);
int status_command(const Config& config, bool json);

}  // namespace nw::app
