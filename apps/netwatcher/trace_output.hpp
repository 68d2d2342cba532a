// What `netwatcher trace` prints: a table of hops per target, and each probe as it is settled.
#pragma once

#include "ping_output.hpp"
#include "probe/path/host_names.hpp"
#include "probe/path/table.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nw::cli {

struct TraceTarget {
    std::string name{};
    std::optional<packet::Address> address{};
    std::string problem{};  // why nothing was measured
    probe::path::Table table{};
    std::optional<probe::path::Exploration> branches{};
    std::optional<probe::path::MtuFound> mtu{};
    std::uint64_t late = 0, duplicates = 0;
    bool measured = false;  // something could be sent
};

// Where the rows of a target come from at the time of printing.
struct TraceView {
    const TraceTarget& target;
    std::vector<probe::path::HopRow> rows{};
};

class TracePrinter {
public:
    // Names are asked for as they are printed, through the device that the packets leave through; without `names` addresses
    // stay bare.
    TracePrinter(Format format, probe::path::HostNames* names, std::string device)
        : format_(format), names_(names), device_(std::move(device))
    {}

    // One line of NDJSON; nothing in other formats.
    std::string probe(const TraceTarget& target, const probe::path::Settled& settled, WallTime sent) const;
    // All targets as a table for people, at most `columns` wide.
    std::string screen(const std::vector<TraceView>& views, std::size_t columns) const;
    // What stands at the end, in the format asked for.
    std::string report(const std::vector<TraceView>& views) const;

private:
    std::string host_of(const packet::Address& address) const;
    void table_text(std::string& out, const TraceView& view, std::size_t columns) const;
    void row_text(std::string& out, const probe::path::HopRow& row, const TraceView& view, std::size_t width,
                  bool same_hop) const;
    void target_json(std::string& out, const TraceView& view) const;

    Format format_;
    probe::path::HostNames* names_;
    std::string device_;
};

// A bar per delay from the least to the greatest of them; x: not answered.
std::string sparkline(const std::vector<std::optional<Nanos>>& delays);
// "5.0 % forwarding", "limited to 1.0/s", ... ; a question mark where it is not certain.
std::string verdict_text(const probe::path::Judgement& verdict);

}  // namespace nw::cli
