#include "agent/desired_state.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace nw::agent {
namespace {

constexpr std::size_t kStateBytesMax = 64 << 20;

std::unexpected<Error> file_error(const std::filesystem::path& file)
{
    return fail(errno == ENOENT ? Errc::NotFound : Errc::Unavailable, file.string() + ": " + std::strerror(errno));
}

class File {
public:
    File(const std::filesystem::path& name, int flags) : fd_(::open(name.c_str(), flags | O_CLOEXEC, 0600)) {}
    ~File()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    bool is_open() const { return fd_ >= 0; }
    bool write(std::string_view bytes) const
    {
        while (!bytes.empty()) {
            const auto written = ::write(fd_, bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) return false;
            bytes.remove_prefix(std::size_t(written));
        }
        return true;
    }
    bool sync() const { return ::fsync(fd_) == 0; }

private:
    int fd_;
};

}  // namespace

std::optional<Change> DesiredState::apply(const wire::State& state)
{
    const bool full = state.base == 0;
    if (!full && state.base != number_) return std::nullopt;
    Change change;
    std::map<ProbeId, ProbeSpec> next;
    if (!full) next = probes_;
    for (const auto& spec : state.upsert) next[spec.id] = spec;
    for (const auto probe : state.remove) next.erase(probe);
    for (const auto& problem : state.invalid) next.erase(problem.probe);  // what it was before is not wanted any more
    for (const auto& [id, spec] : next) {
        const auto had = probes_.find(id);
        if (had == probes_.end() || had->second.kind != spec.kind || had->second.settings != spec.settings)
            change.start.push_back(spec);
    }
    for (const auto& [id, spec] : probes_)
        if (!next.contains(id)) change.stop.push_back(id);
    probes_ = std::move(next);
    number_ = state.number;
    return change;
}

wire::State DesiredState::whole() const
{
    wire::State state{.number = number_};
    for (const auto& [id, spec] : probes_) state.upsert.push_back(spec);
    return state;
}

Status write_file_atomically(const std::filesystem::path& file, std::string_view bytes)
{
    const auto fresh = file.string() + ".new";
    {
        const File out(fresh, O_WRONLY | O_CREAT | O_TRUNC);
        if (!out.is_open() || !out.write(bytes) || !out.sync()) return file_error(fresh);
    }
    if (::rename(fresh.c_str(), file.c_str()) != 0) return file_error(file);
    const File folder(file.parent_path(), O_RDONLY | O_DIRECTORY);
    if (!folder.is_open() || !folder.sync()) return file_error(file.parent_path());
    return {};
}

Result<std::string> read_whole_file(const std::filesystem::path& file, std::size_t bytes_max)
{
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) return file_error(file);
    std::string bytes;
    bytes.resize(bytes_max + 1);
    in.read(bytes.data(), std::streamsize(bytes.size()));
    bytes.resize(std::size_t(in.gcount()));
    if (bytes.size() > bytes_max) return fail(Errc::Corrupt, file.string() + ": larger than it can be");
    return bytes;
}

Status save(const DesiredState& state, const std::filesystem::path& file)
{
    return write_file_atomically(file, wire::encode_state(state.whole()));
}

Result<DesiredState> load_desired_state(const std::filesystem::path& file, const Kinds& kinds)
{
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error) return fail(Errc::NotFound, file.string() + ": " + error.message());
    if (size > kStateBytesMax) return fail(Errc::Corrupt, file.string() + ": larger than it can be");
    NW_TRY(const auto bytes, read_whole_file(file, std::size_t(size)));
    NW_TRY(const auto whole, wire::decode_state(bytes, kinds));
    DesiredState state;
    (void)state.apply(whole);
    return state;
}

}  // namespace nw::agent
