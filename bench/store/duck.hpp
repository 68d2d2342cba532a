// DuckDB as the peer, through its C interface and loaded at run time: nothing of it is needed to build. The library comes
// with `npm ci` in this folder, or from NW_DUCKDB=/path/to/libduckdb.so.
#pragma once

#include "generator.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace nw::bench {

class Duck {
public:
    // Null when the library is not there.
    static std::unique_ptr<Duck> load();
    ~Duck();

    std::string version() const;
    // A new database file with the table `ping`.
    void open(const std::filesystem::path& file, int threads);
    // One transaction by the data-chunk appender.
    void append(const std::vector<Ping>& rows, std::size_t begin, std::size_t end);
    // Brings what was appended into the order of (probe, time), in which it is read, and onto the disk.
    void sort();
    // Runs a statement and fetches all of its rows; their number.
    std::uint64_t run(const std::string& sql);
    void close();

private:
    Duck() = default;
    struct Api;
    std::unique_ptr<Api> api_{};
    void* database_ = nullptr;
    void* connection_ = nullptr;
    void* chunk_ = nullptr;
};

}  // namespace nw::bench
