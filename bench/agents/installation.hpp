// A real controller as a child process on a data directory of its own, with agents that are enrolled without having been
// there: what the benchmarks of sessions start from.
#pragma once

#include "model/ids.hpp"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nw::bench {

struct EnrolledAgent {
    AgentId id{};
    std::string secret{};

    std::string authorization() const { return "Bearer " + to_text(id) + "." + secret; }
};

// A scratch directory with a certificate and metadata of `agents` agents, ids from 1 on; agent i has the ping probes
// `i * probes_each + 1` and following. Empty when it could not be made; the reason is on standard error.
struct Installation {
    std::filesystem::path dir{};
    std::vector<EnrolledAgent> agents{};

    std::filesystem::path certificate() const { return dir / "cert.pem"; }
};
Installation make_installation(std::size_t agents, std::size_t probes_each);

class ControllerProcess {
public:
    ControllerProcess(std::filesystem::path binary, const Installation& installation, bool tls);
    ~ControllerProcess();
    ControllerProcess(const ControllerProcess&) = delete;
    ControllerProcess& operator=(const ControllerProcess&) = delete;

    void start();
    void kill_now();
    std::string connect_url() const;
    pid_t pid() const { return pid_; }
    double resident_mb() const;
    // User and system time of all its threads.
    double cpu_s() const;

private:
    std::filesystem::path binary_;
    const Installation& installation_;
    bool tls_;
    std::uint16_t port_;
    pid_t pid_ = 0;
};

// As many open files as the system allows.
void raise_file_limit();

}  // namespace nw::bench
