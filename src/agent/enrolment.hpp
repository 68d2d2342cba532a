// Who this agent is: the identity file, and how it is obtained from a single-use token.
//
// The agent makes its own secret and sends only the hash. Instance and secret are on disk before the request goes
// out, so that a lost answer can be asked for again: the same token, instance and credential get the same answer.
#pragma once

#include "base/async.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/run_on.hpp"

#include <filesystem>
#include <string>

namespace nw::agent {

struct Identity {
    std::string controller{};  // https://host:port
    std::string agent_id{};    // empty: not enrolled yet
    std::string name{};
    std::string secret{};
    std::string instance{};
    std::string ca_file{};
    bool insecure = false;  // no verification, and plain text to other hosts

    bool enrolled() const { return !agent_id.empty(); }
    friend bool operator==(const Identity&, const Identity&) = default;
};

Result<Identity> load_identity(const std::filesystem::path& file);
Status save_identity(const Identity& identity, const std::filesystem::path& file);

// https, or plain http to this host; anything else needs `insecure`.
Status check_controller(const std::string& url, bool insecure);

struct EnrolRequest {
    std::string controller{};
    std::string token{};
    std::string ca_file{};
    bool insecure = false;
    bool again = false;  // replace an existing identity
    std::string version{};
};

// Returns the identity as it was saved to `file`.
Task<Result<Identity>> enrol(Pool& pool, Random& random, EnrolRequest request, std::filesystem::path file);

}  // namespace nw::agent
