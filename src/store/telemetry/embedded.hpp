// The embedded engine: SQLite intake, hot window in memory, compressed column chunks in SQLite files, roll-ups.
// One process, no server; docs/storage.md has layout, versions and the order in which things become durable.
#pragma once

#include "base/log.hpp"
#include "base/time.hpp"
#include "store/telemetry/telemetry.hpp"

#include <filesystem>
#include <memory>

namespace nw::store {

struct EmbeddedOptions {
    std::filesystem::path dir{};  // created when absent
    Retention retention{};
    std::uint32_t reader_threads = 2;
    bool self_maintenance = true;  // off: only maintain() and seal() do such work (tests)
    std::uint64_t disk_free_min_bytes = 256ULL << 20;
    std::uint64_t hot_bytes_max = 192ULL << 20;
    std::uint64_t intake_bytes_max = 2ULL << 30;
    std::uint64_t pending_bytes_max = 64ULL << 20;  // appends waiting for their commit
};

// Blocks while it replays the intake; call it before serving. `kinds` and `clock` outlive the store.
Result<std::unique_ptr<Telemetry>> open_embedded(EmbeddedOptions options, const Kinds& kinds, const Clock& clock, Log log);

}  // namespace nw::store
