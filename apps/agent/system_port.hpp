// What the agent program does with the operating system beyond measuring: privileges, the data directory's lock,
// and telling the service manager how it is.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace nw::app {

// Keeps CAP_NET_RAW of what the process may do and gives up the rest, for good. Before threads are started.
void drop_privileges();

// Makes the directory when needed and locks it until the process ends. Conflict: another agent has it.
Status lock_directory(const std::filesystem::path& directory);

// sd_notify(3): a datagram to $NOTIFY_SOCKET; nothing without it.
void notify_service_manager(std::string_view message);
// How often the service manager wants to hear "WATCHDOG=1"; nothing when it does not.
std::optional<std::uint64_t> watchdog_us();

}  // namespace nw::app
