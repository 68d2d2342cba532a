// Private to topology: turns the paths of one probe into its parts of the graph's nodes and edges.
#pragma once

#include "topology/graph.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nw::topology {

class Contributor {
public:
    Contributor(Graph& graph, const ProbeEnds& ends, const PathSet& set) : graph_(graph), ends_(ends), set_(set) {}

    Graph::Contribution make();

private:
    // A place on a path: the node there, and the hop that it is, unless it is the agent or was put in.
    struct Stop {
        std::uint32_t node = 0;
        std::size_t hop = kNone;
        std::uint8_t distance = 0;
    };
    static constexpr std::size_t kNone = SIZE_MAX;

    bool is_silent(std::size_t hop) const { return set_.hops[hop].address.empty(); }
    bool is_target(std::size_t hop) const { return set_.hops[hop].newest.answer == HopAnswer::Arrived; }
    std::string id_of(std::size_t hop) const;
    std::string target_id(std::size_t hop) const;
    std::vector<Stop> stops_of(const Path& path);
    std::uint32_t node_of(std::size_t hop);
    std::uint32_t silent_node(const Path& path, std::size_t place);
    void close(std::vector<Stop>& stops, const Path& path);
    Graph::NodePart& node_part(std::uint32_t node, std::uint8_t distance);
    Graph::EdgePart& edge_part(std::uint32_t source, std::uint32_t target);
    void add_path(const Path& path);
    void add_target(const Path& path, std::uint32_t node);
    void add_hop(std::size_t hop);
    void add_links();
    void connect(const Stop& from, const Stop& to, const Path& path);
    Traffic traffic_of(std::size_t hop) const;

    Graph& graph_;
    const ProbeEnds& ends_;
    const PathSet& set_;
    Graph::Contribution made_{};
    std::map<std::uint32_t, std::size_t> node_parts_{};
    std::map<std::uint32_t, std::size_t> edge_parts_{};
    std::set<std::pair<std::size_t, std::size_t>> linked_{};  // hops; kNone for the agent
};

}  // namespace nw::topology
