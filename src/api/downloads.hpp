// The agent's packages that this controller hands out, from a directory that packaging fills:
// netwatcher-agent_VERSION_SYSTEM_ARCH.tar.gz, the newest of each system and architecture. Files are read once and kept
// in memory with their checksum until they change on disk; nothing else in the directory is ever served.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nw::api {

inline constexpr std::size_t kDownloadBytesMax = 64 << 20;
inline constexpr std::size_t kDownloadsMax = 16;

struct Download {
    std::string name{};  // of the file
    std::string version{};
    std::string system{};
    std::string arch{};
    std::string sha256{};  // hexadecimal
    std::string bytes{};
};
using DownloadPtr = std::shared_ptr<const Download>;

class Downloads {
public:
    explicit Downloads(std::filesystem::path directory) : directory_(std::move(directory)) {}
    ~Downloads() { pool_.join(); }

    // By system and architecture. A directory that does not exist holds nothing.
    Task<Result<std::vector<DownloadPtr>>> list();
    // NotFound when it is not one of `list`.
    Task<Result<DownloadPtr>> find(std::string name);

private:
    struct Kept {
        std::filesystem::file_time_type changed{};
        DownloadPtr download{};
    };
    Result<std::vector<DownloadPtr>> list_now();
    Result<DownloadPtr> load(const std::filesystem::directory_entry& file);

    std::filesystem::path directory_;
    std::map<std::string, Kept, std::less<>> kept_{};  // touched by the pool's one thread only
    Pool pool_{1};
};

// The installation script for a controller at `url`: the template with what it has to offer. Invalid when the URL holds
// anything that a shell would read.
Result<std::string> install_script(std::string_view script_template, std::string_view url,
                                   const std::vector<DownloadPtr>& downloads);

}  // namespace nw::api
