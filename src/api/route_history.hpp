// The routes a probe took over a range: its runs between one change and the next are of one route.
#pragma once

#include "store/metadata/records.hpp"
#include "topology/route.hpp"
#include "topology/run.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace nw::api {

class RouteHistory {
public:
    struct Known {
        std::string id{};
        topology::Route route{};
        std::uint64_t runs = 0;
        std::int64_t time_us = 0;  // how long it was taken
        std::int64_t first_us = 0;
        std::int64_t last_us = 0;
    };

    // `changes` of the range, oldest first. A run stands for the time to the next one, and for no more than two intervals.
    RouteHistory(std::vector<store::PathChange> changes, std::int64_t interval_us);

    void add(const topology::Run& run);  // ascending by time
    void finish();

    const std::vector<store::PathChange>& changes() const { return changes_; }
    // Of finish(): most time first.
    const std::vector<Known>& routes() const { return routes_; }
    const std::string& before(std::size_t change) const { return ids_[change]; }
    const std::string& after(std::size_t change) const { return ids_[change + 1]; }
    std::uint64_t runs() const { return runs_; }
    std::int64_t time_us() const { return time_us_; }

private:
    // The runs between two changes.
    struct Epoch {
        std::map<std::pair<std::uint8_t, std::string>, std::uint32_t> seen{};
        std::map<std::uint8_t, std::uint32_t> answered{};
        std::uint8_t length = 0;
        std::uint64_t runs = 0;
        std::int64_t time_us = 0;
        std::int64_t first_us = 0;
        std::int64_t last_us = 0;

        topology::Route route() const;
    };

    void count_time(std::int64_t us);

    std::vector<store::PathChange> changes_;
    std::int64_t interval_us_;
    std::vector<Epoch> epochs_{};
    std::size_t epoch_ = 0;
    std::int64_t last_us_ = 0;
    std::uint64_t runs_ = 0;
    std::int64_t time_us_ = 0;
    std::vector<Known> routes_{};
    std::vector<std::string> ids_{};  // of the epochs
};

}  // namespace nw::api
