// Who made a network card, by the address it says it has: the registries of the IEEE, as Debian's package ieee-data installs
// them. Assignments are of 36, 28 or 24 bits (MA-S, MA-M, MA-L); the longest that fits is the holder's.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::enrich {

// The addresses of one length of assignment, sorted; texts lie in one block.
class Registry {
public:
    explicit Registry(unsigned bits) : bits_(bits) {}

    // Adds the lines of a CSV file "Registry,Assignment,Organization Name,..."; lines that are something else are skipped.
    void add_csv(std::string_view text);
    std::optional<std::string> holder(std::uint64_t mac) const;
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::uint64_t prefix = 0;
        std::uint32_t at = 0;
        std::uint16_t length = 0;
    };

    unsigned bits_;
    std::vector<Entry> entries_{};
    std::string names_{};
};

class Vendors {
public:
    // The folder with oui.csv, mam.csv and oui36.csv; it is not touched before the first question.
    explicit Vendors(std::filesystem::path folder) : folder_(std::move(folder)) {}

    // `mac`: six bytes. Nothing for addresses that nobody assigned, and without the data. The first call reads the files:
    // call it on a pool. Safe to call from several threads.
    std::optional<std::string> vendor(std::string_view mac);

private:
    void load();

    std::filesystem::path folder_;
    std::once_flag loaded_{};
    std::array<Registry, 3> registries_{Registry(36), Registry(28), Registry(24)};
};

// Made up by software (random for privacy, of a virtual machine or container), or a group: no vendor has such.
bool is_local(std::string_view mac);

}  // namespace nw::enrich
