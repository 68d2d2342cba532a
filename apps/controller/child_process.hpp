// A program that this one runs and whose life ends with it: its standard input is a pipe that closes with the last
// breath of the parent, however that comes. The child's own files are its standard error, shared with the parent's,
// and nothing else. Belongs to one loop.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace nw::controller {

class ChildProcess {
public:
    static Result<std::unique_ptr<ChildProcess>> start(Executor loop, const std::filesystem::path& program,
                                                       std::vector<std::string> arguments);
    // Kills it when it still runs.
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    // Waits for its end, at most until `deadline`: how it ended ("exit code 1", "signal 9"), or empty while it runs.
    Task<std::string> ended(std::chrono::steady_clock::time_point deadline);
    // Makes a waiting ended() return early.
    void interrupt();
    void signal(int number);

private:
    struct Impl;
    explicit ChildProcess(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace nw::controller
