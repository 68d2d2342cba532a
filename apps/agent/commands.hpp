// The agent program's verbs. Each returns the exit code.
#pragma once

#include "agent/enrolment.hpp"
#include "config.hpp"

namespace nw::app {

int enroll_command(const Config& config, agent::EnrolRequest request);
// `stop_with_stdin`: ends when standard input does, as the child of a program whose life it shares.
int run_command(const Config& config, bool stop_with_stdin);
int status_command(const Config& config, bool json);

}  // namespace nw::app
