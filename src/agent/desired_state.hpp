// What the controller wants measured, as this agent last heard it, and its file. Pure but for load and save.
//
// A full state replaces everything; a diff applies to exactly the state it was made from, otherwise the whole is
// asked for. The last state survives a restart, so that an agent measures without a controller.
#pragma once

#include "base/result.hpp"
#include "model/probe_spec.hpp"
#include "wire/messages.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

namespace nw::agent {

// What to do to get from the old state to the new one; a changed probe is only started.
struct Change {
    std::vector<ProbeSpec> start{};
    std::vector<ProbeId> stop{};

    friend bool operator==(const Change&, const Change&) = default;
};

class DesiredState {
public:
    // Nothing: the diff's base is not what we have.
    std::optional<Change> apply(const wire::State& state);

    std::uint64_t number() const { return number_; }
    const std::map<ProbeId, ProbeSpec>& probes() const { return probes_; }
    // As one full state.
    wire::State whole() const;

private:
    std::uint64_t number_ = 0;
    std::map<ProbeId, ProbeSpec> probes_{};
};

// Replaces the file in one step: a crash leaves the old or the new one.
Status write_file_atomically(const std::filesystem::path& file, std::string_view bytes);
Result<std::string> read_whole_file(const std::filesystem::path& file, std::size_t bytes_max);

Status save(const DesiredState& state, const std::filesystem::path& file);
// NotFound when there is none; probes that this program cannot measure (any more) are left out.
Result<DesiredState> load_desired_state(const std::filesystem::path& file, const Kinds& kinds);

}  // namespace nw::agent
